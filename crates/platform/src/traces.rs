//! The spans of runs, for whoever traces. A run outlives the request that started it and is carried on by tasks that know
//! nothing of it, so its span is kept here under its id, from its start to its end on disk.
//!
//! When nobody traces, nothing is kept and nothing is looked up.

use heddle_blocks::Spans;
use heddle_engine::ports::Place;
use heddle_model::{BlockFacts, GraphId, RunId, Status, UserId};
use heddle_store::Watcher;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tracing::field::{Empty, display};
use tracing::{Level, Span, info_span, span_enabled};

/// Runs traced at once; the spans of more are left out. Runs may wait for months, and their spans stay in memory.
const MOST: usize = 20_000;

/// The spans of unfinished runs.
#[derive(Clone, Default)]
pub(crate) struct Traces(Arc<Mutex<HashMap<RunId, Span>>>);

impl Traces {
    /// Whether anybody traces.
    pub(crate) fn are_wanted() -> bool {
        span_enabled!(Level::INFO)
    }

    /// A run is about to start, below the current span.
    pub(crate) fn begin(&self, run: RunId, owner: UserId, graph: GraphId) {
        if Self::are_wanted() {
            self.keep(run, || {
                info_span!(
                    "run",
                    run.id = %run,
                    run.owner = %owner,
                    graph.id = %graph,
                    run.parent = Empty,
                    run.status = Empty,
                    otel.status_code = Empty,
                )
            });
        }
    }

    /// It did not start.
    pub(crate) fn abandon(&self, run: RunId) {
        if Self::are_wanted() {
            self.open().remove(&run);
        }
    }

    fn keep(&self, run: RunId, make: impl FnOnce() -> Span) -> Span {
        let mut open = self.open();
        if let Some(known) = open.get(&run) {
            return known.clone();
        }
        if open.len() >= MOST {
            return Span::none();
        }
        let span = make();
        open.insert(run, span.clone());
        span
    }

    /// The span of a run that this process did not see start: it goes on after a restart.
    fn resumed(run: RunId, graph: GraphId) -> Span {
        info_span!(
            parent: None,
            "run",
            run.id = %run,
            graph.id = %graph,
            run.resumed = true,
            run.status = Empty,
            otel.status_code = Empty,
        )
    }

    fn open(&self) -> MutexGuard<'_, HashMap<RunId, Span>> {
        // Spans are whole whatever happened to another holder of the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher for Traces {
    /// Children come into being in their parent's commit; all others have begun before.
    fn opened(&self, run: RunId, owner: UserId, graph: GraphId, parent: Option<RunId>) {
        let Some(parent) = parent else { return };
        let above = self.open().get(&parent).cloned();
        let make = || {
            info_span!(
                parent: above.as_ref().and_then(Span::id),
                "run",
                run.id = %run,
                run.owner = %owner,
                graph.id = %graph,
                run.parent = %parent,
                run.status = Empty,
                otel.status_code = Empty,
            )
        };
        self.keep(run, make);
    }

    fn ended(&self, run: RunId, status: Status) {
        let Some(span) = self.open().remove(&run) else { return };
        span.record("run.status", display(status.as_str()));
        if status == Status::Failed {
            span.record("otel.status_code", "ERROR");
        }
    }
}

impl Spans for Traces {
    fn node(&self, block: &BlockFacts, place: &Place) -> Span {
        let run = self.keep(place.run, || Self::resumed(place.run, place.graph));
        info_span!(
            parent: run.id(),
            "node",
            run.id = %place.run,
            node.id = %place.node,
            node_exec.id = %place.exec_id(),
            block.id = %block.id,
            otel.name = &*block.name,
            otel.status_code = Empty,
            error.type = Empty,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(number: u32) -> RunId {
        let mut random = [0; 16];
        random[12..].copy_from_slice(&number.to_be_bytes());
        RunId::at(heddle_model::Time(1_770_000_000_000_000), random)
    }

    #[test]
    fn nothing_is_kept_while_nobody_traces() {
        let traces = Traces::default();
        traces.begin(run(1), UserId::from_random([1; 16]), GraphId::from_random([1; 16]));
        assert_eq!(traces.open().len(), 0);
    }

    #[test]
    fn only_so_many_spans_are_kept_and_an_end_makes_room() {
        let traces = Traces::default();
        let most = u32::try_from(MOST).unwrap();
        for number in 0..=most {
            traces.keep(run(number), Span::none);
        }
        assert!(traces.open().len() == MOST && !traces.open().contains_key(&run(most)));
        traces.ended(run(0), Status::Completed);
        traces.keep(run(most), Span::none);
        assert!(traces.open().len() == MOST && traces.open().contains_key(&run(most)));
    }
}
