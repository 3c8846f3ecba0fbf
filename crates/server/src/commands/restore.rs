//! `heddle restore`: makes a data folder from a backup.
//!
//! Everything is unpacked into a folder inside the data folder, looked at there and made durable; only then are the
//! files that were there moved aside and the new ones moved in, the database last. Nothing is ever deleted, and a crash at
//! any moment leaves either what was there, aside or in place, or what was restored. A folder without its database beside
//! one that is unpacked is refused until the restore was run again.

use crate::failure::Failure;
use crate::folder::Folder;
use crate::{Setting, archive, print};
use archive::Manifest;
use heddle_fault as fault;
use heddle_store::Store;
use serde_json::json;
use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Settings belong to the machine: those that are there stay.
const SETTINGS: &str = "heddle.toml";

/// Restores and says what came of it.
pub async fn run(setting: &Setting, file: PathBuf, force: bool) -> Result<(), Failure> {
    if setting.settings.database_url.is_some() {
        return Err(Failure::new(
            "the database is a PostgreSQL database: pg_restore or psql brings back what pg_dump kept",
        ));
    }
    let folder = setting.folder.clone();
    // Looked at before anything is made.
    File::open(&file).map_err(|error| Failure::of(file.display(), error))?;
    folder.make()?;
    let _lock = folder.try_lock(false)?.map_err(|holder| folder.in_use(&holder))?;
    let there = present(&folder);
    if !there.is_empty() && !force {
        return Err(Failure::new(format!(
            "data folder {} holds {}; --force moves that aside",
            folder.path().display(),
            there.join(", ")
        )));
    }
    let restored = tokio::task::spawn_blocking(move || restore(&folder, &file)).await;
    let (manifest, aside) = restored.map_err(|error| Failure::of("restore", error))??;
    match (setting.json, aside) {
        (true, aside) => print::json(&json!({
            "folder": setting.folder.path(), "version": manifest.version, "made_at": manifest.made_at, "aside": aside,
        })),
        (false, None) => print::text(&format!("restored into {}", setting.folder.path().display())),
        (false, Some(aside)) => print::text(&format!(
            "restored into {}; what was there is in {}",
            setting.folder.path().display(),
            aside.display()
        )),
    }
}

/// What must not be mixed with a restored folder: a log without its database would be taken for the new one's.
fn present(folder: &Folder) -> Vec<&'static str> {
    let kept = Folder::KEPT.iter().copied().filter(|name| *name != SETTINGS);
    kept.chain(["heddle.db-wal", "heddle.db-shm"]).filter(|name| folder.file(name).symlink_metadata().is_ok()).collect()
}

fn restore(folder: &Folder, file: &Path) -> Result<(Manifest, Option<PathBuf>), Failure> {
    let nursery = folder.file(Folder::NURSERY);
    let unpacked = unpack(&nursery, file).and_then(|manifest| {
        fault::point!("restore.unpacked")?;
        Ok(manifest)
    });
    let manifest = unpacked.inspect_err(|_| clear(&nursery))?;
    // From here on what is unpacked stays where it is until all of it was moved in: it says that the folder is not whole.
    let failed = |error: io::Error| Failure::of(folder.path().display(), error);
    let aside = move_aside(folder).map_err(failed)?;
    move_in(folder, &nursery, &manifest).map_err(failed)?;
    clear(&nursery);
    fault::point!("restore.done")?;
    Ok((manifest, aside))
}

/// Removes what was unpacked, or what is left of it.
fn clear(nursery: &Path) {
    if let Err(error) = std::fs::remove_dir_all(nursery)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "{} is left over: {error}", nursery.display());
    }
}

/// Unpacks and verifies; everything is on disk afterwards.
fn unpack(nursery: &Path, file: &Path) -> Result<Manifest, Failure> {
    let failed = |error: io::Error| Failure::of(file.display(), error);
    match std::fs::remove_dir_all(nursery) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Failure::of(nursery.display(), error)),
        _ => {}
    }
    DirBuilder::new().mode(0o700).create(nursery).map_err(|error| Failure::of(nursery.display(), error))?;
    let manifest = archive::read(file, |_, content| {
        let file = archive::create(&nursery.join(&content.name))?;
        Ok(Box::new(Durable(file)))
    })
    .map_err(failed)?;
    let database = nursery.join(Folder::DATABASE);
    if !database.exists() {
        return Err(Failure::of(file.display(), "it holds no database"));
    }
    Store::verify(&database).map_err(|error| Failure::of(file.display(), error))?;
    archive::sync_folder(nursery).map_err(failed)?;
    Ok(manifest)
}

/// A file that is on disk when it was flushed.
struct Durable(File);

impl Write for Durable {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

/// Moves what is there into a folder of its own beside it.
fn move_aside(folder: &Folder) -> io::Result<Option<PathBuf>> {
    let there = present(folder);
    if there.is_empty() {
        return Ok(None);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let aside = (0..)
        .map(|turn| match turn {
            0 => format!("before-restore-{now}"),
            _ => format!("before-restore-{now}-{turn}"),
        })
        .map(|name| folder.file(&name))
        .find(|path| path.symlink_metadata().is_err())
        .unwrap_or_default();
    DirBuilder::new().mode(0o700).create(&aside)?;
    for name in there {
        std::fs::rename(folder.file(name), aside.join(name))?;
        fault::point!("restore.aside").map_err(io::Error::other)?;
    }
    archive::sync_folder(&aside)?;
    archive::sync_folder(folder.path())?;
    Ok(Some(aside))
}

/// Moves the new files in, the database last.
fn move_in(folder: &Folder, nursery: &Path, manifest: &Manifest) -> io::Result<()> {
    let names = manifest.files.iter().map(|content| content.name.as_str());
    let (database, others): (Vec<_>, Vec<_>) = names.partition(|name| *name == Folder::DATABASE);
    for name in others {
        if name == SETTINGS && folder.file(name).exists() {
            tracing::info!("the settings file that is there stays");
            continue;
        }
        std::fs::rename(nursery.join(name), folder.file(name))?;
    }
    archive::sync_folder(folder.path())?;
    fault::point!("restore.database").map_err(io::Error::other)?;
    for name in database {
        std::fs::rename(nursery.join(name), folder.file(name))?;
    }
    archive::sync_folder(folder.path())
}
