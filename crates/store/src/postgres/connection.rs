//! One thread's connection: made when it is first needed, kept while it works, made anew when it broke.

use super::{Settings, tenure};
use crate::Error;
use crate::cell::Cell;
use std::cell::{self, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_postgres::error::Severity;
use tokio_postgres::{Client, Row, Statement};

/// After a failed attempt to connect, everything is refused at once for a moment; that moment doubles up to a bound.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a server may have been told to do otherwise. A commit that waits even for the standby's answer stays so.
const COMMON: &str = "SET client_min_messages = warning; SET jit = off; SET statement_timeout = 0; \
    SET default_transaction_isolation = 'read committed'; SET idle_in_transaction_session_timeout = '60s'; \
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') <> 'remote_apply'";
const WRITES: &str = "SET default_transaction_read_only = off";
const READS: &str = "SET default_transaction_read_only = on";
const ENCODING: &str = "SELECT current_setting('server_encoding')";

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Changing things.
    Writer,
    /// Only looking.
    Reader,
}

/// The way to the server, owned by one thread.
pub(crate) struct Server {
    settings: Arc<Settings>,
    role: Role,
    runtime: Runtime,
    link: Option<Link>,
    pause: Duration,
    refused: Option<(Instant, Error)>,
    /// A writer's session, also when it is lost.
    session: Option<tenure::Session>,
    /// The number of a writer's tenure.
    tenure: Option<i64>,
    /// Somebody else has written meanwhile.
    is_overtaken: bool,
}

/// A connection that stands.
struct Link {
    client: Client,
    connection: JoinHandle<()>,
    statements: RefCell<HashMap<(usize, usize), Statement>>,
    /// The server has ended it, or an answer did not come in time: no other is waited for.
    is_over: cell::Cell<bool>,
}

impl Server {
    /// Connects to nothing yet.
    pub(crate) fn new(settings: Arc<Settings>, role: Role) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::Disk(format!("the connection's runtime cannot start: {error}")))?;
        Ok(Self {
            settings,
            role,
            runtime,
            link: None,
            pause: FIRST_PAUSE,
            refused: None,
            session: None,
            tenure: None,
            is_overtaken: false,
        })
    }

    /// The connection as it stands, or a new one.
    pub(crate) fn connection(&mut self) -> Result<Connection<'_>, Error> {
        if self.is_lost() {
            if let Some(link) = self.link.take() {
                self.hang_up(link);
            }
            if let Some((until, error)) = &self.refused
                && Instant::now() < *until
            {
                return Err(error.clone());
            }
            match self.connect() {
                Ok(link) => {
                    self.link = Some(link);
                    self.refused = None;
                    self.pause = FIRST_PAUSE;
                }
                Err(error) => {
                    self.refused = Some((Instant::now() + self.pause, error.clone()));
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                    return Err(error);
                }
            }
        }
        let link = self.link.as_ref().expect("it stood or was just made");
        Ok(Connection { runtime: &self.runtime, link, patience: Some(self.settings.patience) })
    }

    /// The connection as it stands, or a new one as soon as it can be had.
    pub(crate) fn connection_before(&mut self, give_up: Instant) -> Option<Connection<'_>> {
        while self.connection().is_err() {
            let (until, _) = self.refused.as_ref()?;
            if *until > give_up || self.is_overtaken {
                return None;
            }
            std::thread::sleep(until.saturating_duration_since(Instant::now()));
        }
        self.connection().ok()
    }

    /// From here on this process is the one that writes. Needs its tables.
    pub(crate) fn begin_tenure(&mut self) -> Result<(), Error> {
        self.tenure = Some(tenure::begin(self.connection()?)?);
        Ok(())
    }

    /// A new connection; a writer's has the lock.
    fn connect(&mut self) -> Result<Link, Error> {
        if self.is_overtaken {
            return Err(overtaken());
        }
        let patience = self.settings.patience;
        let link = self.within(patience, connect(&self.settings, self.role))?;
        if self.role == Role::Writer
            && let Err(error) = self.own(&link)
        {
            self.hang_up(link);
            return Err(error);
        }
        Ok(link)
    }

    /// Makes this process the database's owner, or finds that it was.
    fn own(&mut self, link: &Link) -> Result<(), Error> {
        let is_first = self.refused.is_none();
        let patience = self.settings.patience + tenure::PATIENCE;
        let taken = tenure::take(&link.client, self.session.as_ref(), is_first);
        self.session = Some(self.within(patience, taken)?);
        if let Some(number) = self.tenure {
            self.is_overtaken = !self.within(patience, tenure::is_last(&link.client, number))?;
        }
        if self.is_overtaken { Err(overtaken()) } else { Ok(()) }
    }

    /// Waits, but not longer than so.
    fn within<T>(&self, patience: Duration, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let work = self.runtime.block_on(async { tokio::time::timeout(patience, work).await });
        work.unwrap_or_else(|_| Err(silent(patience)))
    }

    /// Whether there is none, or the server has hung up since it was last used.
    pub(crate) fn is_lost(&self) -> bool {
        let Some(link) = &self.link else { return true };
        if link.is_over.get() {
            return true;
        }
        // The runtime only runs while it is waited for; so it gets a turn to hear what the server said meanwhile, and
        // the connection a turn to understand it.
        self.runtime.block_on(async {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        });
        link.client.is_closed()
    }

    /// Closes a connection without waiting for what the server may still say.
    fn hang_up(&self, link: Link) {
        link.connection.abort();
        drop(self.runtime.block_on(link.connection));
    }

    /// Says goodbye, so that the server does not have to find out by itself.
    pub(crate) fn leave(mut self) {
        if let Some(Link { client, connection, .. }) = self.link.take() {
            drop(client);
            // Whether it was heard or not, there is nothing left to do.
            drop(self.runtime.block_on(async { tokio::time::timeout(FAREWELL, connection).await }));
        }
    }
}

