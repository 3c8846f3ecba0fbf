//! The sample application of `examples/sign-in`, used by Ada with her browser.

use super::browser::Browser;
use super::script::Language;
use super::stage::{App, Stage};
use crate::support::{Heddle, root, skip};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// The application, running; killed when dropped.
struct Sample {
    process: Child,
    /// `http://127.0.0.1:PORT`
    address: String,
}

impl Sample {
    fn start(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").expect("an address").to_owned();
        Self { process, address }
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The application as it is registered, and running where Ada's browser finds it.
fn start(stage: &mut Stage) -> (App, Sample) {
    let app = stage.app("http://127.0.0.1/callback");
    let text = std::fs::read_to_string(root().join("examples/sign-in/server.mjs")).unwrap();
    let mut command = Language::JavaScript.command(stage, "sample", &text);
    command.env("CLIENT_ID", &app.id).env("CLIENT_SECRET", &app.secret).env("PORT", "0");
    let sample = Sample::start(command);
    stage.ada = std::mem::take(&mut stage.ada).knows(&sample.address, &sample.address);
    (app, sample)
}

#[test]
fn the_sample_signs_ada_in_lists_blocks_and_signs_her_out() {
    if let Some(missing) = Language::JavaScript.missing() {
        return skip(1, missing);
    }
    let mut stage = Stage::new();
    let (_, sample) = start(&mut stage);
    let home = format!("{}/", sample.address);

    let page = stage.ada.open(&home);
    assert!(page.answer.body.contains("You are not signed in."), "{page:?}");

    // No is no error.
    let asked = stage.ada.open(&format!("{home}sign-in"));
    assert!(asked.url.starts_with(&stage.origin), "{asked:?}");
    let page = stage.ada.press(&asked, "Deny", &[]);
    assert!(page.url.starts_with(&format!("{home}callback?")) && page.answer.status == 200, "{page:?}");
    assert!(page.answer.body.contains("Heddle was told no. You are not signed in."), "{page:?}");

    let asked = stage.ada.open(&format!("{home}sign-in"));
    assert!(asked.answer.body.contains("Weaver") && asked.answer.body.contains("127.0.0.1"), "{asked:?}");
    let page = stage.ada.press(&asked, "Authorize", &[]);
    assert_eq!((&*page.url, page.answer.status), (&*home, 200));
    let body = &page.answer.body;
    assert!(body.contains("Hello Ada") && body.matches("<li>").count() > 10, "{page:?}");

    // An answer that was meant for another browser leads to a sign-in of one's own.
    let mut bob = Browser::default().knows(&sample.address, &sample.address);
    let foreign = bob.open(&format!("{home}callback?code=x&state=y"));
    assert!(foreign.url.starts_with(&format!("{}/auth/authorize?", stage.origin)), "{foreign:?}");

    let page = stage.ada.press(&page, "Sign out", &[]);
    assert!(page.answer.body.contains("You are not signed in."), "{page:?}");
    // No access of it is left on the server either.
    let grants = stage.ada.ask("GET", &format!("{}/api/oauth/grants", stage.origin), None);
    assert!(grants.body.contains("\"has_access\":false"), "{grants:?}");
}

#[test]
fn the_sample_notices_that_it_is_no_longer_allowed() {
    if let Some(missing) = Language::JavaScript.missing() {
        return skip(1, missing);
    }
    let mut stage = Stage::plain();
    let (app, sample) = start(&mut stage);
    let home = format!("{}/", sample.address);
    let asked = stage.ada.open(&format!("{home}sign-in"));
    let page = stage.ada.press(&asked, "Authorize", &[]);
    assert!(page.answer.body.contains("Hello Ada"), "{page:?}");

    let ended = stage.ada.ask("DELETE", &format!("{}/api/oauth/grants/{}", stage.origin, app.id), None);
    assert!((200..300).contains(&ended.status), "{ended:?}");
    let page = stage.ada.open(&home);
    assert!(page.answer.body.contains("You are not signed in."), "{page:?}");
}

#[test]
fn the_walk_through_shows_what_is_there() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let (guide, code) = (read("docs/sign-in-sample.md"), read("examples/sign-in/server.mjs"));
    let shown: Vec<_> = guide.split("```js\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(shown.len(), 5);
    for piece in shown {
        assert!(code.contains(piece), "the sample does not have\n{piece}");
    }
    let line = guide.lines().find_map(|line| line.strip_prefix("heddle ").filter(|words| words.starts_with("app")));
    let app = Heddle::new().json(&line.unwrap().split(' ').collect::<Vec<_>>());
    assert!(app["client_id"].is_string() && app["client_secret"].is_string(), "{app}");
    // Whoever follows it has the library that the tests have.
    let versions = ["examples/sign-in", "tests/oauth/clients"].map(|folder| {
        let lock: serde_json::Value = serde_json::from_str(&read(&format!("{folder}/package-lock.json"))).unwrap();
        lock["packages"]["node_modules/openid-client"].clone()
    });
    assert_eq!(versions[0], versions[1]);
}
