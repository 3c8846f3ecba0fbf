//! Clients that others' generators make of the served document: made anew, compiled, and taken through the quick start.

use crate::support::{Client, Heddle, Server, root, skip, write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the generators are, when they are installed.
fn tools(language: &str) -> Option<PathBuf> {
    let folder = root().join("target/generated-clients").join(language);
    if folder.join("installed").exists() {
        return Some(folder.canonicalize().unwrap());
    }
    skip(1, "tests/generated/clients/install");
    None
}

/// A server, a folder beside it with its document, and its key.
struct Stage {
    heddle: Heddle,
    server: Server,
    folder: PathBuf,
}

impl Stage {
    fn new() -> Self {
        let heddle = Heddle::on_file();
        let server = Server::start(&heddle);
        let folder = heddle.beside("client");
        std::fs::create_dir(&folder).unwrap();
        let document = Client::new(&server.address, None).get("/external-api/v1/openapi.json").body;
        write(&folder.join("openapi.json"), &document);
        Self { heddle, server, folder }
    }

    fn bring(&self, name: &str) {
        std::fs::copy(root().join("tests/generated/clients").join(name), self.folder.join(name)).unwrap();
    }

    /// Runs a program of that folder to its end, which must be a good one; what it printed.
    fn run(&self, program: &Path, words: &[&str]) -> String {
        let mut command = Command::new(program);
        command.args(words).current_dir(&self.folder).stdin(Stdio::null());
        command
            .env("HEDDLE", &self.server.address)
            .env("API_KEY", self.heddle.key())
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1");
        let done = command.output().unwrap();
        let said = [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert!(done.status.success(), "{} {words:?}: {}\n{said}", program.display(), done.status);
        said
    }
}

#[test]
fn a_client_of_openapi_typescript_and_openapi_fetch_compiles_and_passes_the_quick_start() {
    let Some(tools) = tools("node") else { return };
    let stage = Stage::new();
    std::os::unix::fs::symlink(tools.join("node_modules"), stage.folder.join("node_modules")).unwrap();
    write(&stage.folder.join("package.json"), "{\"type\": \"module\"}");
    stage.bring("quick_start.ts");
    let bin = |name: &str| tools.join("node_modules/.bin").join(name);
    // What has a default may be left out of what is sent.
    let words = ["openapi.json", "-o", "heddle.d.ts", "--default-non-nullable=false"];
    stage.run(&bin("openapi-typescript"), &words);
    let strict = ["--strict", "--noEmitOnError", "--module", "nodenext", "--target", "es2022", "--types", "node"];
    stage.run(&bin("tsc"), &[&strict[..], &["quick_start.ts"]].concat());
    let said = stage.run(Path::new("node"), &["quick_start.js"]);
    assert!(said.contains("quick start: done"), "{said}");
}

#[test]
fn a_client_of_openapi_python_client_compiles_and_passes_the_quick_start() {
    let Some(tools) = tools("python") else { return };
    let stage = Stage::new();
    write(&stage.folder.join("config.yml"), "package_name_override: heddle_client\npost_hooks: []\n");
    stage.bring("quick_start.py");
    let bin = |name: &str| tools.join("bin").join(name);
    let words = [
        "generate",
        "--path",
        "openapi.json",
        "--config",
        "config.yml",
        "--meta",
        "none",
        "--output-path",
        "heddle_client",
    ];
    let said = stage.run(&bin("openapi-python-client"), &[&words[..], &["--fail-on-warning"]].concat());
    assert!(!said.contains("WARNING"), "{said}");
    stage.run(&bin("python"), &["-m", "compileall", "-q", "heddle_client"]);
    let said = stage.run(&bin("python"), &["quick_start.py"]);
    assert!(said.contains("quick start: done"), "{said}");
}
