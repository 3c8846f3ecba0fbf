//! Wallets and what has changed them. What runs take comes with their frames ([`take`]); here is everything else.
//!
//! Knows nothing of prices, nor whether somebody may spend: the engine has asked that before a frame comes here.

use crate::cell::{Cell, Keep, Row, args};
use crate::db::Db;
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_engine::credits::{Charge, Wallet};
use heddle_model::{GraphId, RunId, Time, UserId};

/// Owner, amount, counted, since. A day that is over is not gone back to.
pub(crate) const TAKE: Sql = both!(
    "UPDATE wallet SET balance = balance - ?2, \
    counted = CASE WHEN since > ?4 OR (since = ?4 AND counted > ?3) THEN counted ELSE ?3 END, \
    since = CASE WHEN since > ?4 THEN since ELSE ?4 END WHERE owner = ?1"
);
/// Owner, key, amount, time, run.
pub(crate) const USE: Sql = Sql {
    sqlite: "INSERT INTO credit (owner, key, kind, amount, created_at, graph_id, run) \
        SELECT ?1, ?2, 'USAGE', -?3, ?4, graph_id, id FROM run WHERE id = ?5 \
        ON CONFLICT (owner, key) DO UPDATE SET amount = credit.amount + excluded.amount",
    postgres: "INSERT INTO credit (owner, key, kind, amount, created_at, graph_id, run) \
        SELECT $1::bytea, $2::text, 'USAGE', -$3::bigint, $4::bigint, graph_id, id FROM run WHERE id = $5 \
        ON CONFLICT (owner, key) DO UPDATE SET amount = credit.amount + excluded.amount",
};
const MAKE: Sql = both!(
    "INSERT INTO wallet (owner, balance, counted, since, period, refill) VALUES (?1, 0, 0, 0, -1, 0) \
    ON CONFLICT (owner) DO NOTHING"
);
const WALLET: Sql = both!("SELECT balance, counted, since, period, refill FROM wallet WHERE owner = ?1");
const REFILL: Sql = both!("UPDATE wallet SET balance = balance + ?2, period = ?3, refill = ?2 WHERE owner = ?1");
/// Nothing is taken that is not there, unless it was used already.
const CHANGE: Sql = both!("UPDATE wallet SET balance = balance + ?2 WHERE owner = ?1 AND balance + ?2 >= ?3");
const INSERT: Sql = both!(
    "INSERT INTO credit (owner, key, kind, amount, created_at, description) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
    ON CONFLICT (owner, key) DO NOTHING"
);
const ONE: Sql =
    both!("SELECT key, kind, amount, created_at, description, graph_id, run FROM credit WHERE owner = ?1 AND key = ?2");
const LIST: Sql = both!(
    "SELECT key, kind, amount, created_at, description, graph_id, run FROM credit \
    WHERE owner = ?1 AND (created_at, key) < (?2, ?3) ORDER BY created_at DESC, key DESC LIMIT ?4"
);
const LIST_OF_KIND: Sql = both!(
    "SELECT key, kind, amount, created_at, description, graph_id, run FROM credit \
    WHERE owner = ?1 AND (created_at, key) < (?2, ?3) AND kind = ?5 ORDER BY created_at DESC, key DESC LIMIT ?4"
);
const NOTE: Sql = both!(
    "INSERT INTO credit_notice (owner, what, graph_id, balance, created_at) VALUES (?1, ?2, ?3, ?4, ?5) \
    ON CONFLICT (owner, what, graph_id) DO NOTHING"
);
const NOTES: Sql = both!(
    "SELECT what, graph_id, balance, created_at FROM credit_notice WHERE owner = ?1 ORDER BY created_at, what, graph_id"
);
const FORGET_NOTES: Sql = both!("DELETE FROM credit_notice WHERE owner = ?1");

/// One change of a wallet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreditRecord {
    /// Unique among the owner's; of a run its id.
    pub key: String,
    /// `GRANT`, `TOP_UP`, `REFUND` or `USAGE`.
    pub kind: String,
    /// Credits; below nought when they were taken.
    pub amount: i64,
    /// When; of a run when it first took something.
    pub created_at: Time,
    /// For people.
    pub description: Option<String>,
    /// The agent whose run it was.
    pub graph: Option<GraphId>,
    /// The run.
    pub run: Option<RunId>,
}

/// A change that somebody makes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewCredit {
    /// Made once, however often it is asked for.
    pub key: String,
    /// See [`CreditRecord`].
    pub kind: &'static str,
    /// Credits; below nought to take some.
    pub amount: i64,
    /// When.
    pub at: Time,
    /// For people.
    pub description: Option<String>,
    /// It was used already: the balance may fall below nought.
    pub is_owed: bool,
}

/// A refill that is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refill {
    /// Its period; one that a wallet has had is not due.
    pub period: i64,
    /// What the balance is brought up to.
    pub upto: i64,
    /// The record's key.
    pub key: String,
    /// When.
    pub at: Time,
}

/// What the owner of a wallet was told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreditNotice {
    /// `LOW_BALANCE` or `INSUFFICIENT_FUNDS`.
    pub what: String,
    /// The agent that was running.
    pub graph: GraphId,
    /// What was left.
    pub balance: i64,
    /// When.
    pub created_at: Time,
}

fn read_wallet(row: &Row<'_>) -> Result<Wallet, Error> {
    Ok(Wallet {
        balance: row.int(0)?,
        counted: row.count(1)?,
        since: row.time(2)?,
        period: row.int(3)?,
        refill: row.count(4)?,
    })
}

