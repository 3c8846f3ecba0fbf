//! The file of a backup: a tar, compressed by zstd, of the files that make a data folder whole.
//!
//! The first entry, `heddle-backup.json`, says the format, the release that made it, and name and size of every other
//! entry in order. zstd's checksum covers all of it. Written and read as a stream, so the size of a database does not
//! matter; read by name, so nothing else can get into a folder. `tar --zstd -tvf FILE` lists it.

use crate::folder::Folder;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What this build writes, and the newest it can read.
const FORMAT: u32 = 1;

const MANIFEST: &str = "heddle-backup.json";

/// A manifest is a few lines.
const MANIFEST_BYTES: u64 = 1 << 20;

/// The fastest levels still find most: bodies in the database are compressed already.
const LEVEL: i32 = 1;

/// What a file of ours says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format of the file.
    pub format: u32,
    /// The release that made it.
    pub version: String,
    /// When, in seconds since 1970.
    pub made_at: u64,
    /// What is in it, in order.
    pub files: Vec<Content>,
}

/// One file in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Its name in the data folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// Writes an archive of files, each with its name in the data folder, and reads it again from the disk.
pub fn write(to: &File, at: &Path, files: &[(&str, PathBuf)]) -> io::Result<Manifest> {
    let mut opened = Vec::new();
    for (name, path) in files {
        let file = File::open(path).map_err(|error| named(path, error))?;
        let bytes = file.metadata()?.len();
        opened.push((Content { name: (*name).to_owned(), bytes }, file));
    }
    let made_at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        made_at,
        files: opened.iter().map(|(content, _)| content.clone()).collect(),
    };
    let mut packer = zstd::Encoder::new(to, LEVEL)?;
    packer.include_checksum(true)?;
    let mut tar = tar::Builder::new(packer);
    let text = serde_json::to_vec_pretty(&manifest)?;
    tar.append_data(&mut header(text.len() as u64, made_at), MANIFEST, text.as_slice())?;
    for (content, file) in opened {
        // A file that grows meanwhile is kept as it was when it was opened, and one that shrinks is noticed below.
        let header = &mut header(content.bytes, made_at);
        tar.append_data(header, &content.name, file.take(content.bytes))?;
    }
    tar.into_inner()?.finish()?.sync_all()?;
    let found = read(at, |_, _| Ok(Box::new(io::sink())))?;
    match found == manifest {
        true => Ok(manifest),
        false => Err(io::Error::other("what is on the disk is not what was written")),
    }
}

/// Reads an archive to its end and puts each file where `place` says.
pub fn read(
    from: &Path,
    mut place: impl FnMut(&Manifest, &Content) -> io::Result<Box<dyn Write>>,
) -> io::Result<Manifest> {
    let file = File::open(from)?;
    let mut tar = tar::Archive::new(zstd::Decoder::with_buffer(BufReader::new(file))?);
    let mut entries = tar.entries()?;
    let manifest = match entries.next() {
        Some(Ok(entry)) if entry.path_bytes().as_ref() == MANIFEST.as_bytes() => manifest(entry)?,
        _ => return Err(io::Error::other("it is not a backup of Heddle's")),
    };
    for content in &manifest.files {
        let cut = || io::Error::other(format!("it breaks off before {}", content.name));
        let mut entry = entries.next().ok_or_else(cut)??;
        if entry.path_bytes().as_ref() != content.name.as_bytes() || entry.size() != content.bytes {
            return Err(io::Error::other(format!("it does not hold {} as it says", content.name)));
        }
        let mut target = place(&manifest, content)?;
        let copied = io::copy(&mut entry, &mut target)?;
        target.flush()?;
        if copied != content.bytes {
            return Err(cut());
        }
    }
    if entries.next().is_some() {
        return Err(io::Error::other("it holds more than it says"));
    }
    // To the end, where the checksum is.
    io::copy(&mut tar.into_inner(), &mut io::sink())?;
    Ok(manifest)
}

fn manifest(entry: impl Read) -> io::Result<Manifest> {
    let mut text = Vec::new();
    entry.take(MANIFEST_BYTES).read_to_end(&mut text)?;
    /// What can be told of every format.
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let head: Head = serde_json::from_slice(&text)?;
    if head.format > FORMAT {
        return Err(io::Error::other(format!(
            "it is of format {}, this release reads up to {FORMAT}: use a newer release",
            head.format
        )));
    }
    let manifest: Manifest = serde_json::from_slice(&text)?;
    let known = |content: &Content| Folder::KEPT.contains(&content.name.as_str());
    match manifest.files.iter().find(|content| !known(content)) {
        Some(content) => Err(io::Error::other(format!("it holds {:?}, which is nothing of Heddle's", content.name))),
        None => Ok(manifest),
    }
}

fn header(bytes: u64, made_at: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_mtime(made_at);
    header
}

/// A new file for its owner only.
pub fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|error| named(path, error))
}

/// Makes what was renamed or made in a folder stay so.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(folder: &Path) -> PathBuf {
        std::fs::write(folder.join("heddle.db"), vec![7; 300_000]).unwrap();
        std::fs::write(folder.join("master.key"), "key").unwrap();
        let at = folder.join("archive");
        let files = [("heddle.db", folder.join("heddle.db")), ("master.key", folder.join("master.key"))];
        let manifest = write(&create(&at).unwrap(), &at, &files).unwrap();
        assert_eq!(manifest.files.len(), 2);
        at
    }

    /// Reads all of it: what is in it, and every file unpacked.
    fn whole(at: &Path) -> io::Result<(Manifest, Vec<Vec<u8>>)> {
        let folder = at.parent().unwrap();
        let manifest = read(at, |_, content| {
            let path = folder.join(format!("{}.out", content.name));
            Ok(Box::new(OpenOptions::new().write(true).create(true).truncate(true).open(path)?))
        })?;
        let files = manifest.files.iter().map(|content| std::fs::read(folder.join(format!("{}.out", content.name))));
        let files = files.collect::<io::Result<_>>()?;
        Ok((manifest, files))
    }

    #[test]
    fn no_cut_and_no_changed_byte_goes_unnoticed() {
        let folder = tempfile::tempdir().unwrap();
        let at = make(folder.path());
        let good = whole(&at).unwrap();
        let bytes = std::fs::read(&at).unwrap();
        for length in 0..bytes.len() {
            std::fs::write(&at, &bytes[..length]).unwrap();
            assert!(whole(&at).is_err(), "cut at {length} of {}", bytes.len());
        }
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 0x10;
            std::fs::write(&at, changed).unwrap();
            // Some bits mean nothing; then nothing else comes out.
            if let Ok(found) = whole(&at) {
                assert!(found == good, "changed at {index}");
            }
        }
    }

    #[test]
    fn a_newer_format_and_foreign_names_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (manifest, text) in [
            (serde_json::json!({"format": 2, "files": {}}), "use a newer release"),
            (
                serde_json::json!({"format": 1, "version": "1", "made_at": 1, "files": [{"name": "../x", "bytes": 0}]}),
                "nothing of Heddle's",
            ),
        ] {
            let manifest = serde_json::to_vec(&manifest).unwrap();
            let mut tar = tar::Builder::new(Vec::new());
            tar.append_data(&mut header(manifest.len() as u64, 0), MANIFEST, manifest.as_slice()).unwrap();
            let at = folder.path().join("archive");
            std::fs::write(&at, zstd::encode_all(tar.into_inner().unwrap().as_slice(), 1).unwrap()).unwrap();
            let error = whole(&at).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
