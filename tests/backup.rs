//! `heddle backup` and `heddle restore`: one file from which a data folder can be made again.

use crate::support::{Heddle, Server, json_of, root};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

fn echo() -> Value {
    json!({
        "name": "Echo", "description": "Says it again.",
        "nodes": [
            {"id": "in", "block_id": "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b", "input_default": {"name": "text"}},
            {"id": "out", "block_id": "363ae599-353e-4804-937e-b2ee3cef3da4", "input_default": {"name": "said"}},
        ],
        "links": [{"source_id": "in", "source_name": "result", "sink_id": "out", "sink_name": "value"}],
    })
}

fn waiting(seconds: u32) -> Value {
    let timer =
        json!({"id": "t", "block_id": "d67a9c52-5e4e-11e2-bcfd-0800200c9a71", "input_default": {"seconds": seconds}});
    json!({"name": "Wait", "description": "Waits.", "nodes": [timer]})
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn what_was_acknowledged_before_a_backup_under_load_is_restored_and_the_rest_goes_on() {
    let heddle = Heddle::on_file();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let (graph, wait) = (client.save(&echo()), client.save(&waiting(2)));
    let (stop, acknowledged) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let file = heddle.beside("backup");
    let before = std::thread::scope(|scope| {
        for starter in 0..8 {
            let (client, graph, wait) = (client.clone(), &graph, &wait);
            let (stop, acknowledged) = (&stop, &acknowledged);
            scope.spawn(move || {
                for turn in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let said = format!("{starter} {turn}");
                    let run = client.start(graph, &json!({"text": said}));
                    acknowledged.lock().unwrap().push((run, Some(said)));
                    if turn % 5 == 0 {
                        let run = client.start(wait, &json!({}));
                        acknowledged.lock().unwrap().push((run, None));
                    }
                }
            });
        }
        while acknowledged.lock().unwrap().len() < 200 {
            std::thread::yield_now();
        }
        let before = acknowledged.lock().unwrap().clone();
        let made = heddle.json(&["backup", text(&file)]);
        stop.store(true, Ordering::Relaxed);
        assert_eq!(made["file"], text(&file));
        let files: Vec<_> = made["files"].as_array().unwrap().iter().map(|file| &file["name"]).collect();
        assert_eq!(files[..3], ["heddle.db", "master.key", "first-start.json"], "{made}");
        before
    });
    drop(server);

    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(names(heddle.beside("").as_path()), ["backup", "data"], "nothing of the work is left");
    let other = Heddle::on_file();
    let restored = other.run(&["restore", text(&file)]);
    assert_eq!(restored.code, 0, "{restored:?}");
    assert_eq!(names(&other.data()), ["first-start.json", "heddle.db", "heddle.lock", "master.key"]);
    let server = Server::start(&other);
    let client = server.client(&other);
    for (run, said) in before {
        match said {
            Some(said) => {
                let results = client.results_at_end(&graph, &run);
                assert_eq!(results["output"], json!([{"said": said}]), "{results}");
            }
            None => assert_eq!(client.results_at_end(&wait, &run)["status"], "COMPLETED"),
        }
    }
}

