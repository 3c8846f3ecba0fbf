//! One provider's interface at one address: asks, waits, and tries again where that may help.

use crate::dialect::{self, Letter};
use crate::{Answer, Ask, Dialect, Error, Provider};
use heddle_model::Value;
use heddle_outbound::{Client, HeaderMap, Limits, Request, Response, Retry};
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// How long a call may take, with all that is tried again.
pub const OVERALL: Duration = Duration::from_secs(120);

/// Bytes of an answer.
const BODY: u64 = 16 << 20;

/// Characters of a provider's words that are handed on.
const WORDS: usize = 1_000;

/// Statuses that may pass. A call changes nothing at the provider, so it may be made again.
const RETRY: Retry = Retry {
    attempts: 3,
    first: Duration::from_millis(500),
    jitter: Duration::from_millis(500),
    longest: OVERALL,
    statuses: &[408, 409, 429, 500, 502, 503, 504, 529],
};

/// Where a call goes, and the key for it.
pub struct Server<'a> {
    /// How it is spoken to.
    pub provider: &'static Provider,
    /// Where its interface begins.
    pub base: &'a Url,
    /// Empty where none is wanted.
    pub key: &'a str,
    /// The way there.
    pub client: &'a Client,
}

impl Server<'_> {
    /// Asks for one answer.
    pub async fn ask(&self, ask: &Ask<'_>) -> Result<Answer, Error> {
        if !ask.tools.is_empty() && !self.provider.tools {
            return Err(Error::Unsupported("this provider does not support tools".to_owned()));
        }
        let letter = dialect::write(self.provider, ask);
        let answered = tokio::time::timeout(OVERALL, self.send(&letter)).await;
        let answer = answered.unwrap_or(Err(Error::Timeout(OVERALL)));
        answer.map_err(|error| match error {
            Error::TooLong { window, said, .. } => Error::TooLong { model: ask.model.to_owned(), window, said },
            other => other,
        })
    }

    /// Sends a request below the interface's path and reads the JSON of its answer.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        let deadline = Instant::now() + OVERALL;
        let mut attempt = 1;
        loop {
            let request = self.request(path, body).map_err(|error| self.network(&error))?;
            let answer = self.client.send(&request).await.map_err(|error| self.network(&error))?;
            if answer.status.is_success() {
                return serde_json::from_slice(&answer.body).map_err(|_| Error::Malformed("it is no JSON".to_owned()));
            }
            let wait = RETRY.wait(attempt, answer.status.as_u16(), asked_wait(&answer.headers), rand::random());
            match wait.filter(|wait| Instant::now() + *wait < deadline) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(self.refusal(&answer)),
            }
            attempt += 1;
        }
    }

    async fn send(&self, letter: &Letter) -> Result<Answer, Error> {
        dialect::read(self.provider.dialect, &self.post(&letter.path, &letter.body).await?)
    }

    /// A redirect is not followed: it would take the prompt to somebody whom nobody has named.
    fn request(&self, path: &str, body: &Value) -> Result<Request, heddle_outbound::Error> {
        let limits = Limits { body: BODY, read: OVERALL, whole: OVERALL };
        let mut request = Request::post(self.provider.url(self.base, path)).redirects(0).limits(limits);
        if self.provider.dialect == Dialect::Messages {
            request = request.header("anthropic-version", "2023-06-01")?;
        }
        for (name, value) in &self.provider.headers {
            request = request.header(name, value)?;
        }
        if !self.key.is_empty() {
            let (name, value) = dialect::key_header(self.provider.dialect, self.key);
            request = request.secret_header(name, &value)?;
        }
        Ok(request.json(body))
    }

    fn network(&self, error: &heddle_outbound::Error) -> Error {
        match error {
            heddle_outbound::Error::Timeout { after, phase, .. } if *phase != heddle_outbound::Phase::Connect => {
                Error::Timeout(*after)
            }
            other => Error::Network(self.without_key(&other.to_string())),
        }
    }

    fn refusal(&self, answer: &Response) -> Error {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let at = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let said = ["/error/message", "/error", "/message", "/detail", "/0/error/message"].into_iter().find_map(at);
        let said = said.unwrap_or_else(|| answer.text().trim().to_owned());
        let said: String = self.without_key(&said).chars().take(WORDS).collect();
        let code = at("/error/code").or_else(|| at("/error/type")).unwrap_or_default();
        Error::of_status(answer.status.as_u16(), said, &code)
    }

    /// Some servers repeat what they were sent.
    fn without_key(&self, text: &str) -> String {
        if self.key.len() < 4 { text.to_owned() } else { text.replace(self.key, "*") }
    }
}

/// The wait that a server asks for.
fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let millis = number("retry-after-ms").map(|millis| millis / 1000.0);
    Duration::try_from_secs_f64(millis.or_else(|| number("retry-after"))?).ok()
}
