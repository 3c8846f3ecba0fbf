//! What a thread of the store needs from a database.

use crate::Error;
use crate::db::Db;
use crate::writer::Work;
use std::path::Path;
use std::time::Duration;

/// Commits a batch, while a copy is being made.
pub(crate) type Commit<'a> = dyn FnMut(&mut [Box<dyn Work>]) -> Result<(), Error> + 'a;

/// What happens between two parts of a copy; an error ends it.
pub(crate) type Between<'a> = dyn FnMut(&mut Commit<'_>) -> Result<(), Error> + 'a;

/// One connection, owned by one thread.
pub(crate) trait Session: Send + 'static {
    /// The connection; one that was lost is made anew first.
    fn db(&mut self) -> Result<Db<'_>, Error>;

    /// Does the work in one transaction and waits until it is on disk. A piece of work that fails is undone alone and
    /// remembers why. An error means that nothing of the batch was kept, or that nobody can tell.
    fn commit(&mut self, batch: &mut [Box<dyn Work>]) -> Result<(), Error>;

    /// Does, after a batch was answered, what nobody should wait for. Says when it wants to be asked again even if
    /// nothing is committed meanwhile.
    fn settle(&mut self) -> Option<Duration>;

    /// Copies the whole database, as it is at the end, into a file that is not there yet, and goes on committing
    /// meanwhile.
    fn copy(&mut self, to: &Path, between: &mut Between<'_>) -> Result<(), Error>;

    /// Leaves in order, after the last batch.
    fn finish(self);
}