fn read_credit(row: &Row<'_>) -> Result<CreditRecord, Error> {
    Ok(CreditRecord {
        key: row.text(0)?,
        kind: row.text(1)?,
        amount: row.int(2)?,
        created_at: row.time(3)?,
        description: row.text_option(4)?,
        graph: row.id_option(5)?.map(GraphId),
        run: row.id_option(6)?.map(RunId),
    })
}

/// The statements by which a frame takes what it charges, with what stands for their parameters.
pub(crate) fn take<'a>(
    owner: &'a UserId,
    charge: &'a Charge,
    run: &'a RunId,
    key: &'a str,
    at: Time,
) -> Vec<(Sql, Vec<Cell<'a>>)> {
    let mut steps =
        vec![(TAKE, vec![owner.cell(), charge.amount.cell(), charge.counted.cell(), Cell::Int(charge.since.0)])];
    if charge.amount > 0 {
        steps.push((USE, vec![owner.cell(), key.cell(), charge.amount.cell(), Cell::Int(at.0), run.cell()]));
    }
    steps
}

/// The wallet, made when it is not there.
fn wallet(db: Db<'_>, owner: UserId) -> Result<Wallet, Error> {
    db.execute(MAKE, &args![owner])?;
    db.one(WALLET, &args![owner], read_wallet)
}

impl Store {
    /// An account's wallet as it stands; `None` when it has none yet.
    pub async fn wallet(&self, owner: UserId) -> Result<Option<Wallet>, Error> {
        self.read(move |db| db.first(WALLET, &args![owner], read_wallet)).await
    }

    /// An account's wallet, made when it is not there, and refilled when that is due.
    pub async fn refilled_wallet(&self, owner: UserId, refill: Refill) -> Result<Wallet, Error> {
        self.write(move |db| {
            let held = wallet(db, owner)?;
            if held.period >= refill.period {
                return Ok(held);
            }
            let amount = (refill.upto - held.balance).max(0);
            db.execute(REFILL, &args![owner, amount, refill.period])?;
            if amount > 0 {
                let description = "Monthly refill";
                db.execute(INSERT, &args![owner, refill.key, "GRANT", amount, refill.at, description])?;
            }
            db.one(WALLET, &args![owner], read_wallet)
        })
        .await
    }

    /// Changes an account's wallet, once for each key; says by how much, which is nothing the second time.
    /// [`Error::NotFound`] when that much is not there.
    pub async fn change_wallet(&self, owner: UserId, new: NewCredit) -> Result<i64, Error> {
        self.write(move |db| {
            wallet(db, owner)?;
            let NewCredit { key, kind, amount, at, description, is_owed } = &new;
            if db.execute(INSERT, &args![owner, key, *kind, *amount, *at, description])? == 0 {
                return Ok(0);
            }
            let least = if *is_owed || *amount > 0 { i64::MIN } else { 0 };
            if db.execute(CHANGE, &args![owner, *amount, least])? == 0 {
                return Err(Error::NotFound);
            }
            if *amount > 0 {
                db.execute(FORGET_NOTES, &args![owner])?;
            }
            Ok(*amount)
        })
        .await
    }

    /// What has changed an account's wallet, newest first, after a place in that order; of one kind, if one is named.
    pub async fn credits(
        &self,
        owner: UserId,
        kind: Option<&'static str>,
        after: Option<(Time, String)>,
        limit: usize,
    ) -> Result<Vec<CreditRecord>, Error> {
        let (at, key) = after.unwrap_or((Time(i64::MAX), String::new()));
        self.read(move |db| match kind {
            None => db.all(LIST, &args![owner, at, key, limit as i64], read_credit),
            Some(kind) => db.all(LIST_OF_KIND, &args![owner, at, key, limit as i64, kind], read_credit),
        })
        .await
    }

    /// One change of an account's wallet.
    pub async fn credit(&self, owner: UserId, key: &str) -> Result<Option<CreditRecord>, Error> {
        let key = key.to_owned();
        self.read(move |db| db.first(ONE, &args![owner, key], read_credit)).await
    }

    /// Keeps what an owner is told; false when that was told before.
    pub async fn put_credit_notice(&self, owner: UserId, notice: CreditNotice) -> Result<bool, Error> {
        self.write(move |db| {
            let CreditNotice { what, graph, balance, created_at } = &notice;
            Ok(db.execute(NOTE, &args![owner, what, *graph, *balance, *created_at])? > 0)
        })
        .await
    }

    /// What an owner was told since the wallet was last filled, oldest first.
    pub async fn credit_notices(&self, owner: UserId) -> Result<Vec<CreditNotice>, Error> {
        self.read(move |db| {
            db.all(NOTES, &args![owner], |row| {
                Ok(CreditNotice {
                    what: row.text(0)?,
                    graph: GraphId(row.id(1)?),
                    balance: row.int(2)?,
                    created_at: row.time(3)?,
                })
            })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wallets_and_their_changes_are_found_by_their_keys() {
        for (sql, index) in [
            (TAKE, "SEARCH wallet USING PRIMARY KEY (owner=?)"),
            (USE, "SEARCH run USING PRIMARY KEY (id=?)"),
            (CHANGE, "SEARCH wallet USING PRIMARY KEY (owner=?)"),
            (ONE, "SEARCH credit USING PRIMARY KEY (owner=? AND key=?)"),
            (LIST, "SEARCH credit USING INDEX credit_by_time (owner=? AND"),
            (LIST_OF_KIND, "SEARCH credit USING INDEX credit_by_time (owner=? AND"),
            (NOTES, "SEARCH credit_notice USING PRIMARY KEY (owner=?)"),
        ] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index), "{sql:?}: {plan}");
        }
    }
}
