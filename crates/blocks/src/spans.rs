//! What traces tell of an execution that waits. A port: which run an execution belongs to, and that run's own span, are
//! somebody else's to know.

use heddle_engine::ports::{Failure, Place};
use heddle_model::BlockFacts;
use tracing::Span;

/// Makes spans of node executions.
pub trait Spans: Send + Sync {
    /// One of this block at this place. It has the fields `otel.status_code` and `error.type`, still empty.
    fn node(&self, block: &BlockFacts, place: &Place) -> Span;
}

/// Notes how the execution ended; never its texts, which may hold anything.
pub(crate) fn note(span: &Span, ended: &Result<(), Failure>) {
    let Err(failure) = ended else { return };
    let kind = match failure {
        Failure::Input(_) => "input",
        Failure::Execution(_) => "execution",
        Failure::Output(_) => "output",
        Failure::Unknown(_) => "unknown",
    };
    span.record("otel.status_code", "ERROR");
    span.record("error.type", kind);
}
