//! Reads an RSS, Atom or JSON feed, once or again and again, and emits what was published lately.
//!
//! The window begins where the execution began less the period asked for, and does not move: every round emits all of
//! it. A feed that cannot be fetched or read counts as empty, since the next round may find it well again.

use crate::block::{Block, Cx, Ended, Input, Outlet, Run, Working, never, refuse};
use crate::registry::Ports;
use feed_rs::model::{Entry, Person};
use heddle_engine::Effect;
use heddle_engine::ports::Failure;
use heddle_model::{Object, Time, Value};
use heddle_outbound::{Client, Request};
use serde_json::json;
use std::time::Duration;

pub(crate) const BLOCK: Block = Block {
    id: "5ebe6768-8e5d-41e3-9134-1c7bd89a8d52",
    effect: |_| Effect::Read,
    slow: never,
    run: Run::Work { provider, work: run },
};

/// Minutes that the window reaches back.
const PERIOD: i64 = 1440;

/// The least between two rounds, whatever the pin says.
const LEAST: Duration = Duration::from_secs(1);

fn provider(input: &Object) -> Option<String> {
    super::host(input.get("rss_url")?.as_str()?)
}

fn run<'a>(input: Input, cx: &'a Cx, ports: &'a Ports, out: Outlet<'a>) -> Working<'a> {
    Box::pin(follow(input, cx, ports, out))
}

async fn follow(mut input: Input, cx: &Cx, ports: &Ports, mut out: Outlet<'_>) -> Ended {
    let client = ports.client()?;
    let request = Request::get(input.text("rss_url"));
    let minutes = input.integer("time_period").unwrap_or(PERIOD);
    let since = cx.now.plus_seconds(minutes.saturating_mul(-60));
    let pause = u64::try_from(input.integer("polling_rate").unwrap_or(0)).map_or(LEAST, Duration::from_secs).max(LEAST);
    let is_once = !input.flag("run_continuously", true);
    loop {
        let entries = fetch(client, &request).await.into_iter();
        let entries = entries.filter_map(|entry| recent(entry, since)).collect::<Result<Vec<Value>, Failure>>()?;
        for entry in &entries {
            out.emit("entry", entry.clone()).await?;
        }
        out.emit("entries", entries).await?;
        if is_once {
            return Ok(());
        }
        tokio::time::sleep(pause).await;
    }
}

/// What the feed has. Reading it gets a thread of its own: it may be large, and it is a stranger's.
async fn fetch(client: &Client, request: &Request) -> Vec<Entry> {
    let answer = match client.send(request).await {
        Ok(answer) if answer.status.is_success() => answer,
        _ => return Vec::new(),
    };
    let read = tokio::task::spawn_blocking(move || feed_rs::parser::parse(&answer.body[..]));
    read.await.ok().and_then(Result::ok).map_or_else(Vec::new, |feed| feed.entries)
}

/// An entry as it is emitted, if it was published after a moment; one that does not say when fails the block.
fn recent(entry: Entry, since: Time) -> Option<Result<Value, Failure>> {
    let Some(published) = entry.published.or(entry.updated) else {
        return Some(Err(refuse("an entry of the feed does not say when it was published")));
    };
    let published = Time(published.timestamp_micros());
    (published > since).then(|| Ok(shown(entry, published)))
}

fn shown(entry: Entry, published: Time) -> Value {
    let alternate = entry.links.iter().find(|link| link.rel.as_deref().is_none_or(|rel| rel == "alternate"));
    let link = alternate.or(entry.links.first()).map_or("", |link| &link.href);
    let content = || entry.content.as_ref().and_then(|content| content.body.clone());
    let description = entry.summary.as_ref().map(|text| text.content.clone()).or_else(content).unwrap_or_default();
    let categories = entry.categories.iter().map(|category| category.term.as_str());
    json!({
        "title": entry.title.as_ref().map_or("", |title| &title.content),
        "link": link,
        "description": description,
        "pub_date": published.rfc3339(),
        "author": entry.authors.first().map(name).unwrap_or_default(),
        "categories": categories.collect::<Vec<_>>(),
    })
}

fn name(person: &Person) -> String {
    person.name.clone().or_else(|| person.email.clone()).unwrap_or_default()
}
