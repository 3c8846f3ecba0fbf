//! When to try again, as data.

use std::future::Future;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header};
use tokio::time::Instant;

use crate::Error;

/// Tries again on some statuses, and when no connection came about, waiting `first`, twice that, four times … plus a
/// random part of `jitter`.
///
/// Not after a connection that broke: nobody knows whether the request took effect.
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
        if self.statuses.contains(&status) { self.pause(attempt, asked, chance) } else { None }
    }

    /// The same for an attempt that deserves another one.
    fn pause(&self, attempt: u32, asked: Option<Duration>, chance: f64) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        let doubled = self.first.saturating_mul(2u32.saturating_pow(attempt - 1));
        let wait = doubled.saturating_add(self.jitter.mul_f64(chance.clamp(0.0, 1.0)));
        Some(wait.max(asked.unwrap_or_default()).min(self.longest))
    }

    /// Asks until the answer stands, and not past `until`. `outcome` reads an answer's status and the wait it asks for.
    pub(crate) async fn run<T, F: Future<Output = Result<T, Error>>>(
        &self,
        until: Option<Instant>,
        mut ask: impl FnMut() -> F,
        outcome: impl Fn(&T) -> (StatusCode, Option<Duration>),
    ) -> Result<T, Error> {
        let mut attempt = 1;
        loop {
            let answer = ask().await;
            let wait = match &answer {
                Ok(answer) => {
                    let (status, asked) = outcome(answer);
                    self.wait(attempt, status.as_u16(), asked, rand::random())
                }
                Err(error) if error.is_unreachable() => self.pause(attempt, None, rand::random()),
                Err(_) => None,
            };
            let in_time = |wait: &Duration| until.is_none_or(|until| Instant::now() + *wait < until);
            let Some(wait) = wait.filter(in_time) else { return answer };
            // Frees the connection before the wait.
            drop(answer);
            tokio::time::sleep(wait).await;
            attempt = attempt.saturating_add(1);
        }
    }
}

/// How long a server asks to be left alone: in seconds, or until a date (RFC 9110, 10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    Some(httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::Phase;

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
        let now = httpdate::parse_http_date("Wed, 21 Oct 2026 07:28:00 GMT").expect("a date");
        for (text, asked) in [
            ("20", seconds(20)),
            (" 7 ", seconds(7)),
            ("soon", None),
            ("-1", None),
            ("1.5", None),
            ("99999999999999999999", None),
            ("Wed, 21 Oct 2026 07:28:30 GMT", seconds(30)),
            ("Wednesday, 21-Oct-26 07:29:00 GMT", seconds(60)),
            ("Wed Oct 21 07:28:05 2026", seconds(5)),
            ("Wed, 21 Oct 2026 07:27:59 GMT", seconds(0)),
            ("Wed, 21 Oct 2026 07:28:30", None),
        ] {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, text.parse().expect("a value"))]);
            assert_eq!(retry_after(&headers, now), asked, "{text}");
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
        let answer = retry.run(None, ask, |_| (StatusCode::BAD_GATEWAY, None)).await;
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
        assert_eq!(Retry::up_to(9).run(None, ask, |status| (*status, None)).await, Ok(StatusCode::OK));

        let asked = Cell::new(0);
        let ask = || {
            asked.set(asked.get() + 1);
            std::future::ready(Err::<(), _>(Error::NotFound { host: "a.example".to_owned() }))
        };
        assert!(Retry::up_to(9).run(None, ask, |()| (StatusCode::OK, None)).await.is_err());
        assert_eq!(asked.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_cannot_be_reached_is_tried_again_and_one_that_broke_off_is_not() {
        let host = || "a.example".to_owned();
        let timeout = |phase| Error::Timeout { host: host(), phase, after: Duration::ZERO };
        for (error, times) in [
            (Error::Connect { host: host(), reason: "connection refused".to_owned() }, 3),
            (timeout(Phase::Connect), 3),
            (timeout(Phase::Read), 1),
            (timeout(Phase::Whole), 1),
            (Error::Broken { host: host(), reason: "reset".to_owned() }, 1),
            (Error::Blocked { host: host() }, 1),
        ] {
            let asked = Cell::new(0);
            let ask = || {
                asked.set(asked.get() + 1);
                std::future::ready(Err::<(), _>(error.clone()))
            };
            assert_eq!(Retry::up_to(3).run(None, ask, |()| (StatusCode::OK, None)).await, Err(error.clone()));
            assert_eq!(asked.get(), times, "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_past_the_end_is_not_begun() {
        let (asked, begun) = (Cell::new(0), Instant::now());
        let retry = Retry { jitter: Duration::ZERO, ..Retry::up_to(u32::MAX) };
        let ask = || {
            asked.set(asked.get() + 1);
            std::future::ready(Ok(asked.get()))
        };
        // Waits of 1, 2 and 4 s fit into 10 s; the 8 s after them do not.
        let until = Some(begun + Duration::from_secs(10));
        let answer = retry.run(until, ask, |_| (StatusCode::BAD_GATEWAY, None)).await;
        assert_eq!((answer, begun.elapsed()), (Ok(4), Duration::from_secs(7)));
        let answer = retry.run(until, ask, |_| (StatusCode::BAD_GATEWAY, Some(Duration::from_secs(60)))).await;
        assert_eq!((answer, begun.elapsed()), (Ok(5), Duration::from_secs(7)));
    }
}
