//! Asking again while the database is away: a run must not fail of what passes.

use heddle_store::Error;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// After this long it is no longer taken for something that passes.
const LONGEST: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The answer, or the last error.
pub(crate) async fn patiently<T, F>(question: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    ask(question, Some(LONGEST)).await
}

/// The answer, or an error that does not pass, however long that takes: for runs, which go on when the database does.
pub(crate) async fn tirelessly<T, F>(question: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    ask(question, None).await
}

async fn ask<T, F>(question: impl Fn() -> F, longest: Option<Duration>) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let give_up = longest.map(|longest| Instant::now() + longest);
    let mut pause = FIRST_PAUSE;
    loop {
        match question().await {
            Err(error) if error.may_pass() && give_up.is_none_or(|give_up| Instant::now() < give_up) => {
                tracing::warn!(%error, "asking the database again");
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database that is away for so long, and then says this.
    async fn away(longest: Option<Duration>, away: Duration, then: Result<u8, Error>) -> Result<u8, Error> {
        let (back, then) = (Instant::now() + away, &std::sync::Mutex::new(Some(then)));
        let question = || async move {
            match Instant::now() < back {
                true => Err(Error::Disk("away".to_owned())),
                false => then.lock().unwrap().take().unwrap(),
            }
        };
        ask(question, longest).await
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_waited_for_as_long_as_one_is_patient() {
        let hour = Duration::from_secs(3600);
        assert!(matches!(away(None, hour, Ok(1)).await, Ok(1)));
        assert!(matches!(away(Some(LONGEST), hour, Ok(1)).await, Err(Error::Disk(_))));
        assert!(matches!(away(Some(LONGEST), LONGEST / 2, Ok(1)).await, Ok(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_pass_is_said_at_once() {
        let before = Instant::now();
        assert!(matches!(away(None, Duration::ZERO, Err(Error::Closed)).await, Err(Error::Closed)));
        assert_eq!(before.elapsed(), Duration::ZERO);
    }
}
