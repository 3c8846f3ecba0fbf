//! A PostgreSQL of the tests' own: made in a temporary folder, reached by a socket in it, gone with the process.
//!
//! It needs the programs of a PostgreSQL installation, in the path or where Debian puts them. Without them the tests
//! that want it say that they were skipped; under `CI=true` that is a failure.
//!
//! A suite that is written for the default database runs on PostgreSQL as well by [`again()`]: the test's own binary once
//! more, with `HEDDLE_TEST_POSTGRES=1`, which whoever opens a database there asks for with [`is_wanted`].

#![expect(clippy::unwrap_used, reason = "only tests use this")]

mod again;

pub use again::{again, is_wanted};

use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use tempfile::TempDir;

/// The programs and whoever may run them.
struct Programs {
    folder: PathBuf,
    /// The server refuses to run as root, so root lends it this user and group.
    user: Option<(u32, u32)>,
}

impl Programs {
    fn find() -> Option<&'static Self> {
        static FOUND: OnceLock<Option<Programs>> = OnceLock::new();
        FOUND.get_or_init(|| Some(Self { folder: folder()?, user: user()? })).as_ref()
    }

    fn command(&self, program: &str, place: &Path) -> Command {
        let mut command = Command::new(self.folder.join(program));
        self.lend(&mut command, place);
        command
    }

    fn lend(&self, command: &mut Command, place: &Path) {
        command.current_dir(place);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
    }
}

/// Where `initdb` and its company are: the newest that is installed.
fn folder() -> Option<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let newest = installed.map(|entry| entry.path()).max_by_key(version).map(|path| path.join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = newest.into_iter().chain(std::env::split_paths(&path));
    folders.find(|folder| ["initdb", "pg_ctl", "psql"].iter().all(|program| folder.join(program).exists()))
}

/// Nobody in particular, unless the process is root. `None` when root has nobody to lend.
fn user() -> Option<Option<(u32, u32)>> {
    if std::fs::metadata("/proc/self").map_or(true, |own| own.uid() != 0) {
        return Some(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let find = |name: &str| {
        let line = users.lines().find_map(|line| line.strip_prefix(&format!("{name}:")))?;
        let mut fields = line.split(':').skip(1).map(str::parse::<u32>);
        Some((fields.next()?.ok()?, fields.next()?.ok()?))
    };
    find("postgres").or_else(|| find("nobody")).map(Some)
}

/// One server.
pub struct Cluster {
    folder: TempDir,
    keeper: Mutex<Option<Child>>,
    databases: AtomicU32,
}

impl Cluster {
    /// Whether there is a PostgreSQL to start. Fails under `CI=true` when there is none.
    pub fn is_at_hand() -> bool {
        let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        let found = Programs::find().is_some();
        assert!(found || !ci, "PostgreSQL is not installed (initdb, pg_ctl, psql), and under CI=true it must be");
        found
    }

    /// The one that the tests of this process share; `None` when there is no PostgreSQL at hand.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start("", &[])).as_ref()
    }

    /// One more, with these lines in its settings and these files beside its data.
    pub fn start(settings: &str, files: &[(&str, String)]) -> Option<Self> {
        if !Self::is_at_hand() {
            return None;
        }
        let programs = Programs::find()?;
        let folder = tempfile::Builder::new().prefix("heddle-pg").tempdir().unwrap();
        if let Some((user, group)) = programs.user {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let data = folder.path().join("data");
        let mut initdb = programs.command("initdb", folder.path());
        initdb
            .args(["--auth=trust", "--username=heddle", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(&data);
        let made = initdb.output().unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            if let Some((user, group)) = programs.user {
                chown(&path, Some(user), Some(group)).unwrap();
            }
        }
        let lines = format!(
            "listen_addresses = ''\nunix_socket_directories = '{}'\nmax_connections = 300\nfsync = off\n\
             shared_buffers = 32MB\nautovacuum = off\n{settings}\n",
            folder.path().display()
        );
        std::fs::write(data.join("postgresql.auto.conf"), lines).unwrap();
        let cluster = Self { folder, keeper: Mutex::new(None), databases: AtomicU32::new(0) };
        cluster.begin();
        Some(cluster)
    }

    /// Starts the server. A shell keeps it: when this process goes, however it goes, the shell's input ends, and it stops
    /// the server and clears the folder.
    pub fn begin(&self) {
        let script = "trap '' INT TERM; \"$1\" -D data -w -t 60 -l log start >/dev/null || { cat log >&2; exit 1; }; \
            echo ready; read -r how; \"$1\" -D data -w -m \"${how:-immediate}\" stop >/dev/null 2>&1; \
            test -n \"$how\" || rm -rf \"$PWD\"";
        let programs = Programs::find().unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "keeper"]).arg(programs.folder.join("pg_ctl"));
        shell.stdin(Stdio::piped()).stdout(Stdio::piped());
        programs.lend(&mut shell, self.folder.path());
        let mut keeper = shell.spawn().unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(keeper.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "the server did not start");
        *self.keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeper);
    }

    /// Stops the server as a crash would, or (`fast`) as its operator would.
    pub fn stop(&self, how: &str) {
        use std::io::Write;
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut keeper = keeper.expect("it was started");
        writeln!(keeper.stdin.take().unwrap(), "{how}").unwrap();
        assert!(keeper.wait().unwrap().success());
    }

    /// Makes a database and says where.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// Where a file beside the data is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The address of the database of this name.
    pub fn url(&self, name: &str) -> String {
        format!("postgres:///{name}?user=heddle&host={}", self.folder.path().display())
    }

    /// The database's own client, reading statements.
    pub fn client(&self, url_or_name: &str) -> Command {
        let url = if url_or_name.contains(':') { url_or_name.to_owned() } else { self.url(url_or_name) };
        let mut psql = Programs::find().unwrap().command("psql", self.folder.path());
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &url]);
        psql.stdin(Stdio::piped()).stdout(Stdio::piped());
        psql
    }

    /// What that client prints.
    pub fn sql(&self, url_or_name: &str, sql: &str) -> String {
        let output = self.client(url_or_name).args(["-c", sql]).output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// Before the folder goes the server must.
impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take() {
            drop(keeper.stdin.take());
            drop(keeper.wait());
        }
    }
}
