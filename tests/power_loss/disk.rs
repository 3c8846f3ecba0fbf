//! A disk as a power cut finds it: what was synced is there; of the rest anything, everything or nothing.
//!
//! Played from a record of what was written. Stricter than most file systems: a file's name lives in its folder and is
//! only there for certain once that was synced, however often the file itself was.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// What happened to the files, one after the other.
#[derive(Debug)]
pub enum Record {
    /// A new file: inode and path.
    Create(u64, String),
    /// Bytes at a place of a file.
    Write(u64, u64, Vec<u8>),
    /// A file's new length.
    Truncate(u64, u64),
    /// A file or folder was synced.
    Sync(u64),
    /// A new folder: inode and path.
    MakeFolder(u64, String),
    /// A new name in place of another.
    Rename(String, String),
    /// A new name beside another.
    Link(String, String),
    /// A name is gone.
    Remove(String),
}

/// What becomes of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All of it is gone.
    All,
    /// All of it is there, as after a mere crash.
    Nothing,
    /// Any part of it is there: files as they were up to some moment, single sectors or single pages of their writes,
    /// some of the names.
    Some(u64),
}

/// Throws that a number repeats (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

type Id = usize;

enum Change {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

/// Names that change together, and what they stand for then.
type Renaming = Vec<(String, Option<Id>)>;

enum Node {
    File { durable: Vec<u8>, pending: Vec<Change> },
    Folder { durable: BTreeMap<String, Id>, pending: Vec<Renaming>, current: BTreeMap<String, Id> },
}

impl Node {
    fn folder() -> Self {
        Self::Folder { durable: BTreeMap::new(), pending: Vec::new(), current: BTreeMap::new() }
    }
}

/// The disk below one folder, which is there for certain.
pub struct Disk {
    root: String,
    nodes: Vec<Node>,
    /// Inodes are used again; this is what they stand for now.
    inodes: HashMap<u64, Id>,
    /// Files of this name's ending are never synced: to see that it would be noticed.
    forgetful: Option<&'static str>,
}

const ROOT: Id = 0;

impl Disk {
    /// An empty folder of this path and inode.
    pub fn new(root: &str, inode: u64) -> Self {
        let nodes = vec![Node::folder()];
        Self { root: root.to_owned(), nodes, inodes: HashMap::from([(inode, ROOT)]), forgetful: None }
    }

    /// The same, lying about files whose names end so: it never syncs them.
    pub fn forgetful(mut self, ending: &'static str) -> Self {
        self.forgetful = Some(ending);
        self
    }

    /// What happened next.
    pub fn play(&mut self, record: &Record) {
        match record {
            Record::Create(inode, path) => {
                self.add(*inode, path, Node::File { durable: Vec::new(), pending: Vec::new() })
            }
            Record::MakeFolder(inode, path) => self.add(*inode, path, Node::folder()),
            Record::Write(inode, at, bytes) => self.change(*inode, Change::Write(*at, bytes.clone())),
            Record::Truncate(inode, length) => self.change(*inode, Change::Truncate(*length)),
            Record::Sync(inode) => self.sync(self.inodes[inode]),
            Record::Rename(from, to) => {
                // Sockets are not recorded; they are nothing after a power cut.
                let Some(id) = self.find(from) else { return };
                let ((from_folder, from), (to_folder, to)) = (self.place(from), self.place(to));
                assert_eq!(from_folder, to_folder, "a file moved between folders: learn to tear that apart");
                self.rename(from_folder, vec![(from, None), (to, Some(id))]);
            }
            Record::Link(from, to) => {
                let (id, (folder, name)) = (self.find(from).expect("a recorded file"), self.place(to));
                self.rename(folder, vec![(name, Some(id))]);
            }
            Record::Remove(path) => {
                let (folder, name) = self.place(path);
                self.rename(folder, vec![(name, None)]);
            }
        }
    }

    fn add(&mut self, inode: u64, path: &str, node: Node) {
        let (folder, name) = self.place(path);
        let id = self.nodes.len();
        self.nodes.push(node);
        self.inodes.insert(inode, id);
        self.rename(folder, vec![(name, Some(id))]);
    }

