//! The data folder: where it is, who may use it, who uses it now.
//!
//! One process owns a data folder, by a lock on a file that the kernel drops when the process ends, however it ends.
//! The file's content only tells others who that is.

use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A data folder that may not exist yet.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

/// Who holds a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// A server, which stays, rather than a command, which is done soon.
    pub serves: bool,
    /// Where it listens, once it does.
    pub address: Option<String>,
}

/// The right to use a folder, for as long as this lives.
#[derive(Debug)]
pub struct Lock(File);

impl Folder {
    /// The folder of this path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The database's name.
    pub const DATABASE: &'static str = "heddle.db";

    /// The name of the file with the key that seals secrets.
    pub const MASTER_KEY: &'static str = "master.key";

    /// What makes a folder whole, by name; the rest of it can be made again.
    pub const KEPT: &'static [&'static str] = &[Self::DATABASE, Self::MASTER_KEY, "first-start.json", "heddle.toml"];

    /// Where a restore unpacks before it moves anything.
    pub const NURSERY: &'static str = ".restore";

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.file(Self::DATABASE)
    }

    /// The socket that commands use while a server runs.
    pub fn socket(&self) -> PathBuf {
        self.file("heddle.sock")
    }

    /// Whether there is nothing yet.
    pub fn is_missing(&self) -> bool {
        is_missing(&self.0)
    }

    /// Makes the folder, for its owner only, if it is not there. A new one is on disk when this returns: otherwise a
    /// power cut could take it along with all that is in it, however well that was written.
    pub fn make(&self) -> Result<(), Failure> {
        let missing: Vec<_> = self.0.ancestors().take_while(|folder| is_missing(folder)).collect();
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.0);
        let kept = made.and_then(|()| missing.into_iter().filter_map(Path::parent).try_for_each(sync));
        kept.map_err(|error| Failure::of(format!("data folder {}", self.0.display()), error))
    }

    /// Waits until the names of its files are on disk.
    pub fn sync(&self) -> std::io::Result<()> {
        sync(&self.0)
    }

    /// Takes the lock, or says who has it.
    pub fn try_lock(&self, serves: bool) -> Result<Result<Lock, Holder>, Failure> {
        let path = self.file("heddle.lock");
        let failed = |error: std::io::Error| Failure::of(path.display(), error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                let mut lock = Lock(file);
                lock.tell(&Holder { pid: std::process::id(), serves, address: None })?;
                Ok(Ok(lock))
            }
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text).map_err(failed)?;
                // The holder may be about to write it.
                Ok(Err(serde_json::from_str(&text).unwrap_or_default()))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Takes the lock for a server: waits for commands to finish, is refused at once by another server.
    pub async fn lock_for_server(&self) -> Result<Lock, Failure> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            match self.try_lock(true)? {
                Ok(lock) => return Ok(lock),
                Err(holder) if holder.serves || Instant::now() > give_up => return Err(self.in_use(&holder)),
                Err(_) => tokio::time::sleep(POLL).await,
            }
        }
    }

    /// Refuses a folder whose database is still to be moved in by a restore that was broken off: without it the folder
    /// would be taken for a new one. For whoever has the lock.
    pub fn refuse_half_restored(&self) -> Result<(), Failure> {
        let nursery = self.file(Self::NURSERY);
        match self.database().exists() || !nursery.join(Self::DATABASE).exists() {
            true => Ok(()),
            false => Err(Failure::new(format!(
                "a restore into data folder {} was broken off: run it again, or remove {}",
                self.0.display(),
                nursery.display()
            ))),
        }
    }

    /// The refusal that names the holder.
    pub fn in_use(&self, holder: &Holder) -> Failure {
        let what = if holder.serves { "server" } else { "command" };
        let address = holder.address.as_deref().map(|address| format!(", {address}")).unwrap_or_default();
        Failure::new(format!(
            "data folder {} is in use by another heddle {what} (pid {}{address})",
            self.0.display(),
            holder.pid
        ))
    }
}

/// How long a command waits for another one to be done, or for a server to open its socket.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// Between two looks.
pub const POLL: Duration = Duration::from_millis(20);

/// Not the empty path, which stands for where we are.
fn is_missing(folder: &Path) -> bool {
    !folder.as_os_str().is_empty() && !folder.exists()
}

fn sync(folder: &Path) -> std::io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

impl Lock {
    /// Tells others who holds the folder.
    pub fn tell(&mut self, holder: &Holder) -> Result<(), Failure> {
        let text = serde_json::to_vec(holder).expect("a holder is plain data");
        let written =
            self.0.set_len(0).and_then(|()| self.0.seek(SeekFrom::Start(0))).and_then(|_| self.0.write_all(&text));
        written.map_err(|error| Failure::of("lock file", error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_new_folder_is_for_its_owner_only() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::new(parent.path().join("a/b"));
        folder.make().unwrap();
        assert_eq!(std::fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o700);
        folder.make().unwrap();
    }

    #[test]
    fn a_held_folder_names_its_holder_and_is_free_afterwards() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::new(parent.path());
        let mut lock = folder.try_lock(true).unwrap().unwrap();
        let holder = Holder { pid: 7, serves: true, address: Some("http://127.0.0.1:1".to_owned()) };
        lock.tell(&holder).unwrap();
        assert_eq!(folder.try_lock(false).unwrap().unwrap_err(), holder);
        assert!(folder.in_use(&holder).to_string().ends_with("(pid 7, http://127.0.0.1:1)"));
        drop(lock);
        assert!(folder.try_lock(false).unwrap().is_ok());
    }
}
