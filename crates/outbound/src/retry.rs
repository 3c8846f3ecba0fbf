//! When to try again, as data.

use std::future::Future;
use std::time::Duration;

use http::{HeaderMap, StatusCode, header};

use crate::Error;

/// Tries again on some statuses, waiting `first`, twice that, four times … plus a random part of `jitter`.
///
/// Only statuses: after a broken connection nobody knows whether the request took effect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    /// How often to ask in all; 1 never asks again, and `u32::MAX` does not stop by itself.
    pub attempts: u32,
    /// The wait before the second attempt.
    pub first: Duration,
    /// The most that chance adds to a wait, so that clients turned away together do not come back together.
    pub jitter: Duration,
    /// The longest wait, also when the server asks for a longer one.
    pub longest: Duration,
    /// The statuses to try again on.
    pub statuses: &'static [u16],
}

/// Statuses that may pass: the server is busy, or something before it failed.
const PASSING: &[u16] = &[408, 429, 500, 502, 503, 504];

impl Retry {
    /// One attempt.
    pub const fn never() -> Self {
        Self::up_to(1)
    }

    /// Up to `attempts` attempts, waiting one second before the second and 300 at most.
    pub const fn up_to(attempts: u32) -> Self {
        let second = Duration::from_secs(1);
        Self { attempts, first: second, jitter: second, longest: Duration::from_secs(300), statuses: PASSING }
    }

    /// How long to wait after attempt number `attempt` (from 1) ended in `status`, or `None` when that is the answer.
    /// `asked` is what the server wants; `chance` is from 0 to 1.
    pub fn wait(&self, attempt: u32, status: u16, asked: Option<Duration>, chance: f64) -> Option<Duration> {
        if attempt >= self.attempts || !self.statuses.contains(&status) {
            return None;
        }
        let doubled = self.first.saturating_mul(2u32.saturating_pow(attempt - 1));
        let wait = doubled.saturating_add(self.jitter.mul_f64(chance.clamp(0.0, 1.0)));
        Some(wait.max(asked.unwrap_or_default()).min(self.longest))
    }

    /// Asks until the answer stands. `outcome` reads an answer's status and the wait it asks for.
    pub(crate) async fn run<T, F: Future<Output = Result<T, Error>>>(
        &self,
        mut ask: impl FnMut() -> F,
        outcome: impl Fn(&T) -> (StatusCode, Option<Duration>),
    ) -> Result<T, Error> {
        let mut attempt = 1;
        loop {
            let answer = ask().await?;
            let (status, asked) = outcome(&answer);
            let Some(wait) = self.wait(attempt, status.as_u16(), asked, rand::random()) else {
                return Ok(answer);
            };
            // Frees the connection before the wait.
            drop(answer);
            tokio::time::sleep(wait).await;
            attempt = attempt.saturating_add(1);
        }
    }
}

/// The seconds a server asks for. It may also name a date; then our own wait has to do.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::Instant;

    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let retry = Retry::up_to(u32::MAX);
        for (attempt, chance, seconds) in [
            (1, 0.0, 1.0),
            (1, 0.5, 1.5),
            (2, 0.0, 2.0),
            (3, 1.0, 5.0),
            (9, 0.0, 256.0),
            (10, 0.0, 300.0),
            (33, 1.0, 300.0),
            (1_000_000, 0.3, 300.0),
        ] {
            assert_eq!(retry.wait(attempt, 503, None, chance), Some(Duration::from_secs_f64(seconds)), "{attempt}");
        }
    }

    #[test]
    fn only_passing_statuses_are_tried_again() {
        for status in 100..600 {
            let again = Retry::up_to(2).wait(1, status, None, 0.0).is_some();
            assert_eq!(again, [408, 429, 500, 502, 503, 504].contains(&status), "{status}");
        }
        assert_eq!(Retry::never().wait(1, 503, None, 0.0), None);
        assert_eq!(Retry::up_to(3).wait(3, 503, None, 0.0), None);
    }

    #[test]
    fn a_server_may_ask_for_more_time_but_not_for_ever() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (asked, waited) in
            [(None, seconds(1)), (seconds(0), seconds(1)), (seconds(20), seconds(20)), (seconds(9999), seconds(300))]
        {
            assert_eq!(Retry::up_to(2).wait(1, 429, asked, 0.0), waited);
        }
        for (text, asked) in
            [("20", seconds(20)), ("soon", None), ("-1", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)]
        {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, text.parse().expect("a value"))]);
            assert_eq!(retry_after(&headers), asked, "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_answer_stands_after_all_attempts_and_their_waits() {
        let (asked, begun) = (Cell::new(0), Instant::now());
        let retry = Retry { jitter: Duration::ZERO, ..Retry::up_to(4) };
        let ask = || {
            asked.set(asked.get() + 1);
            std::future::ready(Ok(asked.get()))
        };
        let answer = retry.run(ask, |_| (StatusCode::BAD_GATEWAY, None)).await;
        assert_eq!((answer, begun.elapsed()), (Ok(4), Duration::from_secs(7)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_good_answer_and_an_error_end_it() {
        let statuses = Cell::new([StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE].as_slice());
        let ask = || {
            let (last, rest) = statuses.get().split_last().expect("not asked again after a good answer");
            statuses.set(rest);
            std::future::ready(Ok(*last))
        };
        assert_eq!(Retry::up_to(9).run(ask, |status| (*status, None)).await, Ok(StatusCode::OK));

        let asked = Cell::new(0);
        let ask = || {
            asked.set(asked.get() + 1);
            std::future::ready(Err::<(), _>(Error::NotFound { host: "a.example".to_owned() }))
        };
        assert!(Retry::up_to(9).run(ask, |()| (StatusCode::OK, None)).await.is_err());
        assert_eq!(asked.get(), 1);
    }
}
