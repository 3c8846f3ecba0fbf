//! What a thread of the store needs from a database.

use crate::Error;
use crate::db::Db;
use crate::writer::Work;

/// One connection, owned by one thread.
pub(crate) trait Session: Send + 'static {
    /// The connection; one that was lost is made anew first.
    fn db(&mut self) -> Result<Db<'_>, Error>;

    /// Does the work in one transaction and waits until it is on disk. A piece of work that fails is undone alone and
    /// remembers why. An error means that nothing of the batch was kept, or that nobody can tell.
    fn commit(&mut self, batch: &mut [Box<dyn Work>]) -> Result<(), Error>;

    /// Leaves in order, after the last batch.
    fn finish(self);
}
