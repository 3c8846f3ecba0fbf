//! Measurements as OTLP messages: the same as `/metrics` shows, under the same names.

use heddle_api::metrics::{Family, Labels, Spread, Values};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
    ScopeMetrics, Sum, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use prost::Message;
use std::time::SystemTime;

/// One message with everything as it stands now; what counts has counted since `begun`.
pub fn encode(families: &[Family], resource: &opentelemetry_sdk::Resource, begun: SystemTime) -> Vec<u8> {
    let span = Span { begun: nanos(begun), now: nanos(SystemTime::now()) };
    let scope = InstrumentationScope { name: "heddle".to_owned(), ..Default::default() };
    let metrics = families.iter().map(|family| span.metric(family)).collect();
    let attributes = ResourceAttributesWithSchema::from(resource).attributes.0;
    let resource = Resource { attributes, ..Default::default() };
    let scope_metrics = vec![ScopeMetrics { scope: Some(scope), metrics, ..Default::default() }];
    let of_resource = ResourceMetrics { resource: Some(resource), scope_metrics, ..Default::default() };
    ExportMetricsServiceRequest { resource_metrics: vec![of_resource] }.encode_to_vec()
}

/// The time that measurements stand for.
#[derive(Clone, Copy)]
struct Span {
    begun: u64,
    now: u64,
}

impl Span {
    fn metric(self, family: &Family) -> Metric {
        let cumulative = AggregationTemporality::Cumulative as i32;
        let data = match &family.values {
            Values::Counters(values) => metric::Data::Sum(Sum {
                data_points: self.numbers(values),
                aggregation_temporality: cumulative,
                is_monotonic: true,
            }),
            Values::Gauges(values) => metric::Data::Gauge(Gauge { data_points: self.numbers(values) }),
            Values::Histograms(values) => metric::Data::Histogram(Histogram {
                data_points: values.iter().map(|(labels, spread)| self.distribution(labels, spread)).collect(),
                aggregation_temporality: cumulative,
            }),
        };
        let unit = match family.unit {
            Some("seconds") => "s",
            Some("bytes") => "By",
            _ => "1",
        };
        Metric {
            name: family.name.to_owned(),
            description: family.help.to_owned(),
            unit: unit.to_owned(),
            data: Some(data),
            ..Default::default()
        }
    }

    fn numbers(self, values: &[(Labels, f64)]) -> Vec<NumberDataPoint> {
        let point = |(labels, value): &(Labels, f64)| NumberDataPoint {
            attributes: attributes(labels),
            start_time_unix_nano: self.begun,
            time_unix_nano: self.now,
            value: Some(number_data_point::Value::AsDouble(*value)),
            ..Default::default()
        };
        values.iter().map(point).collect()
    }

    fn distribution(self, labels: &Labels, spread: &Spread) -> HistogramDataPoint {
        HistogramDataPoint {
            attributes: attributes(labels),
            start_time_unix_nano: self.begun,
            time_unix_nano: self.now,
            count: spread.count(),
            sum: Some(spread.sum()),
            bucket_counts: spread.distribution.counts.clone(),
            explicit_bounds: spread.bounds().collect(),
            ..Default::default()
        }
    }
}

fn attributes(labels: &Labels) -> Vec<KeyValue> {
    let attribute = |(name, value): &(&'static str, String)| KeyValue {
        key: (*name).to_owned(),
        value: Some(AnyValue { value: Some(any_value::Value::StringValue(value.clone())) }),
        ..Default::default()
    };
    labels.iter().map(attribute).collect()
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
