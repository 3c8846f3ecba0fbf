//! `heddle backup`: one file from which a data folder can be made again, while the server runs or not.
//!
//! The server, or this process when there is none, copies the database; everything else is done here, so that a server
//! under load has no more to do than that. What is under way lies beside the file, under its name and an ending, and the
//! file itself appears when it is whole, on disk and has been read again.

use crate::admin::Request;
use crate::admin::door::{Reached, reach};
use crate::failure::Failure;
use crate::folder::Folder;
use crate::{Setting, archive, print};
use heddle_fault as fault;
use heddle_store::Store;
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Makes the backup and says where it is.
pub async fn run(setting: &Setting, dest: &Path) -> Result<(), Failure> {
    if setting.settings.database_url.is_some() {
        return Err(Failure::new(
            "the database is a PostgreSQL database: pg_dump backs it up, and the data folder is copied",
        ));
    }
    let dest = std::path::absolute(dest).map_err(|error| Failure::of(dest.display(), error))?;
    if dest.symlink_metadata().is_ok() {
        return Err(Failure::new(format!("{} exists; a backup replaces nothing", dest.display())));
    }
    let database = setting.folder.database();
    if !database.exists() {
        return Err(Failure::of(setting.folder.path().display(), "there is no database to back up"));
    }
    let work = Work::begin(&dest)?;
    fault::point!("backup.begun")?;
    let keys = keys(&setting.folder)?;
    copy(setting, work.database()).await?;
    fault::point!("backup.copied")?;
    let folder = setting.folder.clone();
    let made = tokio::task::spawn_blocking(move || work.finish(&folder, &keys)).await;
    let manifest = made.map_err(|error| Failure::of("backup", error))??;
    let bytes = std::fs::metadata(&dest).map_or(0, |about| about.len());
    match setting.json {
        true => print::json(&json!({
            "file": dest, "bytes": bytes, "made_at": manifest.made_at, "files": manifest.files,
        })),
        false => print::text(&dest.display().to_string()),
    }
}

/// The master keys, line by line; none where nothing was ever sealed.
fn keys(folder: &Folder) -> Result<Vec<String>, Failure> {
    let path = folder.file(Folder::MASTER_KEY);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Failure::of(path.display(), error)),
    }
}

/// Has the database copied by whoever holds it.
async fn copy(setting: &Setting, to: PathBuf) -> Result<(), Failure> {
    match reach(&setting.folder).await? {
        Reached::Server(mut conversation) => {
            let answer = conversation.ask(&Request::Copy { to }).await;
            answer.map_err(|error| Failure::of("command socket", error))?.map_err(Failure::new)?;
        }
        Reached::Folder(_lock) => {
            let from = setting.folder.database();
            let copied = tokio::task::spawn_blocking(move || Store::copy_at_rest(&from, &to)).await;
            copied.map_err(|error| Failure::of("backup", error))?.map_err(|error| Failure::of("backup", error))?;
        }
    }
    Ok(())
}

/// A backup under way; what is not finished is removed.
struct Work {
    dest: PathBuf,
    part: PathBuf,
    /// Locked, so that of two backups to one place the second is refused and what a crash left is not.
    file: File,
}

impl Work {
    fn begin(dest: &Path) -> Result<Self, Failure> {
        let part = beside(dest, ".part");
        let failed = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => Failure::of(dest.display(), "the folder it is to be in does not exist"),
            _ => Failure::of(part.display(), error),
        };
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(&part).map_err(failed)?;
        file.try_lock().map_err(|_| Failure::of(dest.display(), "another backup to it is being made"))?;
        let work = Self { dest: dest.to_owned(), part: part.clone(), file };
        work.file.set_len(0).map_err(failed)?;
        forget(&work.database())?;
        Ok(work)
    }

    /// Where the database's copy goes meanwhile.
    fn database(&self) -> PathBuf {
        beside(&self.dest, ".part.db")
    }

    fn finish(self, folder: &Folder, keys: &[String]) -> Result<archive::Manifest, Failure> {
        let failed = |error: std::io::Error| Failure::of(self.dest.display(), error);
        Store::verify(&self.database()).map_err(|error| Failure::of("the copy of the database", error))?;
        let mut files = vec![(Folder::DATABASE, self.database())];
        // The keys after the database: those that are added meanwhile are there, and none that the copy needs may be gone.
        let left = self::keys(folder)?;
        if keys.iter().any(|key| !left.contains(key)) {
            return Err(Failure::of("backup", "the master key was changed meanwhile; make it again"));
        }
        let others = Folder::KEPT.iter().filter(|name| **name != Folder::DATABASE);
        files.extend(others.map(|name| (*name, folder.file(name))).filter(|(_, path)| path.exists()));
        let manifest = archive::write(&self.file, &self.part, &files).map_err(failed)?;
        fault::point!("backup.packed")?;
        place(&self.part, &self.dest).map_err(failed)?;
        fault::point!("backup.placed")?;
        let parent = self.dest.parent().unwrap_or(Path::new("/"));
        archive::sync_folder(parent).map_err(failed)?;
        Ok(manifest)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        for path in [self.database(), self.part.clone()] {
            if let Err(failure) = forget(&path) {
                tracing::warn!(%failure, "something is left of the backup: {failure}");
            }
        }
    }
}

/// Gives a finished file its name; never in place of another.
fn place(part: &Path, dest: &Path) -> std::io::Result<()> {
    match std::fs::hard_link(part, dest) {
        // Some file systems have no links.
        Err(error) if error.kind() != ErrorKind::AlreadyExists && !dest.exists() => std::fs::rename(part, dest),
        other => other,
    }
}

fn forget(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Failure::of(path.display(), error)),
        _ => Ok(()),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
