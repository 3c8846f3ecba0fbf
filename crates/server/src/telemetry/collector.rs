//! The collector: where it is, how bytes get there, and who is told when they do not.

use heddle_outbound::{Client, Limits, Options, Policy, Request, Retry};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

const WITHIN: Limits = Limits { body: 64 * 1024, read: Duration::from_secs(10), whole: Duration::from_secs(10) };
/// A collector that is busy or starts anew is asked again, as the protocol wants; the queue waits meanwhile.
const AGAIN: Retry = Retry { longest: Duration::from_secs(5), statuses: &[429, 502, 503, 504], ..Retry::up_to(3) };
const TRACES: &str = "/v1/traces";
const METRICS: &str = "/v1/metrics";
/// A collector that is away is mentioned this often.
const REMIND: Duration = Duration::from_secs(60);

/// Where traces and measurements go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    host: String,
    traces: String,
    /// `None` when only the path of traces was given, and it is not the usual one.
    metrics: Option<String>,
}

impl Endpoints {
    /// Of the setting: without a path, the usual ones are put behind it; one with a path is that of traces.
    pub fn of(url: &str) -> Self {
        let url = url.trim_end_matches('/');
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let has_port = !authority.ends_with(']') && authority.rsplit_once(':').is_some();
        let port = if scheme == "https" { 443 } else { 80 };
        let host = if has_port { authority.to_owned() } else { format!("{authority}:{port}") };
        let (traces, metrics) = match path {
            "" => (format!("{url}{TRACES}"), Some(format!("{url}{METRICS}"))),
            _ => (url.to_owned(), url.strip_suffix(TRACES).map(|base| format!("{base}{METRICS}"))),
        };
        Self { host, traces, metrics }
    }
}

/// The collector.
#[derive(Debug)]
pub struct Collector {
    endpoints: Endpoints,
    link: Link,
    runtime: Handle,
    lost: Mutex<Lost>,
}

struct Link(Client);

/// What was lost since it was last said.
#[derive(Debug, Default)]
struct Lost {
    said: Option<Instant>,
    messages: u64,
}

impl Collector {
    /// A collector that is reached from this runtime.
    pub fn new(endpoints: Endpoints, runtime: Handle) -> Self {
        // The operator has named it, so it may stand anywhere. It may not send us elsewhere.
        let policy = Policy::new(endpoints.host.parse().into_iter().collect());
        let link = Link(Client::new(Options { policy, ..Options::default() }));
        Self { endpoints, link, runtime, lost: Mutex::default() }
    }

    /// Sends spans; whether they got there.
    pub async fn spans(&self, message: Vec<u8>) -> bool {
        self.post(&self.endpoints.traces, message).await
    }

    /// Sends measurements, if there is somewhere to send them.
    pub async fn measurements(&self, message: Vec<u8>) {
        if let Some(url) = &self.endpoints.metrics {
            self.post(url, message).await;
        }
    }

    async fn post(&self, url: &str, message: Vec<u8>) -> bool {
        let Err(reason) = self.send(url, message).await else { return true };
        let due = {
            let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
            lost.messages += 1;
            let is_due = lost.said.is_none_or(|said| said.elapsed() >= REMIND);
            is_due.then(|| {
                lost.said = Some(Instant::now());
                std::mem::take(&mut lost.messages)
            })
        };
        if let Some(messages) = due {
            tracing::warn!(messages, "the collector at {url} did not take what was sent: {reason}");
        }
        false
    }

    /// On the runtime, because whoever waits may be a thread of its own, and untraced, because it would never end.
    async fn send(&self, url: &str, message: Vec<u8>) -> Result<(), String> {
        let request = Request::post(url).header("content-type", "application/x-protobuf");
        let request = request
            .map_err(|error| error.to_string())?
            .body(message)
            .limits(WITHIN)
            .retry(AGAIN)
            .redirects(0)
            .untraced();
        let client = self.link.0.clone();
        let answer =
            self.runtime.spawn(async move { client.send(&request).await }).await.map_err(|error| error.to_string())?;
        match answer.map_err(|error| error.to_string())?.status {
            status if status.is_success() => Ok(()),
            status => Err(format!("it answered {status}")),
        }
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_paths_are_put_behind_a_url_without_one() {
        for (url, host, traces, metrics) in [
            ("http://h:4318", "h:4318", "http://h:4318/v1/traces", Some("http://h:4318/v1/metrics")),
            ("https://h/", "h:443", "https://h/v1/traces", Some("https://h/v1/metrics")),
            ("http://[::1]", "[::1]:80", "http://[::1]/v1/traces", Some("http://[::1]/v1/metrics")),
            ("http://[::1]:9", "[::1]:9", "http://[::1]:9/v1/traces", Some("http://[::1]:9/v1/metrics")),
            ("https://h/otlp/v1/traces", "h:443", "https://h/otlp/v1/traces", Some("https://h/otlp/v1/metrics")),
            ("https://h/in", "h:443", "https://h/in", None),
        ] {
            let expected = Endpoints { host: host.into(), traces: traces.into(), metrics: metrics.map(str::to_owned) };
            assert_eq!(Endpoints::of(url), expected);
        }
    }

    #[tokio::test]
    async fn a_collector_that_is_not_there_is_mentioned_once_a_minute() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let collector = Collector::new(Endpoints::of(&url), Handle::current());
        assert!(!collector.spans(vec![1]).await && !collector.spans(vec![2]).await);
        let lost = collector.lost.lock().unwrap();
        assert!(lost.said.is_some());
        assert_eq!(lost.messages, 1, "the first was said, the second waits for its minute");
    }
}
