//! A stub of a collector on the loopback: keeps what it is sent, and answers everything else with an empty object.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{metric, number_data_point};
use prost::Message;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What it was sent: path and body.
type Messages = Mutex<Vec<(String, Vec<u8>)>>;

/// The collector; its threads end with the test.
pub struct Collector {
    address: String,
    messages: Arc<Messages>,
}

/// A span as it was sent; ids in hexadecimal, attributes as texts.
#[derive(Debug)]
pub struct Span {
    /// What it is called.
    pub name: String,
    /// Trace.
    pub trace: String,
    /// Itself.
    pub id: String,
    /// The span above it; empty when there is none.
    pub parent: String,
    /// Who sent it.
    pub resource: HashMap<String, String>,
    attributes: HashMap<String, String>,
}

impl Span {
    /// An attribute; empty when it is absent.
    pub fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

impl Collector {
    /// Listens on a port of its own.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let messages = Arc::new(Messages::default());
        let kept = Arc::clone(&messages);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || while take(&stream, &kept).is_some() {});
            }
        });
        Self { address, messages }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All spans so far.
    pub fn spans(&self) -> Vec<Span> {
        let mut found = Vec::new();
        for body in self.bodies("/v1/traces") {
            for group in ExportTraceServiceRequest::decode(&*body).unwrap().resource_spans {
                let resource = texts(&group.resource.unwrap().attributes);
                for span in group.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                    assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
                    found.push(Span {
                        name: span.name,
                        trace: hex(&span.trace_id),
                        id: hex(&span.span_id),
                        parent: hex(&span.parent_span_id),
                        resource: resource.clone(),
                        attributes: texts(&span.attributes),
                    });
                }
            }
        }
        found
    }

    /// The sum of a counter's points as it was last sent.
    pub fn measurement(&self, name: &str) -> Option<f64> {
        let body = self.bodies("/v1/metrics").pop()?;
        let message = ExportMetricsServiceRequest::decode(&*body).unwrap();
        let scopes = message.resource_metrics.into_iter().flat_map(|group| group.scope_metrics);
        let found = scopes.flat_map(|scope| scope.metrics).find(|metric| metric.name == name)?;
        let Some(metric::Data::Sum(sum)) = found.data else { panic!("{name} is no counter") };
        let value = |point| match point {
            Some(number_data_point::Value::AsDouble(value)) => value,
            other => panic!("{other:?} is no such number"),
        };
        Some(sum.data_points.into_iter().map(|point| value(point.value)).sum())
    }

    fn bodies(&self, path: &str) -> Vec<Vec<u8>> {
        let messages = self.messages.lock().unwrap();
        messages.iter().filter(|(to, _)| to == path).map(|(_, body)| body.clone()).collect()
    }
}

/// One request of a connection; `None` at its end.
fn take(stream: &TcpStream, kept: &Messages) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let header = line.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    kept.lock().unwrap().push((path, body));
    let mut writer = stream;
    writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}").ok()
}

fn texts(attributes: &[KeyValue]) -> HashMap<String, String> {
    let text = |attribute: &KeyValue| match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        Some(any_value::Value::BoolValue(value)) => value.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
