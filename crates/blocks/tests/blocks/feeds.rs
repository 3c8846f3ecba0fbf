//! The blocks that read what anybody publishes, against servers of our own.

use crate::common::{Collected, in_a_run, run};
use crate::mock::{Answer, Mock, answer};
use heddle_blocks::{Ports, Registry};
use heddle_engine::ports::{Blocks, Failure, Sink};
use heddle_model::{Catalogue, Value};
use heddle_outbound::{Client, Options, Policy};
use serde_json::json;
use std::sync::Arc;

const FEED: &str = "5ebe6768-8e5d-41e3-9134-1c7bd89a8d52";
const WIKIPEDIA: &str = "f5b0f5d0-1862-4d61-94be-3ad0fa772760";
const ATOM: &str = "content-type: application/atom+xml\r\n";

fn registry(mock: &Mock) -> Arc<Registry> {
    let policy = Policy::new(vec![mock.address.to_string().parse().expect("an entry")]);
    Registry::new(Ports {
        outbound: Some(Client::new(Options { policy, ..Options::default() })),
        bases: [("wikipedia".to_owned(), mock.url("/api/"))].into_iter().collect(),
        ..Ports::default()
    })
}

async fn read(answers: &[Answer], period: i64) -> (Vec<(String, Value)>, Result<(), Failure>) {
    let mock = Mock::start(answers.to_vec()).await;
    let input =
        json!({"rss_url": mock.url("/feed"), "polling_rate": 300, "run_continuously": false, "time_period": period});
    run(&registry(&mock), FEED, input.as_object().expect("an object").clone(), in_a_run()).await
}

fn entries(outputs: &[(String, Value)]) -> Vec<Value> {
    let last = outputs.last().expect("the entries come last");
    assert_eq!(last.0, "entries");
    let all = last.1.as_array().expect("a list").clone();
    let single: Vec<_> = outputs[..outputs.len() - 1].iter().map(|(pin, value)| (pin.as_str(), value)).collect();
    assert_eq!(single, all.iter().map(|entry| ("entry", entry)).collect::<Vec<_>>());
    all
}

/// The execution begins at 2026-02-03T04:05:06.789Z.
const RSS: &str = r#"<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>News</title>
    <item><title>Fresh &amp; new</title><link>https://example.org/1</link><description>&lt;p&gt;One&lt;/p&gt;</description>
      <pubDate>Tue, 03 Feb 2026 05:00:00 +0100</pubDate><category>a</category><category>b</category><dc:creator>Ada</dc:creator></item>
    <item><title>At the edge</title><pubDate>Tue, 03 Feb 2026 03:05:07 GMT</pubDate></item>
    <item><title>Before</title><pubDate>Tue, 03 Feb 2026 03:05:06 GMT</pubDate></item>
    </channel></rss>"#;

#[tokio::test]
async fn what_was_published_within_the_period_is_emitted() {
    let (outputs, ended) = read(&[answer(200, "content-type: application/rss+xml\r\n", RSS)], 60).await;
    assert_eq!(ended, Ok(()));
    let expected = json!([
        {"title": "Fresh & new", "link": "https://example.org/1", "description": "<p>One</p>",
         "pub_date": "2026-02-03T04:00:00Z", "author": "Ada", "categories": ["a", "b"]},
        {"title": "At the edge", "link": "", "description": "", "pub_date": "2026-02-03T03:05:07Z", "author": "",
         "categories": []},
    ]);
    assert_eq!(Value::from(entries(&outputs)), expected);
    let (outputs, _) = read(&[answer(200, "", RSS)], 24 * 60).await;
    assert_eq!(entries(&outputs).len(), 3);
}

#[tokio::test]
async fn atom_and_json_feeds_are_read_alike() {
    let atom = r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><id>i</id><entry><id>1</id><title>Atom</title>
        <link rel="self" href="https://example.org/self"/><link href="https://example.org/2"/><summary>sum</summary>
        <author><name>Grace</name></author><category term="c"/><updated>2026-02-03T04:00:00.5Z</updated></entry></feed>"#;
    let feed = r#"{"version": "https://jsonfeed.org/version/1.1", "title": "t", "items": [{"id": "1", "title": "Atom",
        "url": "https://example.org/2", "content_text": "sum", "authors": [{"name": "Grace"}], "tags": ["c"],
        "date_published": "2026-02-03T04:00:00.5Z"}]}"#;
    for (kind, text) in [(ATOM, atom), ("content-type: application/feed+json\r\n", feed)] {
        let (outputs, ended) = read(&[answer(200, kind, text)], 60).await;
        assert_eq!(ended, Ok(()));
        let expected = json!([{"title": "Atom", "link": "https://example.org/2", "description": "sum",
            "pub_date": "2026-02-03T04:00:00.500000Z", "author": "Grace", "categories": ["c"]}]);
        assert_eq!(Value::from(entries(&outputs)), expected, "{kind}");
    }
}

