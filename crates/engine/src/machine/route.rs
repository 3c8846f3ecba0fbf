//! From an output to the executions it feeds (`engine.md` 6, 7 and 10).

use super::Machine;
use crate::check::{Check, check, check_complete};
use crate::plan::PlanNode;
use heddle_model::{Object, Time, Value, pins};
use std::sync::Arc;

impl Machine {
    /// Routes what a node's executions have emitted, oldest execution first: a later one waits until the earlier
    /// one has ended and all its outputs are out.
    pub(super) fn route_outbox(&mut self, node: u32, at: Time) {
        while let Some(&exec) = self.nodes[node as usize].outbox.front() {
            loop {
                let state = &mut self.execs[exec as usize];
                let position = state.routed;
                // Lent to the routing, which never looks at outputs, and put back.
                let Some(output) = state.outputs.get_mut(position).map(std::mem::take) else { break };
                state.routed += 1;
                self.route(exec, &output.0, &output.1, at);
                self.execs[exec as usize].outputs[position] = output;
            }
            if !self.execs[exec as usize].status.is_terminal() {
                return;
            }
            self.nodes[node as usize].outbox.pop_front();
        }
    }

    /// Hands one output to every link that selects from it.
    pub(super) fn route(&mut self, exec: u32, pin: &str, value: &Value, at: Time) {
        let plan = Arc::clone(&self.plan);
        for link in &plan.node(self.execs[exec as usize].node).out {
            let sink = plan.node(link.sink);
            let selected = match pins::tool_parts(pin) {
                Some(tool) => feeds_tool(&link.source, tool, sink, link.pin).then(|| value.clone()),
                None => pins::select(&link.source, pin, value),
            };
            if let Some(token) = selected {
                self.deliver(link.sink, link.pin, token, link.is_static, at);
            }
        }
    }

    /// Section 6, "Delivery".
    fn deliver(&mut self, node: u32, pin: u16, token: Value, is_static: bool, at: Time) {
        let exec = self.oldest_lacking(node, pin, at);
        self.execs[exec as usize].tokens.push((pin, token));
        if !self.queue_if_ready(exec, self.nodes[node as usize].last_queued, at) || !is_static {
            return;
        }
        let source = self.nodes[node as usize].last_queued;
        for waiting in self.nodes[node as usize].waiting.clone() {
            self.queue_if_ready(waiting, source, at);
        }
    }

    /// The oldest waiting execution without a token on this pin, or a new one: so each pin is a queue, and the k-th
    /// tokens of all pins meet in the k-th execution. Those that hold one are always the older ones.
    fn oldest_lacking(&mut self, node: u32, pin: u16, at: Time) -> u32 {
        let waiting = &self.nodes[node as usize].waiting;
        let lacking = waiting.partition_point(|&exec| self.execs[exec as usize].has_token(pin));
        if let Some(&exec) = waiting.get(lacking) {
            return exec;
        }
        let exec = self.new_exec(node, at);
        self.nodes[node as usize].waiting.push_back(exec);
        exec
    }

    /// Fills static pins from `last`, checks, and queues; true when the execution left the waiting line for its run.
    fn queue_if_ready(&mut self, exec: u32, last: Option<u32>, at: Time) -> bool {
        let index = self.execs[exec as usize].node;
        let plan = Arc::clone(&self.plan);
        let node = plan.node(index);
        let checked = match self.mask(index) {
            Some(mask) => check(node, self.candidate(exec, node, last, Object::new()), Some(mask)),
            None if self.may_be_complete(exec, node, last) => {
                check_complete(node, self.candidate(exec, node, last, node.defaults.clone()))
            }
            None => return false,
        };
        match checked {
            Check::NotReady(_) => false,
            Check::Ready(data) => {
                self.leave_waiting(index, exec);
                self.queue(exec, data, at);
                true
            }
            Check::Broken(text) => {
                let data = self.candidate(exec, node, last, Object::new());
                self.leave_waiting(index, exec);
                self.queue_broken(exec, data, text, at);
                true
            }
        }
    }

    /// A quick no for executions that lack a pin which nothing can fill.
    fn may_be_complete(&self, exec: u32, node: &PlanNode, last: Option<u32>) -> bool {
        let state = &self.execs[exec as usize];
        if state.tokens.len() == node.pins.len() {
            return true;
        }
        let mut lacking = (0u16..).zip(&node.pins).filter(|(pin, _)| !state.has_token(*pin));
        lacking.all(|(_, pin)| pin.is_optional || (pin.is_static && last.is_some()))
    }

    /// What has arrived, and what static pins hold, laid over `data`.
    fn candidate(&self, exec: u32, node: &PlanNode, last: Option<u32>, mut data: Object) -> Object {
        let state = &self.execs[exec as usize];
        data.extend(state.tokens_of(node));
        let Some(last) = last else { return data };
        let known = self.execs[last as usize].input.as_deref();
        for (pin, _) in (0u16..).zip(&node.pins).filter(|(index, pin)| pin.is_static && !state.has_token(*index)) {
            let name = &node.pins[usize::from(pin)].name;
            let value = known.and_then(|input| input.get(name)).cloned().unwrap_or(Value::Null);
            data.insert(name.clone(), value);
        }
        data
    }

    fn leave_waiting(&mut self, node: u32, exec: u32) {
        let waiting = &mut self.nodes[node as usize].waiting;
        if waiting.front() == Some(&exec) {
            waiting.pop_front();
        } else {
            waiting.retain(|&other| other != exec);
        }
    }
}

/// Section 7, "Tool pins": the emitted pin names the sink node and pin; the link's own suffix does not count.
fn feeds_tool(source: &str, (node, pin): (&str, &str), sink: &PlanNode, sink_pin: u16) -> bool {
    pins::is_tool(source) && sink.id.as_str() == node && sink.pins[usize::from(sink_pin)].name == pin
}
