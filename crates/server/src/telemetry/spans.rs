//! Spans as OTLP messages.

use super::collector::Collector;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use prost::Message;
use std::sync::Arc;

/// Hands batches of spans to the collector. Not `opentelemetry-otlp`, which would take further settings from the
/// environment and bring a second client; the messages are the same.
#[derive(Debug)]
pub struct Exporter {
    collector: Arc<Collector>,
    resource: ResourceAttributesWithSchema,
}

impl Exporter {
    /// To this collector.
    pub fn new(collector: Arc<Collector>) -> Self {
        Self { collector, resource: ResourceAttributesWithSchema::default() }
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let message = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        match self.collector.spans(message).await {
            true => Ok(()),
            false => Err(OTelSdkError::InternalFailure("the collector did not take the spans".to_owned())),
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}
