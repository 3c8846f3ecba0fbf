//! When a callback that was not heard is tried again.
//!
//! After 1, 2, 4, … seconds, at most an hour each, and up to a fifth more by chance, so that callbacks which failed
//! together do not come back together: about 35 attempts, the last of them 24 h after the run's end. A server that asks
//! for a longer pause gets it, up to the same hour.

use heddle_model::Time;
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(3600);
/// How long it is tried.
pub(super) const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// When to try again after this many failures; `None` when it was the last. `chance` is from 0 to 1, `asked` what the
/// server wants.
pub(super) fn next(ended_at: Time, failures: u32, now: Time, chance: f64, asked: Option<Duration>) -> Option<Time> {
    let last = plus(ended_at, PATIENCE);
    if now >= last {
        return None;
    }
    let doubled = FIRST.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(LONGEST);
    let wait = doubled.mul_f64(1.0 + chance.clamp(0.0, 1.0) / 5.0);
    let wait = wait.max(asked.unwrap_or_default().min(LONGEST));
    Some(plus(now, wait).min(last))
}

pub(super) fn plus(time: Time, wait: Duration) -> Time {
    Time(time.0.saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: Time = Time(1_770_000_000_000_000);

    /// Seconds after the run's end of every attempt that fails at once.
    fn attempts(chance: f64) -> Vec<i64> {
        let (mut now, mut all) = (END, vec![0]);
        while let Some(next) = next(END, all.len() as u32, now, chance, None) {
            assert!(next > now);
            now = next;
            all.push((now.0 - END.0) / 1_000_000);
        }
        all
    }

    #[test]
    fn attempts_come_ever_later_for_a_day_and_then_end() {
        let all = attempts(0.0);
        assert_eq!(all[..14], [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095, 7695]);
        assert_eq!(all[14] - all[13], 3600);
        assert_eq!((all.len(), all.last()), (36, Some(&86_400)));
        let late = attempts(1.0);
        assert_eq!(late[..4], [0, 1, 3, 8]);
        assert_eq!((late.len(), late.last()), (32, Some(&86_400)));
    }

    #[test]
    fn a_server_may_ask_for_more_time_but_not_for_more_than_an_hour() {
        let next = |asked| next(END, 1, END, 0.0, Some(Duration::from_secs(asked))).unwrap().0 - END.0;
        assert_eq!([next(0), next(30), next(86_400)], [1_000_000, 30_000_000, 3_600_000_000]);
    }

    #[test]
    fn what_was_not_tried_in_its_day_is_tried_once() {
        let (late, never) = (plus(END, PATIENCE * 2), plus(END, PATIENCE));
        assert_eq!(next(END, 1, late, 0.0, None), None);
        assert_eq!(next(END, 40, never, 0.0, None), None);
        assert!(next(END, u32::MAX, END, 0.5, None).is_some());
    }
}
