//! What the guides tell people to type, run as it stands there against a server that runs: each guide's pieces in one shell, in order.

use crate::support::{Heddle, Server, root, skip};
use std::process::{Command, Stdio};

/// The shell text of a document: its `sh` blocks. Others are shown, not run.
fn script(document: &str) -> (usize, String) {
    let text = std::fs::read_to_string(root().join("docs").join(document)).unwrap();
    let blocks: Vec<_> =
        text.split("\n```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("sh\n")).collect();
    (blocks.len(), blocks.join("\n"))
}

/// Runs a guide; what it prints must hold these texts, in this order.
fn follow(document: &str, blocks: usize, expected: &[&str]) {
    let missing = ["curl", "sed"].into_iter().find(|program| {
        let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        !found.is_ok_and(|status| status.success())
    });
    if let Some(missing) = missing {
        return skip(1, missing);
    }
    let heddle = Heddle::on_file();
    let server = Server::start(&heddle);
    let (found, script) = script(document);
    assert_eq!(found, blocks, "{document} has other pieces than these");
    let folder = heddle.beside("reader");
    std::fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink(root().join("examples"), folder.join("examples")).unwrap();
    let program = heddle.binary().get_program().to_owned();
    let beside = std::path::Path::new(&program).parent().unwrap().display().to_string();
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new("sh");
    command.args(["-euc", &script]).current_dir(&folder).env("PATH", format!("{beside}:{path}"));
    command.env("HEDDLE", &server.address).env("API_KEY", heddle.key()).env("HEDDLE_DATA", heddle.data());
    command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
    let done = command.output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    let complaints = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{document}: {}\n{said}\n{complaints}", done.status);
    let mut rest = said.as_str();
    for text in expected {
        let at = rest
            .find(text)
            .unwrap_or_else(|| panic!("{document}: {text:?} is not, or not there, in\n{said}\n{complaints}"));
        rest = &rest[at + text.len()..];
    }
}

#[test]
fn the_quick_start_is_quick_and_right() {
    let expected =
        ["operator@localhost", "\"status\":\"COMPLETED\"", "event: run", "\"status\":\"COMPLETED\"", "\"nodes\":["];
    follow("quick-start.md", 3, &expected);
}

#[test]
fn the_guide_to_the_api_does_what_it_says() {
    let expected = [
        "\"output\":[{\"echo\":\"hi\"}]",
        "2 {\"id\":\"",
        "Field required",
        "\"pagination\":{",
        "304 0 bytes",
        "{\"output\":[\"Hello Ada\"]}",
        "\"title\":\"Team key\"",
        "\"provider\":\"openai\"",
        "\"agents\":[",
        "\"type\":\"no_results\"",
        "\"type\":\"error\"",
    ];
    follow("api.md", 9, &expected);
}

#[test]
fn the_guide_for_movers_brings_agents_over() {
    follow("moving.md", 2, &["parcel-desk", "log-digest", "\"input_schema\":{"]);
}

#[test]
fn the_operators_guide_backs_up_and_looks_after() {
    follow("operating.md", 3, &["\"status\":\"ok\""]);
}

/// Every relative link of the documentation leads to a file of the project.
#[test]
fn links_of_the_documentation_lead_somewhere() {
    let folders = [root(), root().join("docs")];
    let mut broken = Vec::new();
    for folder in folders {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "md") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for rest in text.split("](").skip(1) {
                let target = rest.split([')', '#']).next().unwrap();
                let is_ours = !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:");
                if is_ours && !folder.join(target).exists() {
                    broken.push(format!("{}: {target}", path.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