#[test]
fn a_backup_of_a_stopped_server_brings_everything_back() {
    let heddle = Heddle::on_file();
    let server = Server::start_with(&heddle, &["--set", "server.workers=1"]);
    let client = server.client(&heddle);
    let graph = client.save(&json_of(&root().join("examples/shopping-list.json")));
    let run = client.start(&graph, &json!({"items": ["tea"]}));
    let results = client.results_at_end(&graph, &run);
    // Whatever the crash left in the log belongs to the backup.
    server.kill();
    let key = std::fs::read(heddle.data().join("master.key")).unwrap();
    std::fs::write(heddle.data().join("heddle.toml"), "[log]\nlevel = \"warn\"\n").unwrap();
    let file = heddle.beside("backup");
    let made = heddle.run(&["backup", text(&file)]);
    assert_eq!((made.code, made.stdout.trim()), (0, text(&file)), "{made:?}");

    let other = Heddle::on_file();
    assert_eq!(other.run(&["restore", text(&file)]).code, 0);
    assert_eq!(std::fs::read(other.data().join("master.key")).unwrap(), key);
    assert_eq!(std::fs::read_to_string(other.data().join("heddle.toml")).unwrap(), "[log]\nlevel = \"warn\"\n");
    for name in names(&other.data()) {
        let mode = std::fs::metadata(other.data().join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let server = Server::start(&other);
    assert_eq!(server.client(&other).results(&graph, &run), results);
}

#[test]
fn a_backup_replaces_nothing_and_needs_a_folder_to_be_in() {
    let heddle = Heddle::on_file();
    let backup = |name: &str| heddle.run(&["backup", text(&heddle.beside(name))]);
    backup("early").refused("no database to back up");
    assert_eq!(heddle.run(&["user", "list"]).code, 0);
    std::fs::write(heddle.beside("taken"), "precious").unwrap();
    backup("taken").refused("exists");
    backup("missing/backup").refused("does not exist");
    // What a killed backup left is no hindrance.
    std::fs::write(heddle.beside("again.part"), "half").unwrap();
    std::fs::write(heddle.beside("again.part.db"), "half").unwrap();
    assert_eq!(backup("again").code, 0);
    backup("again").refused("exists");
    assert_eq!(std::fs::read(heddle.beside("taken")).unwrap(), b"precious");
    assert_eq!(names(heddle.beside("").as_path()), ["again", "data", "taken"]);
}

#[test]
fn a_folder_in_use_is_not_restored_into_and_one_with_a_database_only_when_forced() {
    let heddle = Heddle::on_file();
    let server = Server::start(&heddle);
    let file = heddle.beside("backup");
    assert_eq!(heddle.run(&["backup", text(&file)]).code, 0);
    let late = ["user", "create", "--email", "late@example.org"];
    assert_eq!(heddle.run(&late).code, 0);
    let restore = ["restore", text(&file)];
    heddle.run(&restore).refused(&format!("pid {}", server.pid()));
    heddle.run(&[&restore[..], &["--force"]].concat()).refused("in use");
    drop(server);
    heddle.run(&restore).refused("--force");

    let restored = heddle.json(&[&restore[..], &["--force"]].concat());
    let emails = |data: &Heddle| data.json(&["user", "list"]).as_array().unwrap().len();
    assert_eq!(emails(&heddle), 1, "only those of the backup");
    let aside = Path::new(restored["aside"].as_str().unwrap()).to_owned();
    assert!(names(&aside).contains(&"heddle.db".to_owned()), "{:?}", names(&aside));
    // What was moved aside is whole: put back, it is what it was.
    let old = Heddle::on_file();
    std::fs::rename(&aside, old.data()).unwrap();
    assert_eq!(emails(&old), 2);
}

#[test]
fn what_is_no_whole_backup_changes_nothing() {
    let heddle = Heddle::on_file();
    assert_eq!(heddle.run(&["user", "create", "--email", "ada@example.org"]).code, 0);
    let file = heddle.beside("backup");
    assert_eq!(heddle.run(&["backup", text(&file)]).code, 0);
    let whole = std::fs::read(&file).unwrap();
    let before = (names(&heddle.data()), std::fs::read(heddle.data().join("heddle.db")).unwrap());
    let mut turned = whole.clone();
    turned[whole.len() / 2] ^= 1;
    for bytes in [&whole[..whole.len() / 2], &whole[..whole.len() - 1], &turned, b"", b"not a backup"] {
        let bad = heddle.beside("bad");
        std::fs::write(&bad, bytes).unwrap();
        heddle.run(&["restore", text(&bad), "--force"]).refused(text(&bad));
        assert_eq!((names(&heddle.data()), std::fs::read(heddle.data().join("heddle.db")).unwrap()), before);
    }
    heddle.run(&["restore", text(&heddle.beside("nowhere"))]).refused("nowhere");
}
