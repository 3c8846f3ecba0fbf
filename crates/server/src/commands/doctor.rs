//! `heddle doctor`: looks at what a server needs and says what to do about it.

use crate::admin::Request;
use crate::admin::door::Door;
use crate::failure::Failure;
use crate::folder::Folder;
use crate::settings::Settings;
use crate::{Setting, print};
use heddle_platform::Allow;
use heddle_store::{Database, Store};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What a look showed: fine, or what is wrong and what to do.
type Finding = Result<String, String>;

pub async fn run(setting: &Setting) -> Result<ExitCode, Failure> {
    setting.folder.make()?;
    let findings: [(&str, Finding); 6] = [
        // Settings that cannot be used have stopped the command before.
        ("settings", Ok("all understood".to_owned())),
        ("disk", disk(&setting.folder)),
        ("database", database(setting).await),
        ("clock", clock(SystemTime::now(), &setting.folder)),
        ("outbound", Ok(outbound(&setting.settings.outbound_allow))),
        ("sign-in", Ok(sign_in(&setting.settings))),
    ];
    let bad = findings.iter().filter(|(_, finding)| finding.is_err()).count();
    let rows: Value = findings
        .iter()
        .map(|(check, finding)| match finding {
            Ok(found) => json!({"check": check, "ok": true, "found": found}),
            Err(found) => json!({"check": check, "ok": false, "found": found}),
        })
        .collect();
    print::table(&rows, &["check", "ok", "found"], setting.json)?;
    match bad {
        0 => Ok(ExitCode::SUCCESS),
        _ => Err(Failure::new(format!("{bad} of {} checks failed", findings.len()))),
    }
}

/// What blocks may reach. Nothing is asked: a look at a stranger's server would prove little and leave traces there.
fn outbound(allow: &[Allow]) -> String {
    match allow {
        [] => "blocks reach public servers only; outbound.allow opens more".to_owned(),
        _ => format!(
            "blocks reach public servers and {}",
            allow.iter().map(Allow::to_string).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// How people get in. Plain HTTP is no failure: who uses keys alone on a network of his own may want it so.
fn sign_in(settings: &Settings) -> String {
    let way = match settings.is_private() {
        true => "private",
        false => "NOT PRIVATE, browsers use plain HTTP: put HTTPS in front and set server.public_url to its address",
    };
    let accounts = if settings.open_signup { "anybody may make an account" } else { "the operator makes accounts" };
    let resets =
        if settings.smtp_url.is_some() { "by mail or by command" } else { "by command (smtp.url: by mail too)" };
    format!("{way}; {accounts}; new passwords {resets}")
}

/// Asks the server that has the database, or reads all of it for damage when nobody has.
async fn database(setting: &Setting) -> Finding {
    let door = Door::open(setting).await;
    let mut door = door.map_err(|failure| failure.to_string())?;
    let served = door.is_remote();
    let unready = door.ask(Request::Unready).await;
    // A running server of another release may not know the question.
    let room = door.ask(Request::Sizes).await.ok().and_then(|sizes| room(&sizes));
    let room = room.map(|room| format!(", {room}")).unwrap_or_default();
    door.close().await;
    let reasons = unready.map_err(|failure| failure.to_string())?;
    let reasons: Vec<_> = reasons.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !reasons.is_empty() {
        return Err(reasons.join("; "));
    }
    if served {
        return Ok(format!("the running server accepts runs{room}; stop it for a check of the whole database"));
    }
    let database = setting.database();
    let advice = match database.is_file() {
        true => "keep a copy of the data folder and restore the last good one",
        false => "keep a copy of the server's data and restore the last good one",
    };
    let found = integrity(&database).await.map_err(|error| format!("{error}; {advice}"))?;
    Ok(format!("{found}{room}"))
}

/// How much room it takes: the file with what of it is free for use, and the log, where there are such things.
fn room(sizes: &Value) -> Option<String> {
    let mib = |name: &str| sizes[name].as_u64().map(|bytes| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)));
    let free = mib("free").map(|free| format!(" ({free} of it free)")).unwrap_or_default();
    let log = mib("log").map(|log| format!(", log {log}")).unwrap_or_default();
    Some(format!("{}{free}{log}", mib("database")?))
}

async fn integrity(database: &Database) -> Result<String, heddle_store::Error> {
    let store = database.open()?;
    let outcome = store.integrity().await;
    let commit = if database.is_file() { None } else { Some(commit_time(&store).await) };
    store.close().await;
    outcome?;
    Ok(match commit.transpose()? {
        // The look at the disk has told it.
        None => "whole".to_owned(),
        Some(time) => format!("whole, a commit takes {:.2} ms", time.as_secs_f64() * 1e3),
    })
}

/// The median time of a small commit on a server.
async fn commit_time(store: &Store) -> Result<Duration, heddle_store::Error> {
    let mut times = Vec::new();
    for _ in 0..21 {
        let start = Instant::now();
        store.check().await?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(times[times.len() / 2])
}

/// Free bytes below which a busy server is soon in trouble.
const LITTLE: u64 = 1 << 30;
/// A commit that takes longer than this makes every run slow.
const SLOW: Duration = Duration::from_millis(20);

fn disk(folder: &Folder) -> Finding {
    let mode = std::fs::metadata(folder.path()).map_err(|error| error.to_string())?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "others may read the data folder (mode {mode:o}); run `chmod 700 {}`",
            folder.path().display()
        ));
    }
    let sync = sync_time(folder).map_err(|error| format!("cannot write to the data folder: {error}"))?;
    let free = free_bytes(folder.path());
    let free_text = free.map_or("unknown".to_owned(), |bytes| format!("{} MiB", bytes >> 20));
    let found = format!("writable, {free_text} free, a commit takes {:.2} ms", sync.as_secs_f64() * 1e3);
    match (free, sync) {
        (Some(free), _) if free < LITTLE => Err(format!("{found}; make room")),
        (_, sync) if sync > SLOW => Err(format!("{found}; put the data folder on a faster disk")),
        _ => Ok(found),
    }
}

