//! What a run looks like from outside: its node executions and outputs, folded from the machine.

use crate::machine::{Exec, Machine};
use heddle_model::Value;

/// Output pin → values, or run output name → values, in order of first appearance.
pub type Named = Vec<(String, Vec<Value>)>;

/// Groups values by name, names in order of first appearance.
pub fn group<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a Value)>) -> Named {
    let mut named: Named = Vec::new();
    for (name, value) in pairs {
        match named.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => values.push(value.clone()),
            None => named.push((name.to_owned(), vec![value.clone()])),
        }
    }
    named
}

impl Machine {
    /// Execution indexes in queue order; those never queued last, in the order they came into being.
    pub fn in_queue_order(&self) -> Vec<u32> {
        let all = 0..self.execs.len() as u32;
        let waiting = all.filter(|&exec| self.execs[exec as usize].queued_at.is_none());
        self.in_line().iter().copied().chain(waiting).collect()
    }

    /// The run's outputs (`engine.md` 11): the raw values that reached output nodes, in queue order.
    pub fn outputs(&self) -> Named {
        group(self.in_line().iter().filter_map(|&exec| self.run_output(&self.execs[exec as usize])))
    }

    /// The name and value of a queued output node's execution.
    pub fn run_output<'a>(&self, exec: &'a Exec) -> Option<(&'a str, &'a Value)> {
        if !self.plan.node(exec.node).is_output() {
            return None;
        }
        let input = exec.input.as_ref()?;
        let name = input.get("name")?.as_str()?;
        Some((name, input.get("value").unwrap_or(&Value::Null)))
    }
}