async fn connect(settings: &Settings, role: Role) -> Result<Link, Error> {
    let (client, connection) = settings.config.connect(settings.tls.clone()).await?;
    let connection = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(error = %Error::from(error), "a connection to the database broke");
        }
    });
    if let Err(error) = prepare(&client, role).await {
        connection.abort();
        return Err(error);
    }
    Ok(Link { client, connection, statements: RefCell::default(), is_over: cell::Cell::new(false) })
}

/// Makes the session what we expect of one.
async fn prepare(client: &Client, role: Role) -> Result<(), Error> {
    client.batch_execute(COMMON).await?;
    client.batch_execute(if role == Role::Writer { WRITES } else { READS }).await?;
    let encoding: String = client.query_one(ENCODING, &[]).await?.try_get(0)?;
    if encoding != "UTF8" {
        return Err(Error::Address(format!("the database's encoding is {encoding}, not UTF8")));
    }
    Ok(())
}

fn silent(patience: Duration) -> Error {
    Error::Disk(format!("it has not answered for {} s", patience.as_secs()))
}

fn overtaken() -> Error {
    Error::Disk("another process has written to it meanwhile, so this one has to be started again".to_owned())
}

/// Whether the server says no more after this.
pub(super) fn ends_session(error: &tokio_postgres::Error) -> bool {
    use std::error::Error as _;
    match error.as_db_error() {
        Some(refusal) => matches!(refusal.parsed_severity(), Some(Severity::Fatal | Severity::Panic)),
        None => error.is_closed() || error.source().is_some_and(|cause| cause.is::<std::io::Error>()),
    }
}

/// A standing connection, to be used from the thread that owns it.
#[derive(Clone, Copy)]
pub(crate) struct Connection<'a> {
    runtime: &'a Runtime,
    link: &'a Link,
    /// How long the server may stay silent.
    patience: Option<Duration>,
}

impl<'a> Connection<'a> {
    /// The same, for questions that take as long as they take.
    pub(crate) fn patient(self) -> Self {
        Self { patience: None, ..self }
    }

    /// For statements that are sent in their own way.
    pub(super) fn client(self) -> &'a Client {
        &self.link.client
    }

    /// Waits for an answer. A connection whose answer does not come in time is given up: what was sent over it may still
    /// be carried out.
    pub(super) fn wait<T>(self, answer: impl Future<Output = T>) -> Result<T, Error> {
        let Some(patience) = self.patience else { return Ok(self.runtime.block_on(answer)) };
        if self.link.is_over.get() {
            return Err(silent(patience));
        }
        let answer = self.runtime.block_on(async { tokio::time::timeout(patience, answer).await });
        answer.map_err(|_| {
            self.link.is_over.set(true);
            silent(patience)
        })
    }

    /// What the server says to one statement.
    fn answer<T>(self, answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Error> {
        self.wait(answer)?.map_err(|error| self.failed(error))
    }

    /// Takes note of an error that ends the session.
    pub(super) fn failed(self, error: tokio_postgres::Error) -> Error {
        if ends_session(&error) {
            self.link.is_over.set(true);
        }
        error.into()
    }

    /// The statement of this text, prepared once. Texts are told apart by where they stand in the program, which costs
    /// less than looking at them.
    pub(super) fn statement(self, text: &'static str) -> Result<Statement, Error> {
        let key = (text.as_ptr() as usize, text.len());
        if let Some(statement) = self.link.statements.borrow().get(&key) {
            return Ok(statement.clone());
        }
        let statement = self.answer(self.link.client.prepare(text))?;
        self.link.statements.borrow_mut().insert(key, statement.clone());
        Ok(statement)
    }

    /// Carries a statement out and says how many rows it touched.
    pub(crate) fn execute(self, text: &'static str, args: &[Cell<'_>]) -> Result<u64, Error> {
        let statement = self.statement(text)?;
        self.answer(self.link.client.execute_raw(&statement, args))
    }

    /// The rows of an answer.
    pub(crate) fn query(self, text: &'static str, args: &[Cell<'_>]) -> Result<Vec<Row>, Error> {
        let statement = self.statement(text)?;
        let args: Vec<_> = args.iter().map(|cell| cell as _).collect();
        self.answer(self.link.client.query(&statement, &args))
    }

    /// Carries out statements without parameters.
    pub(crate) fn run(self, text: &str) -> Result<(), Error> {
        self.answer(self.link.client.batch_execute(text))
    }

    /// From here until the end of what is returned, all questions see the same instant.
    pub(crate) fn snapshot(self) -> Result<Snapshot<'a>, Error> {
        self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        Ok(Snapshot(self))
    }
}

/// A read-only transaction.
pub(crate) struct Snapshot<'a>(Connection<'a>);

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        // It fails only with the connection, and the transaction ends with that too.
        drop(self.0.run("COMMIT"));
    }
}