#[tokio::test]
async fn a_feed_that_cannot_be_read_is_empty() {
    for answers in [
        answer(500, "", RSS),
        answer(200, "", "nothing of the kind"),
        answer(200, ATOM, "<feed"),
        "no HTTP\r\n\r\n".to_owned(),
    ] {
        let (outputs, ended) = read(&[answers], 60).await;
        assert_eq!((outputs, ended), (vec![("entries".to_owned(), json!([]))], Ok(())));
    }
}

#[tokio::test]
async fn an_entry_without_a_date_fails_the_block() {
    let text = "<rss version='2.0'><channel><item><title>When?</title></item></channel></rss>";
    let (outputs, ended) = read(&[answer(200, "", text)], 60).await;
    assert!(outputs.is_empty());
    assert!(matches!(ended, Err(Failure::Execution(text)) if text.contains("when it was published")));
}

/// Ends the execution when it has seen so many rounds.
struct Rounds(Collected, usize, tokio::sync::mpsc::Sender<()>);

#[async_trait::async_trait]
impl Sink for Rounds {
    async fn emit(&mut self, pin: &str, value: Value) {
        self.0.emit(pin, value).await;
        if self.0.0.iter().filter(|(pin, _)| pin == "entries").count() == self.1 {
            self.2.send(()).await.expect("the test waits");
            std::future::pending::<()>().await;
        }
    }
}

#[tokio::test]
async fn it_looks_again_until_it_is_stopped() {
    let mock = Mock::start(vec![answer(500, "", ""), answer(200, "", RSS)]).await;
    let registry = registry(&mock);
    let block = registry.block(&FEED.into()).expect("known");
    // No more than a second lies between two rounds, whatever is asked for: the test's clock need not be stopped.
    let input = json!({"rss_url": mock.url("/feed"), "polling_rate": -5, "time_period": 60});
    let (told, mut seen) = tokio::sync::mpsc::channel(1);
    let mut sink = Rounds(Collected::default(), 2, told);
    let running = registry.run(block, Arc::new(input.as_object().expect("an object").clone()), in_a_run(), &mut sink);
    tokio::select! {
        ended = running => panic!("it ended: {ended:?}"),
        _ = seen.recv() => {}
    }
    let pins: Vec<_> = sink.0.0.iter().map(|(pin, _)| pin.as_str()).collect();
    assert_eq!(pins, ["entries", "entry", "entry", "entries"]);
    assert_eq!(mock.seen(2).await.len(), 2);
}

async fn summary(topic: &str, said: Answer) -> (Mock, Vec<(String, Value)>, Result<(), Failure>) {
    let mock = Mock::start(vec![said]).await;
    let input = json!({"topic": topic}).as_object().expect("an object").clone();
    let (outputs, ended) = run(&registry(&mock), WIKIPEDIA, input, in_a_run()).await;
    (mock, outputs, ended)
}

#[tokio::test]
async fn the_summary_of_an_article_is_its_extract() {
    let said = answer(200, "content-type: application/json\r\n", r#"{"title": "x", "extract": "It is."}"#);
    let (mock, outputs, ended) = summary("AC/DC & Ö~.-_", said).await;
    assert_eq!((outputs, ended), (vec![("summary".to_owned(), json!("It is."))], Ok(())));
    assert_eq!(mock.seen(1).await[0].line(), "GET /api/page/summary/AC%2FDC%20%26%20%C3%96~.-_");
}

#[tokio::test]
async fn without_a_summary_there_is_an_error() {
    for (said, part) in [
        (answer(404, "", "{}"), "no article on \"Nothing\""),
        (answer(503, "", ""), "status 503"),
        (answer(200, "", "{}"), "holds no summary"),
        (answer(200, "", "<html>"), "not valid JSON"),
    ] {
        let (_, outputs, ended) = summary("Nothing", said).await;
        assert!(outputs.is_empty());
        assert!(matches!(&ended, Err(Failure::Execution(text)) if text.contains(part)), "{ended:?}");
    }
}
