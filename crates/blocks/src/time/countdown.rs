//! Waits, then emits, as often as asked.

use crate::block::{Block, Input, Run, never, refuse};
use crate::number;
use heddle_engine::Effect;
use heddle_engine::ports::{Failure, Timer};
use heddle_model::Value;

/// The engine waits; here is only how long and what for.
pub(crate) const BLOCK: Block =
    Block { id: heddle_model::block::COUNTDOWN_TIMER, effect: |_| Effect::Pure, slow: never, run: Run::Timer };

/// All rounds together, in seconds: a week.
const MAX_SECONDS: i64 = 604_800;

/// The rounds that the pins ask for.
pub(crate) fn timer(mut input: Input) -> Result<Timer, Failure> {
    let mut total: i64 = 0;
    for (pin, length) in [("seconds", 1), ("minutes", 60), ("hours", 3600), ("days", 86_400)] {
        let count = match input.take(pin) {
            Value::Null => Some(0),
            Value::String(text) => number::int(&text),
            other => number::integer(&other),
        };
        let count = count.ok_or_else(|| refuse(format!("{pin} must be a whole number")))?;
        total = total.saturating_add(count.saturating_mul(length));
    }
    let rounds = input.integer("repeat").unwrap_or(1);
    let seconds = u64::try_from(total).map_err(|_| refuse("the time to wait must not be negative"))?;
    if total.saturating_mul(rounds) > MAX_SECONDS {
        return Err(refuse(format!("all rounds together must not exceed {MAX_SECONDS} seconds")));
    }
    let message = input.given("input_message").unwrap_or_else(|| Value::from("timer finished"));
    let rounds = u32::try_from(rounds).map_err(|_| refuse("repeat must be between 1 and 1000"))?;
    Ok(Timer { seconds, rounds, output: ("output_message".to_owned(), message) })
}
