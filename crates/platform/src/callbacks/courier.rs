//! One attempt at one callback: made anew from what is on disk, so that it does not matter who died before.

use super::{Render, schedule, secret, signature};
use crate::patience::patiently;
use crate::secrets::Secrets;
use crate::{Accounts, Error, Runs};
use futures::FutureExt;
use heddle_engine::ports::Clock;
use heddle_fault as fault;
use heddle_model::Time;
use heddle_outbound::{Client, HeaderMap, Limits, Request, StatusCode, Streaming};
use heddle_store::{Callback, Store};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// Names the callback, the same at every attempt.
const DELIVERY: &str = "Heddle-Delivery";

/// How long a receiver may take, and how much of what it says is read: only so that the connection can be used again.
const LIMITS: Limits = Limits { body: 64 * 1024, read: Duration::from_secs(15), whole: Duration::from_secs(15) };
/// How long that may take once the callback was heard or not.
const REST: Duration = Duration::from_secs(1);

/// Delivers callbacks.
pub(crate) struct Courier {
    pub(crate) store: Store,
    pub(crate) runs: Runs,
    pub(crate) accounts: Accounts,
    pub(crate) secrets: Secrets,
    pub(crate) client: Client,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) render: Render,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There is nothing more to do.
    Over,
    /// It is tried again then.
    Later(Time),
    /// The database did not answer: nothing was noted.
    Unknown,
}

/// What came of a request.
enum Answer {
    Heard,
    /// The receiver wants no more of it.
    Gone,
    /// Why not, and the pause that the receiver asks for.
    Failed(String, Option<Duration>),
}

impl Courier {
    /// Tries once and notes what came of it.
    pub(super) async fn attempt(&self, callback: &Callback) -> Outcome {
        match self.try_once(callback).await {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::warn!(run.id = %callback.run, %error, "the callback of run {} waits: {error}", callback.run);
                Outcome::Unknown
            }
        }
    }

    async fn try_once(&self, callback: &Callback) -> Result<Outcome, Error> {
        let (owner, run) = (callback.owner, callback.run);
        let Some(callback) = self.store.callback(owner, run).await? else { return Ok(Outcome::Over) };
        let is_wanted = self.accounts.get(owner).await?.is_some();
        let ended = if is_wanted { self.runs.ended(owner, run).await? } else { None };
        // Of a disabled account, or removed by now.
        let Some(ended) = ended else { return self.over(&callback).await };
        let ask = AssertUnwindSafe(async { self.ask(&callback, (self.render)(&ended)).await });
        let answer = ask.catch_unwind().await.unwrap_or_else(|_| Ok(failed("delivering it panicked")))?;
        match answer {
            Answer::Heard => self.over(&callback).await,
            Answer::Gone => {
                tracing::info!(run.id = %run, "the callback of run {run} is not wanted: the receiver answered 410");
                self.over(&callback).await
            }
            Answer::Failed(why, asked) => self.not_heard(&callback, &why, asked).await,
        }
    }

    /// Sends it; an error when it could not be made.
    async fn ask(&self, callback: &Callback, body: Vec<u8>) -> Result<Answer, Error> {
        let secret = match secret(&self.secrets, callback.owner).await {
            // The key that opens it is missing, say; not for the receiver to know.
            Err(Error::Internal(why)) => return Ok(failed(&why)),
            secret => secret?,
        };
        fault::point!("callbacks.send.before")?;
        let signature = signature::sign(&secret, self.clock.now().unix(), &body);
        let request = Request::post(&callback.url)
            .header("Content-Type", "application/json")
            .and_then(|request| request.header(DELIVERY, &callback.run.to_string()))
            .and_then(|request| request.secret_header(signature::HEADER, &signature))
            .map(|request| request.body(body).limits(LIMITS).redirects(0));
        let answer = match request {
            Ok(request) => self.client.open(&request).await,
            Err(error) => Err(error),
        };
        // A crash here, where it was heard and that is not noted yet, is what makes it come twice.
        fault::point!("callbacks.send.after")?;
        Ok(match answer {
            Err(error) => failed(&error.to_string()),
            Ok(answer) => judge(answer).await,
        })
    }

    async fn not_heard(&self, callback: &Callback, why: &str, asked: Option<Duration>) -> Result<Outcome, Error> {
        let run = callback.run;
        let failures = callback.attempts.saturating_add(1);
        let Some(at) = schedule::next(callback.ended_at, failures, self.clock.now(), self.chance(), asked) else {
            tracing::warn!(
                run.id = %run,
                "the callback of run {run} is given up after {failures} attempts and 24 h: {why}"
            );
            return self.over(callback).await;
        };
        tracing::debug!(run.id = %run, "the callback of run {run} was not heard, attempt {failures}: {why}");
        patiently(|| self.store.postpone_callback(callback.owner, run, at, failures)).await?;
        Ok(Outcome::Later(at))
    }

    async fn over(&self, callback: &Callback) -> Result<Outcome, Error> {
        patiently(|| self.store.remove_callback(callback.owner, callback.run)).await?;
        Ok(Outcome::Over)
    }

    /// From 0 to 1.
    fn chance(&self) -> f64 {
        f64::from(u32::from_be_bytes(*self.clock.random().first_chunk().expect("16 bytes are more than 4")))
            / f64::from(u32::MAX)
    }
}

fn failed(why: &str) -> Answer {
    Answer::Failed(why.to_owned(), None)
}

async fn judge(answer: Streaming) -> Answer {
    let Streaming { status, headers, mut body, .. } = answer;
    let rest = async { while let Ok(Some(_)) = body.chunk().await {} };
    // What the receiver says beyond its status does not matter, nor whether it ever ends.
    let _ = tokio::time::timeout(REST, rest).await;
    match status {
        _ if status.is_success() => Answer::Heard,
        StatusCode::GONE => Answer::Gone,
        _ => Answer::Failed(format!("the receiver answered {}", status.as_u16()), retry_after(&headers)),
    }
}

/// The seconds that the receiver asks for; a date is passed over.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
