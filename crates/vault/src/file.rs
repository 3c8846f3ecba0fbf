//! The key file: keys in base64, one a line, oldest first, readable by its owner only.
//!
//! A new file is written beside its place and linked there, so a crash leaves either no file or a whole one, and of two
//! processes that start at once one makes the key and the other reads it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use heddle_fault as fault;
use zeroize::Zeroizing;

use crate::{Error, Key, KeyId, Vault};

/// More than a thousand keys: anything longer is not a key file.
const LONGEST: u64 = 64 * 1024;

/// The vault of an existing key file. A missing file is an error: making a new key where secrets are already sealed would
/// lose them quietly.
pub fn load(path: &Path) -> Result<Vault, Error> {
    Vault::new(read(path)?)
}

/// Makes a key file with one new key. An existing file is left alone and is an error.
pub fn create(path: &Path) -> Result<Vault, Error> {
    let key = Key::random()?;
    let beside = write_beside(path, std::slice::from_ref(&key)).map_err(at(path))?;
    place(&beside.0, path).map_err(at(path))?;
    Vault::new(vec![key])
}

fn place(beside: &Path, path: &Path) -> io::Result<()> {
    fault::point!("vault.key.written").map_err(io::Error::other)?;
    fs::hard_link(beside, path)?;
    fault::point!("vault.key.linked").map_err(io::Error::other)?;
    sync_folder(path)
}

/// Loads the key file, or makes it when there is none: what a first start does.
pub fn load_or_create(path: &Path) -> Result<Vault, Error> {
    match load(path) {
        Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => match create(path) {
            Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => load(path),
            made => made,
        },
        Ok(vault) => {
            // Whoever made it may have been cut off before its name was on disk.
            sync_folder(path).map_err(at(path))?;
            Ok(vault)
        }
        refused => refused,
    }
}

/// Adds a new key, which seals from the next load on; the older ones stay to open what they sealed.
pub fn rotate(path: &Path) -> Result<KeyId, Error> {
    let mut keys = read(path)?;
    let key = Key::random()?;
    let id = key.id();
    keys.push(key);
    let beside = write_beside(path, &keys).map_err(at(path))?;
    fs::rename(&beside.0, path).and_then(|()| sync_folder(path)).map_err(at(path))?;
    Ok(id)
}

/// Forgets every key but the newest, which has to be this one: when nothing is sealed with the others any more. Where
/// another one is the newest by now, nothing is forgotten.
pub fn retire(path: &Path, newest: KeyId) -> Result<(), Error> {
    let keys = read(path)?;
    let Some(key) = keys.last().filter(|key| key.id() == newest && keys.len() > 1) else { return Ok(()) };
    let beside = write_beside(path, std::slice::from_ref(key)).map_err(at(path))?;
    fs::rename(&beside.0, path).and_then(|()| sync_folder(path)).map_err(at(path))
}

fn read(path: &Path) -> Result<Vec<Key>, Error> {
    let file = File::open(path).map_err(at(path))?;
    let facts = file.metadata().map_err(at(path))?;
    check_mode(path, &facts)?;
    if facts.len() > LONGEST {
        return Err(at(path)(io::Error::from(io::ErrorKind::FileTooLarge)));
    }
    let text = Zeroizing::new(io::read_to_string(file).map_err(at(path))?);
    Key::parse(&text)
}

#[cfg(unix)]
fn check_mode(path: &Path, facts: &fs::Metadata) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = facts.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(Error::Mode { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &fs::Metadata) -> Result<(), Error> {
    Ok(())
}

/// Removes the file when dropped; after a rename there is nothing left to remove.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Best effort: a left-over is as private as the key file itself.
        let _ = fs::remove_file(&self.0);
    }
}

