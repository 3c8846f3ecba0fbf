//! The list of failpoints and the source say the same.

#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use heddle_fault::POINTS;
use std::path::Path;

fn marks(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            marks(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for call in ["fault::point!(\"", "fault::pass!(\""] {
                found.extend(text.split(call).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
            }
        }
    }
}

#[test]
fn every_listed_failpoint_is_in_the_source_once_and_every_one_in_the_source_is_listed() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    for room in std::fs::read_dir(crates).unwrap() {
        let room = room.unwrap().path();
        if !room.ends_with("fault") && room.join("src").is_dir() {
            marks(&room.join("src"), &mut found);
        }
    }
    found.sort();
    let mut listed: Vec<_> = POINTS.iter().map(|point| point.name.to_owned()).collect();
    listed.sort();
    assert_eq!(found, listed);
}
