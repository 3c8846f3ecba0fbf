//! The vault's key file is there as a whole or not at all, whatever strikes while it is made.

use std::path::Path;
use std::process::{Command, Output};

const FILE: &str = "HEDDLE_TEST_KEY_FILE";

/// What the other test runs in a process of its own.
#[test]
#[ignore = "run by the test beside it"]
fn makes_a_key_file() {
    let path = std::env::var_os(FILE).expect("the other test says where");
    if let Err(error) = heddle_vault::load_or_create(Path::new(&path)) {
        panic!("refused: {error}");
    }
}

fn make(path: &Path, plan: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "key_file::makes_a_key_file", "--ignored", "--nocapture"]).env(FILE, path);
    command.env("HEDDLE_FAILPOINTS", plan).env("HEDDLE_FAILPOINTS_HITS", path.with_file_name("hits")).output().unwrap()
}

#[test]
fn a_key_file_is_made_whole_or_not_at_all() {
    for point in ["vault.key.written", "vault.key.linked"] {
        for action in ["kill", "error", "panic", "delay"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("master.key");
            let number = if action == "delay" { "(5)" } else { "" };
            let struck = make(&path, &format!("{point}={action}{number}"));
            assert_eq!(struck.status.success(), action == "delay", "{point} {action}: {struck:?}");
            let hits = std::fs::read_to_string(folder.path().join("hits")).unwrap();
            assert!(hits.contains(&format!("{point} {action}\n")), "{hits}");
            let before = std::fs::read(&path).ok();
            assert_eq!(before.is_some(), point == "vault.key.linked" || action == "delay", "{point} {action}");
            assert!(make(&path, "").status.success(), "{point} {action}");
            let after = std::fs::read(&path).unwrap();
            assert!(before.is_none_or(|before| before == after), "{point} {action}: another key");
        }
    }
}