/// The median time of a small write that must reach the disk.
fn sync_time(folder: &Folder) -> std::io::Result<Duration> {
    let path = folder.file(".doctor");
    let mut file = File::create(&path)?;
    let mut once = || {
        let start = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        Ok(start.elapsed())
    };
    let times: std::io::Result<Vec<_>> = (0..21).map(|_| once()).collect();
    std::fs::remove_file(&path)?;
    let mut times = times?;
    times.sort();
    Ok(times[times.len() / 2])
}

/// As POSIX `df` tells it; the standard library cannot ask.
fn free_bytes(path: &Path) -> Option<u64> {
    let output = std::process::Command::new("df").arg("-Pk").arg(path).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let blocks: u64 = text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(blocks * 1024)
}

/// When this was written; no clock may be earlier.
const WRITTEN: Duration = Duration::from_secs(1_767_225_600);

/// A clock is sane when it is past this release and not behind what the data folder has seen.
fn clock(now: SystemTime, folder: &Folder) -> Finding {
    let advice = "set the clock, or let a time service do it";
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    if since < WRITTEN {
        return Err(format!("it is before this release was made; {advice}"));
    }
    let written = std::fs::metadata(folder.database()).and_then(|data| data.modified()).unwrap_or(UNIX_EPOCH);
    match written.duration_since(now) {
        Ok(ahead) if ahead > Duration::from_secs(60) => {
            Err(format!("the database was last written {} s in the future; {advice}", ahead.as_secs()))
        }
        _ => Ok("plausible".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_runs_behind_is_noticed() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::new(parent.path());
        std::fs::write(folder.database(), "").unwrap();
        let now = SystemTime::now();
        assert!(clock(now, &folder).is_ok());
        assert!(clock(now - Duration::from_secs(3600), &folder).unwrap_err().contains("in the future"));
        assert!(clock(UNIX_EPOCH, &folder).unwrap_err().contains("before this release"));
    }

    #[test]
    fn the_room_is_told_as_far_as_it_is_known() {
        let sizes = json!({"database": 3 << 20, "free": 1 << 19, "log": 0});
        assert_eq!(room(&sizes).unwrap(), "3.0 MiB (0.5 MiB of it free), log 0.0 MiB");
        assert_eq!(room(&json!({"database": 3 << 20, "free": null, "log": null})).unwrap(), "3.0 MiB");
        assert_eq!(room(&Value::Null), None);
    }

    #[test]
    fn a_folder_that_others_may_read_is_noticed() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::new(parent.path().join("data"));
        folder.make().unwrap();
        assert!(!disk(&folder).is_err_and(|text| text.contains("chmod")));
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(disk(&folder).unwrap_err().contains("chmod 700"));
    }
}
