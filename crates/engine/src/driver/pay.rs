//! Paying for executions, where that is asked for: before each begins, and at its end for what it has used.

use super::Driver;
use super::start::INTERRUPTED;
use crate::credits::{Charge, Credits, Short, Spender};
use crate::journal::{Event, JournalError, Outcome};
use heddle_model::{Status, Time, Usage};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What a run ends with that would begin without a credit.
const NOTHING_LEFT: &str =
    "At least 1 credit must be available to run this agent. Please make more credits available and try again.";

impl Driver {
    fn spender(&self) -> Spender {
        let accepted = self.machine.accepted.as_ref().expect("a driven run was accepted");
        Spender { owner: accepted.owner, graph: accepted.graph }
    }

    /// Nothing of a run begins before it is known what its owner may spend, and a new one not without a credit.
    pub(super) async fn open_purse(&mut self) -> Result<(), JournalError> {
        let Some(credits) = self.credits() else { return Ok(()) };
        let (spender, now) = (self.spender(), self.host.now());
        let balance = credits.open(spender.owner, now).await?;
        if balance > 0 || self.machine.started_at.is_some() || self.machine.has_ended() || self.closing {
            return Ok(());
        }
        credits.fell_short(spender, balance, now);
        self.end_early(Status::Failed, Some(NOTHING_LEFT.to_owned())).await
    }

    fn credits(&self) -> Option<Arc<Credits>> {
        self.host.ports.credits.clone()
    }

    /// Finds out what an execution costs that is about to begin, and pays for it.
    pub(super) fn pay(&mut self, exec: u32) -> Result<(), Short> {
        let state = &self.machine.execs[exec as usize];
        let (Some(block), Some(input)) = (&self.machine.plan.node(state.node).block, &state.input) else {
            return Ok(());
        };
        let blocks = &self.host.ports.blocks;
        let cost = blocks.cost(block, input);
        self.cost = if state.is_call { 0 } else { cost };
        let Some(credits) = &self.host.ports.credits else { return Ok(()) };
        let (more, now) = (blocks.may_cost_more(block, input), self.host.now());
        let spender = self.spender();
        let taken = if state.is_call {
            let (taken, hold) = credits.admit(spender, cost, more, now)?;
            self.set_aside.insert(exec, hold);
            taken
        } else {
            credits.take(spender, cost, more, now)?
        };
        self.cost = taken.amount;
        self.charge(taken);
        Ok(())
    }

    /// Sets aside what a tool will cost that another process began.
    pub(super) fn hold_again(&mut self, exec: u32) {
        if let Some(credits) = self.credits() {
            let hold = credits.hold(self.spender().owner, self.cost_of_call(exec));
            self.set_aside.insert(exec, hold);
        }
    }

    /// The next frame takes it from the wallet.
    fn charge(&mut self, taken: Charge) {
        if let Some(spent) = &self.channels.spent {
            spent.fetch_add(taken.amount, Ordering::Relaxed);
        }
        let before = self.charge.unwrap_or_default().amount;
        self.charge = Some(Charge { amount: before + taken.amount, ..taken });
    }

    /// A refill may be due. Otherwise the execution fails, and the run with it.
    pub(super) async fn pay_again(&mut self, exec: u32, short: Short) -> Result<(), JournalError> {
        let Some(credits) = self.credits() else { return Ok(()) };
        let (spender, now) = (self.spender(), self.host.now());
        let short = match credits.open(spender.owner, now).await? {
            balance if balance == short.have => short,
            _ => match self.pay(exec) {
                Ok(()) => {
                    self.start(exec);
                    return Ok(());
                }
                Err(short) => short,
            },
        };
        credits.fell_short(spender, short.have, now);
        self.end_early_over(Some(exec), Status::Failed, Some(short.to_string())).await
    }

    /// What an execution costs that ends at this moment, besides what was paid when it began: what it has used, and a tool
    /// that has succeeded its price by run as well (`semantics.md` 3.3).
    pub(super) fn charge_for_use(&mut self, at: Time, exec: u32, outcome: &Outcome) {
        let mut cost = self.cost_of_use(at, exec, outcome);
        if self.machine.execs[exec as usize].is_call {
            self.set_aside.remove(&exec);
            cost += if *outcome == Outcome::Completed { self.cost_of_call(exec) } else { 0 };
        }
        if cost == 0 {
            return;
        }
        if let Some(credits) = self.credits() {
            credits.settle(self.spender(), cost, at);
            let counted = self.charge.unwrap_or_default();
            self.charge(Charge { amount: cost, ..counted });
        }
        self.record_at(at, Event::Charged { exec, cost });
    }

    fn cost_of_call(&self, exec: u32) -> u64 {
        let state = &self.machine.execs[exec as usize];
        match (&self.machine.plan.node(state.node).block, &state.input) {
            (Some(block), Some(input)) => self.host.ports.blocks.cost(block, input),
            _ => 0,
        }
    }

    /// For the time that it took and what it has used. Of one that was cut off only what it had noted is known.
    fn cost_of_use(&self, at: Time, exec: u32, outcome: &Outcome) -> u64 {
        let state = &self.machine.execs[exec as usize];
        let (Some(block), Some(input)) = (&self.machine.plan.node(state.node).block, &state.input) else { return 0 };
        let blocks = &self.host.ports.blocks;
        let Some(begun_at) = state.begun_at.filter(|_| blocks.may_cost_more(block, input)) else { return 0 };
        let was_cut_off = match outcome {
            Outcome::Completed => false,
            Outcome::Failed(text) => text == INTERRUPTED,
            Outcome::Terminated => true,
        };
        match was_cut_off {
            true if state.usage == Usage::default() => 0,
            true => blocks.cost_after(block, input, Duration::ZERO, &state.usage),
            false => blocks.cost_after(block, input, at.since(begun_at), &state.usage),
        }
    }
}
