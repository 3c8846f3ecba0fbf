//! Reads Prometheus' text format, version 0.0.4, and takes nothing that the format's description does not allow.

use std::collections::{HashMap, HashSet};

/// Every sample under its name and labels as they stand.
#[derive(Debug)]
pub struct Exposition(HashMap<String, f64>);

/// A family that is being read.
#[derive(Default)]
struct Family {
    name: String,
    kind: String,
    /// Bounds and counts of the histogram whose buckets are being read, by labels without `le`.
    buckets: HashMap<String, Vec<(f64, f64)>>,
    sums: HashSet<String>,
    counts: HashMap<String, f64>,
}

impl Exposition {
    /// Everything on the page, or what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !text.ends_with('\n') {
            return Err("the last line does not end".to_owned());
        }
        let (mut samples, mut done) = (HashMap::new(), HashSet::new());
        let mut family = Family::default();
        let mut helped = String::new();
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, text) = help.split_once(' ').ok_or_else(|| format!("no help: {line}"))?;
                check(!text.is_empty() && !text.contains('\\'), line)?;
                helped = name.to_owned();
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                std::mem::take(&mut family).finish()?;
                let (name, kind) = kind.split_once(' ').ok_or_else(|| format!("no type: {line}"))?;
                check(is_name(name) && name == helped && done.insert(name.to_owned()), line)?;
                check(["counter", "gauge", "histogram"].contains(&kind), line)?;
                check((kind == "counter") == name.ends_with("_total"), line)?;
                family = Family { name: name.to_owned(), kind: kind.to_owned(), ..Family::default() };
            } else {
                let (sample, value) = line.rsplit_once(' ').ok_or_else(|| format!("no value: {line}"))?;
                let value: f64 = value.parse().map_err(|_| format!("no number: {line}"))?;
                let (name, labels) = split(sample).ok_or_else(|| format!("bad labels: {line}"))?;
                family.take(name, &labels, value).ok_or_else(|| format!("not of {}: {line}", family.name))?;
                check(samples.insert(sample.to_owned(), value).is_none(), line)?;
            }
        }
        family.finish()?;
        Ok(Self(samples))
    }

    /// A sample; 0 when it is absent.
    pub fn get(&self, sample: &str) -> f64 {
        self.0.get(sample).copied().unwrap_or_default()
    }
}

impl Family {
    fn take(&mut self, name: &str, labels: &[(String, String)], value: f64) -> Option<()> {
        let rest = name.strip_prefix(&self.name).filter(|_| !self.name.is_empty())?;
        let bound = labels.iter().find(|(name, _)| name == "le");
        let others: Vec<_> = labels.iter().filter(|(name, _)| name != "le").collect();
        let key = format!("{others:?}");
        match (self.kind.as_str(), rest, bound) {
            ("counter", "", None) => (value >= 0.0).then_some(()),
            ("gauge", "", None) => Some(()),
            ("histogram", "_bucket", Some((_, bound))) => {
                let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? };
                let buckets = self.buckets.entry(key).or_default();
                let rises = buckets.last().is_none_or(|(last, count)| *last < bound && *count <= value);
                buckets.push((bound, value));
                rises.then_some(())
            }
            ("histogram", "_sum", None) => self.sums.insert(key).then_some(()),
            ("histogram", "_count", None) => self.counts.insert(key, value).is_none().then_some(()),
            _ => None,
        }
    }

    /// Each histogram is whole and ends with as many as it says.
    fn finish(self) -> Result<(), String> {
        for (labels, buckets) in &self.buckets {
            let last = buckets.last().map(|(bound, count)| (bound.is_infinite(), Some(*count)));
            let is_whole = last == Some((true, self.counts.get(labels).copied())) && self.sums.contains(labels);
            check(is_whole, &format!("the histogram {}{labels}", self.name))?;
        }
        check(self.counts.len() == self.buckets.len() && self.sums.len() == self.buckets.len(), &self.name)
    }
}

fn check(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("not allowed: {what}")) }
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|char| char.is_ascii_alphanumeric() || char == '_')
}

/// A sample's name and labels.
fn split(sample: &str) -> Option<(&str, Vec<(String, String)>)> {
    let Some((name, labels)) = sample.split_once('{') else { return is_name(sample).then_some((sample, Vec::new())) };
    let mut rest = labels.strip_suffix('}')?;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (label, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next()? {
                (at, '"') => break at,
                (_, '\\') => value.push(match chars.next()?.1 {
                    'n' => '\n',
                    kept @ ('"' | '\\') => kept,
                    _ => return None,
                }),
                (_, char) => value.push(char),
            }
        };
        if !is_name(label) || found.iter().any(|(known, _)| known == label) {
            return None;
        }
        found.push((label.to_owned(), value));
        rest = &after[end + 1..];
        rest = match rest.strip_prefix(',') {
            Some(more) if !more.is_empty() => more,
            Some(_) => return None,
            None if rest.is_empty() => rest,
            None => return None,
        };
    }
    (is_name(name) && !found.is_empty()).then_some((name, found))
}

#[test]
fn pages_that_the_format_forbids_are_refused() {
    let page = |lines: &str| Exposition::parse(&format!("# HELP a_total A.\n# TYPE a_total counter\n{lines}"));
    assert_eq!(page("a_total{x=\"1,\\\"}\"} 2\n").unwrap().get("a_total{x=\"1,\\\"}\"}"), 2.0);
    for wrong in [
        "a_total 1",
        "a_total -1\n",
        "a_total one\n",
        "b_total 1\n",
        "a_total{x=1} 1\n",
        "a_total{x=\"1\",} 1\n",
        "a_total{} 1\n",
        "a_total 1\na_total 1\n",
        "a_total 1\n# TYPE b gauge\n",
        "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n",
        "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
        "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 2\n",
    ] {
        assert!(page(wrong).is_err(), "{wrong}");
    }
}