fn write_beside(path: &Path, keys: &[Key]) -> io::Result<Temporary> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|_| io::Error::other("the system gives no random bytes"))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}.new", u64::from_be_bytes(random)));

    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let beside = path.with_file_name(name);
    let mut file = options.open(&beside)?;
    let beside = Temporary(beside);
    for key in keys {
        file.write_all(key.text().as_bytes())?;
        file.write_all(b"\n")?;
    }
    file.sync_all()?;
    Ok(beside)
}

/// Without this a power cut may forget the new name while the secrets sealed since are on disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

fn at(path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;

    const HERE: Place<'_> = Place { table: "credential", row: "7" };

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_first_start_makes_the_key_and_the_next_one_reads_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("master.key");
        let first = load_or_create(&path).expect("made");
        let second = load_or_create(&path).expect("read");
        assert_eq!(first.newest(), second.newest());
        let sealed = first.seal(HERE, b"hunter2").expect("sealed");
        assert_eq!(second.open(HERE, &sealed).expect("opened").expose(), b"hunter2");
        assert_eq!(names(folder.path()), ["master.key"]);
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners_only_and_a_wider_one_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("master.key");
        create(&path).expect("made");
        rotate(&path).expect("rotated");
        assert_eq!(fs::metadata(&path).expect("facts").permissions().mode() & 0o7777, 0o600);
        for (mode, good) in [(0o400, true), (0o600, true), (0o640, false), (0o604, false), (0o660, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("mode set");
            assert_eq!(load(&path).is_ok(), good, "{mode:o}");
        }
        let message = load(&path).expect_err("readable by others").to_string();
        assert!(message.ends_with("has mode 0660, others may read it; set it to 0600"), "{message}");
    }

    #[test]
    fn creating_never_replaces_a_key_and_loading_never_makes_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("master.key");
        assert!(matches!(load(&path), Err(Error::File { .. })));
        let first = create(&path).expect("made");
        assert!(matches!(create(&path), Err(Error::File { .. })));
        assert_eq!(load(&path).expect("read").newest(), first.newest());
        assert_eq!(names(folder.path()), ["master.key"]);
    }

    #[test]
    fn rotation_adds_a_key_and_keeps_the_old_ones() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("master.key");
        let before = create(&path).expect("made");
        let sealed = before.seal(HERE, b"hunter2").expect("sealed");
        let id = rotate(&path).expect("rotated");
        let after = load(&path).expect("read");
        assert_eq!(after.newest(), id);
        assert_ne!(after.newest(), before.newest());
        assert_eq!(after.open(HERE, &sealed).expect("opened").expose(), b"hunter2");
        assert_eq!(names(folder.path()), ["master.key"]);
    }

    #[test]
    fn old_keys_are_forgotten_when_the_newest_is_the_one_that_was_meant() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("master.key");
        let first = create(&path).expect("made").newest();
        let second = rotate(&path).expect("rotated");
        retire(&path, first).expect("left alone");
        assert!(load(&path).expect("read").has_older());
        retire(&path, second).expect("retired");
        retire(&path, second).expect("nothing to do");
        let left = load(&path).expect("read");
        assert_eq!((left.newest(), left.has_older()), (second, false));
        assert_eq!(names(folder.path()), ["master.key"]);
    }

    #[test]
    fn starting_at_once_ends_with_one_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("master.key");
        let ids: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> =
                (0..8).map(|_| scope.spawn(|| load_or_create(&path).expect("a vault").newest())).collect();
            starts.into_iter().map(|start| start.join().expect("no panic")).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }

    #[test]
    fn a_file_that_is_not_a_key_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("master.key");
        drop(write_beside(&path, &[]).and_then(|beside| fs::rename(&beside.0, &path)));
        assert!(matches!(load(&path), Err(Error::NoKey)));
        fs::write(&path, "hello").expect("written");
        let error = load(&path).expect_err("no key").to_string();
        assert_eq!(error, "key 1 is not 32 bytes in base64");
        fs::write(&path, vec![b'A'; 70_000]).expect("written");
        assert!(matches!(load(&path), Err(Error::File { .. })));
    }
}