    fn change(&mut self, inode: u64, change: Change) {
        match &mut self.nodes[self.inodes[&inode]] {
            Node::File { pending, .. } => pending.push(change),
            Node::Folder { .. } => panic!("a folder was written to"),
        }
    }

    fn rename(&mut self, folder: Id, renaming: Renaming) {
        let Node::Folder { pending, current, .. } = &mut self.nodes[folder] else { panic!("a file with names in it") };
        apply_names(current, &renaming);
        pending.push(renaming);
    }

    fn sync(&mut self, id: Id) {
        if let Some(ending) = self.forgetful
            && self.name_of(id).is_some_and(|name| name.ends_with(ending))
        {
            return;
        }
        match &mut self.nodes[id] {
            Node::File { durable, pending } => pending.drain(..).for_each(|change| apply(durable, &change)),
            Node::Folder { durable, pending, .. } => {
                pending.drain(..).for_each(|renaming| apply_names(durable, &renaming));
            }
        }
    }

    fn name_of(&self, id: Id) -> Option<&str> {
        self.nodes.iter().find_map(|node| match node {
            Node::Folder { current, .. } => {
                current.iter().find(|(_, there)| **there == id).map(|(name, _)| name.as_str())
            }
            Node::File { .. } => None,
        })
    }

    /// The folder of a path and the name in it.
    fn place(&self, path: &str) -> (Id, String) {
        let (folder, name) = path.rsplit_once('/').expect("an absolute path");
        (self.find(folder).unwrap_or_else(|| panic!("{folder} was never made")), name.to_owned())
    }

    fn find(&self, path: &str) -> Option<Id> {
        let below = path.strip_prefix(&self.root)?;
        below.split('/').filter(|name| !name.is_empty()).try_fold(ROOT, |folder, name| match &self.nodes[folder] {
            Node::Folder { current, .. } => current.get(name).copied(),
            Node::File { .. } => None,
        })
    }

    /// Writes what is left into an existing folder.
    pub fn leave(&self, at: &Path, loss: Loss) {
        let mut dice = Dice(if let Loss::Some(seed) = loss { seed } else { 0 });
        self.leave_folder(ROOT, at, loss, &mut dice);
    }

