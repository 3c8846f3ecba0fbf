//! Nodes that a block has run as tools: real executions of the run, which tell their end to whoever called.
//!
//! What is called is an event, so a crash does not call it twice: an attempt that calls the same again, in the same order,
//! is given the executions that are there.

use super::Driver;
use crate::check::{self, Check};
use crate::journal::Event;
use crate::ports::{Call, Called};
use heddle_model::{Object, Status};
use std::sync::Arc;
use tokio::sync::oneshot;

impl Driver {
    pub(super) fn on_call(&mut self, exec: u32, call: Call, reply: oneshot::Sender<Called>) {
        let plan = Arc::clone(&self.machine.plan);
        let Some(node) = plan.nodes.get(call.node as usize) else { return };
        let input = match check::check_call(node, call.arguments, self.machine.mask(call.node)) {
            Check::Ready(input) => input,
            Check::NotReady(text) | Check::Broken(text) => return drop(reply.send(Called::Failed(text))),
        };
        let called = self.same_call(exec, call.node, &input).unwrap_or_else(|| {
            self.record(Event::Called { exec, node: call.node, input: Arc::new(input) });
            self.machine.execs.len() as u32 - 1
        });
        *self.calls.entry(exec).or_default() += 1;
        self.callers.entry(called).or_default().push(reply);
        self.tell_callers(called);
    }

    /// What the attempt before a crash called at this point.
    fn same_call(&self, exec: u32, node: u32, input: &Object) -> Option<u32> {
        let so_far = self.calls.get(&exec).copied().unwrap_or_default();
        let called = *self.machine.execs[exec as usize].calls.get(so_far)?;
        let state = &self.machine.execs[called as usize];
        (state.node == node && state.input.as_deref() == Some(input)).then_some(called)
    }

    /// Those who wait for an execution hear of its end; or that a person has to be waited for.
    pub(super) fn tell_callers(&mut self, called: u32) {
        if !self.callers.contains_key(&called) {
            return;
        }
        let state = &self.machine.execs[called as usize];
        let failure = || state.outputs.iter().rev().find(|(pin, _)| pin == "error");
        let told = match state.status {
            Status::Completed => Called::Done(state.outputs.clone()),
            Status::Failed => {
                Called::Failed(failure().map(|(_, text)| heddle_model::python::text(text)).unwrap_or_default())
            }
            Status::Terminated => Called::Failed("it was stopped".to_owned()),
            Status::Review => Called::Waiting,
            Status::Incomplete | Status::Queued | Status::Running => return,
        };
        for caller in self.callers.remove(&called).unwrap_or_default() {
            let _ = caller.send(told.clone());
        }
    }
}
