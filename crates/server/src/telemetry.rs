//! Traces and measurements for a collector, by OTLP over HTTP; only while `telemetry.otlp_url` is set.
//!
//! The other crates make plain `tracing` spans and know nothing of this. A collector that is slow or away holds nothing
//! up: what does not fit into the queue is dropped, and that it is away is said once a minute.

mod collector;
mod measurements;
mod spans;

use axum::http::HeaderMap;
use collector::{Collector, Endpoints};
use heddle_api::Metrics;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, Tracer};
use spans::Exporter;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tracing::{Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::registry::LookupSpan;

/// Spans that wait to be sent, those sent at once, and how long the first waits for others.
const QUEUE: usize = 8_192;
const BATCH: usize = 1_024;
const DELAY: Duration = Duration::from_secs(1);
/// How often measurements are sent.
const INTERVAL: Duration = Duration::from_secs(30);
/// For what is still to be sent when the server stops.
const LAST: Duration = Duration::from_secs(2);

/// The way to the collector.
pub struct Telemetry {
    collector: Arc<Collector>,
    provider: SdkTracerProvider,
    resource: Resource,
    begun: SystemTime,
}

/// Sends measurements from time to time, until it is told to stop.
pub struct Pulse {
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Telemetry {
    /// Ready to send to the collector at this URL, with the work done on this runtime.
    pub fn new(url: &str, runtime: Handle) -> Self {
        let collector = Arc::new(Collector::new(Endpoints::of(url), runtime));
        let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name("heddle").with_attribute(version).build();
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(DELAY)
            .build();
        let exporter = Exporter::new(Arc::clone(&collector));
        let processor = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
        let provider =
            SdkTracerProvider::builder().with_resource(resource.clone()).with_span_processor(processor).build();
        Self { collector, provider, resource, begun: SystemTime::now() }
    }

    /// Takes in our spans, and neither those of libraries nor any log line: what they hold is not known here.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer: Tracer = self.provider.tracer("heddle");
        let ours = |about: &Metadata<'_>| about.is_span() && about.target().starts_with("heddle");
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(filter_fn(ours).with_max_level_hint(LevelFilter::INFO))
    }

    /// Sends measurements from now on.
    pub fn measure(&self, metrics: Metrics) -> Pulse {
        let (stop, mut stopped) = oneshot::channel();
        let (collector, resource, begun) = (Arc::clone(&self.collector), self.resource.clone(), self.begun);
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(INTERVAL);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut goes_on = true;
            while goes_on {
                tokio::select! {
                    _ = ticks.tick() => {}
                    _ = &mut stopped => goes_on = false,
                }
                collector.measurements(measurements::encode(&metrics.families().await, &resource, begun)).await;
            }
        });
        Pulse { stop, task }
    }

    /// Sends what is left, within a few seconds; the rest is dropped.
    pub async fn close(self) {
        let closing = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(LAST));
        if let Ok(Err(error)) = closing.await {
            tracing::warn!("the last spans were not sent: {error}");
        }
    }
}

impl Pulse {
    /// Sends once more and ends, within a few seconds.
    pub async fn close(self) {
        drop(self.stop);
        let abort = self.task.abort_handle();
        if tokio::time::timeout(LAST, self.task).await.is_err() {
            abort.abort();
        }
    }
}

/// Lets a request's span go on with the trace that its `traceparent` names.
pub fn adopt(span: &Span, headers: &HeaderMap) {
    let context = TraceContextPropagator::new().extract(&Headers(headers));
    if context.span().span_context().is_valid()
        && let Err(error) = span.set_parent(context)
    {
        tracing::debug!("a request's trace is not continued: {error}");
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}
