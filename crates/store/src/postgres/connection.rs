//! One thread's connection: made when it is first needed, kept while it works, made anew when it broke.

use super::Settings;
use crate::Error;
use crate::cell::Cell;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
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
}

/// A connection that stands.
struct Link {
    client: Client,
    connection: JoinHandle<()>,
    statements: RefCell<HashMap<(usize, usize), Statement>>,
}

impl Server {
    /// Connects to nothing yet.
    pub(crate) fn new(settings: Arc<Settings>, role: Role) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::Disk(format!("the connection's runtime cannot start: {error}")))?;
        Ok(Self { settings, role, runtime, link: None, pause: FIRST_PAUSE, refused: None })
    }

    /// The connection as it stands, or a new one.
    pub(crate) fn connection(&mut self) -> Result<Connection<'_>, Error> {
        if self.is_lost() {
            self.link = None;
            if let Some((until, error)) = &self.refused
                && Instant::now() < *until
            {
                return Err(error.clone());
            }
            match self.runtime.block_on(connect(&self.settings, self.role)) {
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
        Ok(Connection { runtime: &self.runtime, link })
    }

    /// Whether there is none, or the server has hung up since it was last used.
    fn is_lost(&self) -> bool {
        let Some(link) = &self.link else { return true };
        // The runtime only runs while it is waited for; so it gets a turn to hear what the server said meanwhile, and
        // the connection a turn to understand it.
        self.runtime.block_on(async {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        });
        link.client.is_closed()
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
    client.batch_execute(COMMON).await?;
    client.batch_execute(if role == Role::Writer { WRITES } else { READS }).await?;
    let encoding: String = client.query_one(ENCODING, &[]).await?.try_get(0)?;
    if encoding != "UTF8" {
        return Err(Error::Address(format!("the database's encoding is {encoding}, not UTF8")));
    }
    Ok(Link { client, connection, statements: RefCell::default() })
}

/// A standing connection, to be used from the thread that owns it.
#[derive(Clone, Copy)]
pub(crate) struct Connection<'a> {
    runtime: &'a Runtime,
    link: &'a Link,
}

impl<'a> Connection<'a> {
    /// For statements that are sent in their own way.
    pub(super) fn client(self) -> &'a Client {
        &self.link.client
    }

    /// Waits for an answer.
    pub(super) fn wait<T>(self, answer: impl Future<Output = T>) -> T {
        self.runtime.block_on(answer)
    }

    /// The statement of this text, prepared once. Texts are told apart by where they stand in the program, which costs
    /// less than looking at them.
    pub(super) fn statement(self, text: &'static str) -> Result<Statement, Error> {
        let key = (text.as_ptr() as usize, text.len());
        if let Some(statement) = self.link.statements.borrow().get(&key) {
            return Ok(statement.clone());
        }
        let statement = self.wait(self.link.client.prepare(text))?;
        self.link.statements.borrow_mut().insert(key, statement.clone());
        Ok(statement)
    }

    /// Carries a statement out and says how many rows it touched.
    pub(crate) fn execute(self, text: &'static str, args: &[Cell<'_>]) -> Result<u64, Error> {
        let statement = self.statement(text)?;
        Ok(self.wait(self.link.client.execute_raw(&statement, args))?)
    }

    /// The rows of an answer.
    pub(crate) fn query(self, text: &'static str, args: &[Cell<'_>]) -> Result<Vec<Row>, Error> {
        let statement = self.statement(text)?;
        let args: Vec<_> = args.iter().map(|cell| cell as _).collect();
        Ok(self.wait(self.link.client.query(&statement, &args))?)
    }

    /// Carries out statements without parameters.
    pub(crate) fn run(self, text: &str) -> Result<(), Error> {
        Ok(self.wait(self.link.client.batch_execute(text))?)
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
