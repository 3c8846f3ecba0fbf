//! Requests counted by method, route and kind of status, and how long they took until their answer began.
//!
//! Every cell exists before the first request, so a request costs one look into a fixed table and a few additions. Only
//! route patterns are names here: a raw path would let clients make up as many as they like.

use super::family::{Family, Spread};
use crate::unrouted::Templates;
use heddle_platform::Histogram;
use http::{Method, StatusCode};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// Where everything goes that no route takes.
const UNMATCHED: &str = "unmatched";
/// Microseconds. A request may wait a minute for its run.
const MICROS: &[u64] = &[
    500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000,
    10_000_000, 30_000_000, 60_000_000,
];

/// The requests since the server started.
pub struct Traffic {
    /// Patterns as the router has them, with and without the prefix, to the place of their route.
    places: HashMap<String, usize>,
    /// The last one is for what is unmatched.
    routes: Vec<Route>,
}

struct Route {
    pattern: String,
    methods: [Cell; METHODS.len()],
}

struct Cell {
    requests: [AtomicU64; CLASSES.len()],
    micros: Histogram,
}

impl Default for Cell {
    fn default() -> Self {
        Self { requests: Default::default(), micros: Histogram::new(MICROS) }
    }
}

impl Traffic {
    /// Nothing counted yet, on these routes, which are also served below the prefix.
    pub fn new(templates: &Templates, prefix: &str) -> Self {
        let patterns: Vec<_> = templates.paths().chain([super::PATH]).collect();
        let mut places = HashMap::new();
        for (place, pattern) in patterns.iter().enumerate() {
            places.insert((*pattern).to_owned(), place);
            places.insert(format!("{prefix}{pattern}"), place);
        }
        let route = |pattern: &str| Route { pattern: pattern.to_owned(), methods: Default::default() };
        Self { places, routes: patterns.into_iter().chain([UNMATCHED]).map(route).collect() }
    }

    /// Counts a request that was answered.
    pub fn note(&self, method: &Method, pattern: Option<&str>, status: StatusCode, took: Duration) {
        let place = pattern.and_then(|pattern| self.places.get(pattern)).copied().unwrap_or(self.routes.len() - 1);
        let method = METHODS.iter().position(|known| *known == method.as_str()).unwrap_or(METHODS.len() - 1);
        let cell = &self.routes[place].methods[method];
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        cell.requests[class].fetch_add(1, Ordering::Relaxed);
        cell.micros.note(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// What was counted; without whatever never happened.
    pub fn families(&self) -> [Family; 2] {
        let (mut requests, mut times) = (Vec::new(), Vec::new());
        for route in &self.routes {
            for (method, cell) in METHODS.iter().zip(&route.methods) {
                let labels = || vec![("method", (*method).to_owned()), ("route", route.pattern.clone())];
                let mut seen = false;
                for (class, count) in CLASSES.iter().zip(&cell.requests) {
                    let count = count.load(Ordering::Relaxed);
                    if count > 0 {
                        let mut labels = labels();
                        labels.push(("status", (*class).to_owned()));
                        requests.push((labels, count as f64));
                        seen = true;
                    }
                }
                if seen {
                    times.push((labels(), Spread::of_micros(cell.micros.read())));
                }
            }
        }
        let took = "From a request's head to the head of its answer.";
        [
            Family::counters(
                "heddle_http_requests",
                "Requests answered, by route pattern and class of status.",
                requests,
            ),
            Family::histograms("heddle_http_request_duration_seconds", took, times).in_unit("seconds"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::family::Values;

    #[test]
    fn requests_count_under_patterns_whatever_stands_before_them() {
        let mut templates = Templates::default();
        templates.add("/graphs/{id}", "GET");
        let traffic = Traffic::new(&templates, "/heddle");
        let note = |method: &str, pattern, status| {
            let status = StatusCode::from_u16(status).unwrap();
            traffic.note(&method.parse().unwrap(), pattern, status, Duration::from_micros(700));
        };
        note("GET", Some("/graphs/{id}"), 200);
        note("GET", Some("/heddle/graphs/{id}"), 204);
        note("GET", Some("/graphs/{id}"), 404);
        note("BREW", None, 404);
        let [requests, times] = traffic.families();
        let Values::Counters(requests) = requests.values else { panic!("{requests:?}") };
        let seen: Vec<_> = requests
            .iter()
            .map(|(labels, count)| (labels.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>(), *count))
            .collect();
        let expected = [
            (vec!["GET", "/graphs/{id}", "2xx"], 2.0),
            (vec!["GET", "/graphs/{id}", "4xx"], 1.0),
            (vec!["other", "unmatched", "4xx"], 1.0),
        ];
        assert_eq!(seen, expected);
        let Values::Histograms(times) = times.values else { panic!("{times:?}") };
        assert_eq!(times.iter().map(|(_, spread)| spread.count()).collect::<Vec<_>>(), [3, 1]);
    }
}