    fn leave_folder(&self, id: Id, at: &Path, loss: Loss, dice: &mut Dice) {
        let Node::Folder { durable, pending, .. } = &self.nodes[id] else { panic!("a file with names in it") };
        let mut names = durable.clone();
        let until = dice.below(pending.len() as u64 + 1) as usize;
        let in_order = dice.below(2) == 0;
        for (number, renaming) in pending.iter().enumerate() {
            let stays = match loss {
                Loss::All => false,
                Loss::Nothing => true,
                Loss::Some(_) if in_order => number < until,
                Loss::Some(_) => dice.below(2) == 0,
            };
            if stays {
                apply_names(&mut names, renaming);
            }
        }
        for (name, id) in names {
            let path = at.join(name);
            match &self.nodes[id] {
                Node::Folder { .. } => {
                    std::fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
                    self.leave_folder(id, &path, loss, dice);
                }
                Node::File { durable, pending } => {
                    let bytes = left(durable, pending, loss, dice);
                    let mut options = std::fs::OpenOptions::new();
                    let file = options.write(true).create_new(true).mode(0o600).open(&path);
                    std::io::Write::write_all(&mut file.unwrap(), &bytes).unwrap();
                }
            }
        }
    }
}

fn apply_names(names: &mut BTreeMap<String, Id>, renaming: &Renaming) {
    for (name, id) in renaming {
        match id {
            Some(id) => names.insert(name.clone(), *id),
            None => names.remove(name),
        };
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Truncate(length) => bytes.resize(*length as usize, 0),
        Change::Write(at, new) => put(bytes, *at as usize, new),
    }
}

fn put(bytes: &mut Vec<u8>, at: usize, new: &[u8]) {
    if bytes.len() < at + new.len() {
        bytes.resize(at + new.len(), 0);
    }
    bytes[at..at + new.len()].copy_from_slice(new);
}

/// What is left of a file.
fn left(durable: &[u8], pending: &[Change], loss: Loss, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = durable.to_vec();
    // Some file systems write in order, some in sectors, some in pages; and a file may be lucky either way.
    let manner = match loss {
        Loss::All => 0,
        Loss::Nothing => 1,
        Loss::Some(_) => dice.below(5),
    };
    let until = dice.below(pending.len() as u64 + 1) as usize;
    for (number, change) in pending.iter().enumerate() {
        match (manner, change) {
            (0, _) => {}
            (1, _) => apply(&mut bytes, change),
            (2, _) if number < until => apply(&mut bytes, change),
            // The write that the cut fell into.
            (2, Change::Write(at, new)) if number == until => {
                put(&mut bytes, *at as usize, &new[..dice.below(new.len() as u64 + 1) as usize]);
            }
            (2, _) => {}
            (manner, Change::Write(at, new)) => {
                let size = if manner == 3 { 512 } else { 4096 };
                // Blocks lie on the disk, not in the write.
                let mut from = 0;
                while from < new.len() {
                    let at = *at as usize + from;
                    let length = (size - at % size).min(new.len() - from);
                    if dice.below(2) == 0 {
                        put(&mut bytes, at, &new[from..from + length]);
                    }
                    from += length;
                }
            }
            (_, Change::Truncate(_)) if dice.below(2) == 0 => apply(&mut bytes, change),
            (_, Change::Truncate(_)) => {}
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(at: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(at).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn left_of(records: &[Record], loss: Loss) -> (tempfile::TempDir, Vec<String>) {
        let mut disk = Disk::new("/r", 1);
        records.iter().for_each(|record| disk.play(record));
        let folder = tempfile::tempdir().unwrap();
        disk.leave(folder.path(), loss);
        let names = names(folder.path());
        (folder, names)
    }

    #[test]
    fn what_was_not_synced_is_gone_and_so_is_a_name_whose_folder_was_not() {
        let records = |syncs: &[u64]| {
            let mut records = vec![Record::Create(2, "/r/a".to_owned()), Record::Write(2, 0, b"kept".to_vec())];
            records.extend(syncs.iter().map(|inode| Record::Sync(*inode)));
            records.push(Record::Write(2, 4, b"more".to_vec()));
            records
        };
        assert!(left_of(&records(&[2]), Loss::All).1.is_empty(), "its name was never synced");
        let (folder, names) = left_of(&records(&[1, 2]), Loss::All);
        assert_eq!(names, ["a"]);
        assert_eq!(std::fs::read(folder.path().join("a")).unwrap(), b"kept");
        let (folder, _) = left_of(&records(&[]), Loss::Nothing);
        assert_eq!(std::fs::read(folder.path().join("a")).unwrap(), b"keptmore");
        let sizes: Vec<_> = (0..64)
            .filter_map(|seed| std::fs::read(left_of(&records(&[1]), Loss::Some(seed)).0.path().join("a")).ok())
            .map(|bytes| bytes.len())
            .collect();
        assert!(sizes.contains(&0) && sizes.contains(&4) && sizes.contains(&8), "{sizes:?}");
    }

    #[test]
    fn a_new_name_replaces_the_old_one_at_once() {
        let (a, b) = ("/r/a".to_owned(), "/r/b".to_owned());
        let mut records = vec![Record::Create(2, a.clone()), Record::Sync(1), Record::Rename(a, b)];
        assert_eq!(left_of(&records, Loss::All).1, ["a"]);
        assert_eq!(left_of(&records, Loss::Nothing).1, ["b"]);
        for seed in 0..16 {
            assert_eq!(left_of(&records, Loss::Some(seed)).1.len(), 1);
        }
        records.push(Record::Sync(1));
        assert_eq!(left_of(&records, Loss::All).1, ["b"]);
    }
}
