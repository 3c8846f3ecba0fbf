//! The first start on a data folder: an account, a key and the samples, told once.
//!
//! A marker is written after everything was printed, beside the database: a file in the folder, or a note on a server,
//! where another folder may find it. Without it the next start does it again, with a new password and a new key, so a
//! crash in between never leaves a database whose key nobody has seen.

use crate::admin;
use crate::failure::Failure;
use crate::folder::Folder;
use crate::print;
use crate::samples::SAMPLES;
use heddle_fault as fault;
use heddle_model::Scope;
use heddle_platform::{Account, Database, Error, NewKey, PageRequest, Platform};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// What the first start leaves behind; holds no secret.
const MARKER: &str = "first-start.json";
/// The same on a server.
const NOTE: &str = "first-start";
/// The name of the key it makes.
const KEY: &str = "First start";

/// Does what has not been done yet; prints on stdout.
pub async fn run(
    platform: &Platform,
    folder: &Folder,
    database: &Database,
    address: &str,
    as_json: bool,
) -> Result<(), Failure> {
    let marker = folder.file(MARKER);
    if database.is_file() && marker.exists() {
        return Ok(());
    }
    fault::point!("first_start.before")?;
    let account = admin::account(platform, None).await?;
    if !database.is_file() && platform.note(account.id, NOTE).await?.is_some() {
        return Ok(());
    }
    let password = secret()?;
    platform.accounts.set_password(&account.email, &password).await?;
    let key = key(platform, &account).await?;
    let samples = samples(platform, &account, address, &key).await?;
    let start = json!({
        "address": address,
        "account": {"email": account.email, "password": password},
        "key": key,
        "samples": samples,
    });
    fault::point!("first_start.made")?;
    let printed = match as_json {
        true => print::json(&start),
        false => print::text(&for_people(&start)),
    };
    if let Err(failure) = printed {
        // Nobody has seen the key: the next start makes another.
        tracing::error!(%failure, "the first start could not be printed");
        return Ok(());
    }
    fault::point!("first_start.printed")?;
    let kept = json!({"version": env!("CARGO_PKG_VERSION"), "account": account.email, "samples": start["samples"].as_array().map(|all| {
        all.iter().map(|sample| json!({"name": sample["name"], "graph_id": sample["graph_id"]})).collect::<Vec<_>>()
    })});
    match database.is_file() {
        true => mark(folder, &marker, &kept)?,
        false => platform.put_note(account.id, NOTE, &kept).await?,
    }
    fault::point!("first_start.marker")?;
    Ok(())
}

/// Writes the marker file.
fn mark(folder: &Folder, marker: &Path, kept: &Value) -> Result<(), Failure> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(marker)
        .and_then(|mut file| {
            file.write_all(format!("{kept:#}\n").as_bytes())?;
            file.sync_all()
        })
        // Without its name on disk a power cut would have the next start revoke the key that was just shown.
        .and_then(|()| folder.sync())
        .map_err(|error| Failure::of(marker.display(), error))
}

/// A new key with all scopes; one that an interrupted start has made, and nobody has seen, is revoked.
async fn key(platform: &Platform, account: &Account) -> Result<String, Error> {
    for old in platform.keys.list(account.id).await? {
        if old.name == KEY && old.status.as_str() == "ACTIVE" {
            platform.keys.revoke(account.id, &old.id.to_string()).await?;
        }
    }
    let new = NewKey { name: KEY.to_owned(), scopes: Scope::ALL.to_vec(), description: None };
    Ok(platform.keys.create(account.id, new).await?.1)
}

/// Saves the samples that are not in the library yet; each with the line that runs it.
async fn samples(platform: &Platform, account: &Account, address: &str, key: &str) -> Result<Value, Error> {
    let library = platform.graphs.list(account.id, PageRequest { page: 1, page_size: 100 }).await?;
    let present: HashMap<_, _> =
        library.items.into_iter().map(|graph| (graph.name, (graph.id.to_string(), graph.version))).collect();
    let mut shown = Vec::new();
    for sample in SAMPLES {
        for draft in platform.graphs.read_file(sample.agent())? {
            let name = draft.name.clone();
            let (id, version) = match present.get(&name) {
                Some((id, version)) => (id.clone(), *version),
                None => {
                    let saved = platform.graphs.create(account.id, account.organization, draft).await?;
                    (saved.graph.id.to_string(), saved.graph.version)
                }
            };
            let url = format!("{address}/external-api/v1/graphs/{id}/execute/{version}");
            let curl = curl(&url, key, &json!({"node_input": sample.inputs()}));
            shown.push(json!({"name": name, "graph_id": id, "version": version, "curl": curl}));
        }
    }
    Ok(shown.into())
}

fn curl(url: &str, key: &str, body: &Value) -> String {
    let body = body.to_string().replace('\'', r"'\''");
    format!(
        "curl -sS '{url}' -H 'X-API-Key: {key}' -H 'Content-Type: application/json' -H 'Prefer: wait=30' -d '{body}'"
    )
}

fn for_people(start: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut lines = vec![
        "First start. This is shown once:".to_owned(),
        String::new(),
        format!("address   {}", text(&start["address"])),
        format!("account   {}", text(&start["account"]["email"])),
        format!("password  {}", text(&start["account"]["password"])),
        format!("key       {}", text(&start["key"])),
    ];
    for sample in start["samples"].as_array().into_iter().flatten() {
        lines.extend([String::new(), format!("# {}", text(&sample["name"])), text(&sample["curl"])]);
    }
    lines.join("\n")
}

/// 120 random bits in letters and digits that are not mistaken for each other.
fn secret() -> Result<String, Failure> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).map_err(|error| Failure::of("random numbers", error))?;
    Ok(bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_inputs_do_not_end_the_shells_word() {
        let line = curl("http://h/x", "k", &json!({"a": "it's"}));
        assert!(line.ends_with(r#"-d '{"a":"it'\''s"}'"#), "{line}");
    }

    #[test]
    fn secrets_are_long_and_differ() {
        let (a, b) = (secret().unwrap(), secret().unwrap());
        assert_eq!(a.len(), 24);
        assert_ne!(a, b);
    }
}
