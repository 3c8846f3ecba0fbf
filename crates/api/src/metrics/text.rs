//! Prometheus' text format, version 0.0.4, and OpenMetrics 1.0, which differs where it says so here.
//!
//! Written by hand: what is counted lives in plain atomics in three crates, a registry would only stand between, and none
//! writes both formats.

use super::family::{Family, Labels, Spread, Values};
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue};
use std::fmt::{Display, Write};

/// Which of the two is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// What everything that scrapes can read, people included.
    Prometheus,
    /// For those who ask for it.
    OpenMetrics,
}

impl Format {
    /// What the request prefers. Whoever names OpenMetrics at all prefers it.
    pub fn accepted(headers: &HeaderMap) -> Self {
        let mut lines = headers.get_all(ACCEPT).into_iter().filter_map(|line| line.to_str().ok());
        match lines.any(|line| line.contains("application/openmetrics-text")) {
            true => Self::OpenMetrics,
            false => Self::Prometheus,
        }
    }

    /// Its media type.
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        })
    }
}

/// All families in this format.
pub fn write(families: &[Family], format: Format) -> String {
    let mut page = Page { text: String::with_capacity(16 << 10), format };
    for family in families {
        page.family(family);
    }
    if format == Format::OpenMetrics {
        page.text.push_str("# EOF\n");
    }
    page.text
}

struct Page {
    text: String,
    format: Format,
}

impl Page {
    fn family(&mut self, family: &Family) {
        let (kind, suffix) = match &family.values {
            Values::Counters(_) => ("counter", "_total"),
            Values::Gauges(_) => ("gauge", ""),
            Values::Histograms(_) => ("histogram", ""),
        };
        let sample = format!("{}{suffix}", family.name);
        // OpenMetrics describes the family, Prometheus its samples.
        let named = if self.format == Format::OpenMetrics { family.name } else { &sample };
        self.line(format_args!("# HELP {named} {}", family.help));
        self.line(format_args!("# TYPE {named} {kind}"));
        if let (Format::OpenMetrics, Some(unit)) = (self.format, family.unit) {
            self.line(format_args!("# UNIT {named} {unit}"));
        }
        match &family.values {
            Values::Counters(values) | Values::Gauges(values) => {
                for (labels, value) in values {
                    self.sample(&sample, labels, None, *value);
                }
            }
            Values::Histograms(values) => {
                for (labels, spread) in values {
                    self.histogram(family.name, labels, spread);
                }
            }
        }
    }

    fn histogram(&mut self, name: &str, labels: &Labels, spread: &Spread) {
        let bucket = format!("{name}_bucket");
        let mut below = 0;
        let bounds = spread.bounds().map(|bound| format!("{bound:?}")).chain(["+Inf".to_owned()]);
        for (bound, count) in bounds.zip(&spread.distribution.counts) {
            below += count;
            self.sample(&bucket, labels, Some(&bound), below as f64);
        }
        self.sample(&format!("{name}_sum"), labels, None, spread.sum());
        self.sample(&format!("{name}_count"), labels, None, below as f64);
    }

    fn sample(&mut self, name: &str, labels: &Labels, bound: Option<&str>, value: f64) {
        self.text.push_str(name);
        let labels = labels.iter().map(|(name, value)| (*name, value.as_str()));
        let mut before = '{';
        for (name, value) in labels.chain(bound.map(|bound| ("le", bound))) {
            self.put(format_args!("{before}{name}=\"{}\"", escaped(value)));
            before = ',';
        }
        if before == ',' {
            self.text.push('}');
        }
        self.line(format_args!(" {value}"));
    }

    fn line(&mut self, text: impl Display) {
        self.put(format_args!("{text}\n"));
    }

    fn put(&mut self, text: impl Display) {
        write!(self.text, "{text}").expect("a text takes everything");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use heddle_platform::Histogram;

    fn families() -> Vec<Family> {
        let times = Histogram::new(&[200, 1_000_000]);
        [100, 200, 300, 2_000_000].iter().for_each(|micros| times.note(*micros));
        let labels = vec![("route", "/a\\\"b\n".to_owned())];
        vec![
            Family::counters("heddle_things", "Things.", vec![(labels, 3.0)]),
            Family::gauge("heddle_room_bytes", "Room.", 1.5).in_unit("bytes"),
            Family::histograms("heddle_wait_seconds", "Waits.", vec![(Vec::new(), Spread::of_micros(times.read()))])
                .in_unit("seconds"),
        ]
    }

    #[test]
    fn both_formats_are_as_their_descriptions_have_them() {
        let samples = "heddle_things_total{route=\"/a\\\\\\\"b\\n\"} 3\n";
        let buckets = "heddle_wait_seconds_bucket{le=\"0.0002\"} 2\nheddle_wait_seconds_bucket{le=\"1.0\"} 3\n\
            heddle_wait_seconds_bucket{le=\"+Inf\"} 4\nheddle_wait_seconds_sum 2.0006\nheddle_wait_seconds_count 4\n";
        let prometheus = format!(
            "# HELP heddle_things_total Things.\n# TYPE heddle_things_total counter\n{samples}\
             # HELP heddle_room_bytes Room.\n# TYPE heddle_room_bytes gauge\nheddle_room_bytes 1.5\n\
             # HELP heddle_wait_seconds Waits.\n# TYPE heddle_wait_seconds histogram\n{buckets}"
        );
        assert_eq!(write(&families(), Format::Prometheus), prometheus);
        let open = format!(
            "# HELP heddle_things Things.\n# TYPE heddle_things counter\n{samples}\
             # HELP heddle_room_bytes Room.\n# TYPE heddle_room_bytes gauge\n# UNIT heddle_room_bytes bytes\n\
             heddle_room_bytes 1.5\n\
             # HELP heddle_wait_seconds Waits.\n# TYPE heddle_wait_seconds histogram\n\
             # UNIT heddle_wait_seconds seconds\n{buckets}# EOF\n"
        );
        assert_eq!(write(&families(), Format::OpenMetrics), open);
    }

    #[test]
    fn openmetrics_is_for_those_who_name_it() {
        let format = |accept: &'static str| {
            Format::accepted(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]))
        };
        assert_eq!(format("*/*"), Format::Prometheus);
        assert_eq!(format("text/plain;version=0.0.4"), Format::Prometheus);
        let both = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3";
        assert_eq!(format(both), Format::OpenMetrics);
    }
}
