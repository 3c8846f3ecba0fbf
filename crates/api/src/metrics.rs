//! `GET /metrics`: what goes on, in numbers, for the machine it runs on and for its operator. To everybody else there is
//! no such page.

pub mod family;
mod process;
mod text;
mod traffic;

pub use family::{Family, Labels, Spread, Values};
pub use traffic::Traffic;

use crate::app::App;
use crate::auth::may_watch;
use crate::error::ApiError;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use heddle_platform::{Gauges, Platform};
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method};
use std::sync::Arc;
use text::Format;

/// Where it is served.
pub(crate) const PATH: &str = "/metrics";

/// Everything that is measured. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    platform: Platform,
    traffic: Arc<Traffic>,
}

impl Metrics {
    pub(crate) fn new(platform: Platform, traffic: Arc<Traffic>) -> Self {
        Self { platform, traffic }
    }

    /// All measurements as they stand.
    pub async fn families(&self) -> Vec<Family> {
        let gauges = self.platform.gauges().await;
        let mut families = Vec::from(self.traffic.families());
        families.extend(runs(&gauges));
        families.extend(journal(&gauges));
        families.extend(process::families());
        let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
        families.push(Family {
            values: Values::Gauges(vec![(version, 1.0)]),
            ..Family::gauge("heddle_build_info", "What is running; always 1.", 1.0)
        });
        families
    }
}

/// The route. It is not among the templates: what follows it with a slash does not exist either.
pub(crate) fn routes(metrics: Metrics) -> Router<App> {
    let scrape = move |State(app): State<App>, request: Request| async move { scrape(&app, &metrics, request).await };
    Router::new().route(PATH, any(scrape))
}

async fn scrape(app: &App, metrics: &Metrics, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if !may_watch(app, &parts).await {
        return ApiError::NoRoute.into_response();
    }
    if parts.method != Method::GET && parts.method != Method::HEAD {
        let mut response = ApiError::WrongMethod.into_response();
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        return response;
    }
    let format = Format::accepted(&parts.headers);
    let text = text::write(&metrics.families().await, format);
    ([(CONTENT_TYPE, format.content_type())], text).into_response()
}

fn runs(gauges: &Gauges) -> Vec<Family> {
    let counts = &gauges.counts;
    let by = |label: &'static str, ends: &[(heddle_model::Status, u64)]| {
        let value = |(status, count): &(heddle_model::Status, u64)| {
            (vec![(label, status.as_str().to_ascii_lowercase())], *count as f64)
        };
        ends.iter().map(value).collect()
    };
    let one = |count: u64| vec![(Vec::new(), count as f64)];
    vec![
        Family::counters(
            "heddle_runs_started",
            "Runs accepted, those of nested agents included.",
            one(counts.runs_started),
        ),
        Family::counters("heddle_runs_ended", "Runs ended.", by("status", &counts.runs_ended)),
        Family::gauge("heddle_runs_live", "Unfinished runs in memory.", gauges.runs.driven as f64),
        Family::gauge("heddle_runs_queued", "Unfinished runs that wait for a place.", gauges.runs.queued as f64),
        Family::gauge("heddle_runs_parked", "Unfinished runs that something has to wake.", gauges.runs.parked() as f64),
        Family::counters("heddle_node_executions", "Node executions ended.", by("outcome", &counts.executions)),
    ]
}

fn journal(gauges: &Gauges) -> Vec<Family> {
    let counts = &gauges.counts;
    let one = |count: u64| vec![(Vec::new(), count as f64)];
    let (frames, micros) = (counts.commit_frames.clone(), counts.commit_micros.clone());
    let commits = micros.counts.iter().sum();
    let mut families = vec![
        Family::counters("heddle_journal_commits", "Transactions written.", one(commits)),
        Family::counters(
            "heddle_journal_commits_failed",
            "Transactions that could not be written.",
            one(counts.commits_failed),
        ),
        Family::histograms(
            "heddle_journal_commit_frames",
            "Journal frames in one transaction.",
            vec![(Vec::new(), Spread::plain(frames))],
        ),
        Family::histograms(
            "heddle_journal_commit_duration_seconds",
            "From the first statement of a transaction until it is on disk.",
            vec![(Vec::new(), Spread::of_micros(micros))],
        )
        .in_unit("seconds"),
        Family::gauge(
            "heddle_journal_queue_depth",
            "Frames and other changes that are queued or being written.",
            counts.waiting as f64,
        ),
    ];
    let size = |name, help, bytes: u64| Family::gauge(name, help, bytes as f64).in_unit("bytes");
    if let Some(sizes) = gauges.sizes {
        families.push(size("heddle_database_bytes", "The database with all that is committed.", sizes.database));
        families.extend(sizes.log.map(|bytes| size("heddle_wal_bytes", "The write-ahead log's file.", bytes)));
    }
    families
}
