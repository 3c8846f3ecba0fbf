//! Whether the database still works: for readiness and for the doctor.

use crate::cell::args;
use crate::sql::{Sql, both};
use crate::{Error, Store, clock};

const PROBE: Sql = both!(
    "INSERT INTO probe (id, written_at) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET written_at = excluded.written_at"
);

/// SQLite looks for damage by itself. PostgreSQL stumbles over it when it has to look at every byte of every row.
const INTEGRITY: Sql = Sql {
    sqlite: "PRAGMA quick_check(1)",
    postgres: "SELECT 'ok' FROM \
        (SELECT count(hashtext(row::text)) FROM organization AS row) AS organizations, \
        (SELECT count(hashtext(row::text)) FROM account AS row) AS accounts, \
        (SELECT count(hashtext(row::text)) FROM member AS row) AS members, \
        (SELECT count(hashtext(row::text)) FROM team AS row) AS teams, \
        (SELECT count(hashtext(row::text)) FROM team_member AS row) AS team_members, \
        (SELECT count(hashtext(row::text)) FROM api_key AS row) AS api_keys, \
        (SELECT count(hashtext(row::text)) FROM graph AS row) AS graphs, \
        (SELECT count(hashtext(row::text)) FROM library_agent AS row) AS library_agents, \
        (SELECT count(hashtext(row::text)) FROM run AS row) AS runs, \
        (SELECT count(hashtext(row::text)) FROM frame AS row) AS frames, \
        (SELECT count(hashtext(row::text)) FROM idempotency AS row) AS keys, \
        (SELECT count(hashtext(row::text)) FROM key_value AS row) AS key_values, \
        (SELECT count(hashtext(row::text)) FROM review AS row) AS reviews, \
        (SELECT count(hashtext(row::text)) FROM callback AS row) AS callbacks, \
        (SELECT count(hashtext(row::text)) FROM schedule AS row) AS schedules, \
        (SELECT count(hashtext(row::text)) FROM secret AS row) AS secrets, \
        (SELECT count(hashtext(row::text)) FROM session AS row) AS sessions, \
        (SELECT count(hashtext(row::text)) FROM password_reset AS row) AS password_resets, \
        (SELECT count(hashtext(row::text)) FROM passkey AS row) AS passkeys, \
        (SELECT count(hashtext(row::text)) FROM passkey_challenge AS row) AS passkey_challenges, \
        (SELECT count(hashtext(row::text)) FROM oauth_app AS row) AS oauth_apps, \
        (SELECT count(hashtext(row::text)) FROM oauth_family AS row) AS oauth_families, \
        (SELECT count(hashtext(row::text)) FROM oauth_code AS row) AS oauth_codes, \
        (SELECT count(hashtext(row::text)) FROM oauth_access_token AS row) AS oauth_access_tokens, \
        (SELECT count(hashtext(row::text)) FROM oauth_refresh_token AS row) AS oauth_refresh_tokens, \
        (SELECT count(hashtext(row::text)) FROM oauth_consent AS row) AS oauth_consents, \
        (SELECT count(hashtext(row::text)) FROM oauth_pushed AS row) AS oauth_pusheds, \
        (SELECT count(hashtext(row::text)) FROM oauth_signing_key AS row) AS oauth_signing_keys, \
        (SELECT count(hashtext(row::text)) FROM oauth_registration_token AS row) AS oauth_registration_tokens, \
        (SELECT count(hashtext(row::text)) FROM wallet AS row) AS wallets, \
        (SELECT count(hashtext(row::text)) FROM credit AS row) AS credits, \
        (SELECT count(hashtext(row::text)) FROM credit_notice AS row) AS credit_notices, \
        (SELECT count(hashtext(row::text)) FROM counter AS row) AS counters, \
        (SELECT count(hashtext(row::text)) FROM creator AS row) AS creators, \
        (SELECT count(hashtext(row::text)) FROM listing AS row) AS listings, \
        (SELECT count(hashtext(row::text)) FROM listing_version AS row) AS listing_versions, \
        (SELECT count(hashtext(row::text)) FROM listing_category AS row) AS listing_categories, \
        (SELECT count(hashtext(row::text)) FROM listing_rating AS row) AS listing_ratings, \
        (SELECT count(hashtext(row::text)) FROM published_graph AS row) AS published_graphs, \
        (SELECT count(hashtext(row::text)) FROM search_term AS row) AS search_terms, \
        (SELECT count(hashtext(row::text)) FROM search_block AS row) AS search_blocks, \
        (SELECT count(hashtext(row::text)) FROM search_document AS row) AS search_documents, \
        (SELECT count(hashtext(row::text)) FROM search_trigram AS row) AS search_trigrams, \
        (SELECT count(hashtext(row::text)) FROM picture AS row) AS pictures, \
        (SELECT count(hashtext(row::text)) FROM credential AS row) AS credentials, \
        (SELECT count(hashtext(row::text)) FROM secret_use AS row) AS secret_uses, \
        (SELECT count(hashtext(row::text)) FROM connect_attempt AS row) AS connect_attempts, \
        (SELECT count(hashtext(row::text)) FROM probe AS row) AS probes",
};

impl Store {
    /// Commits something small the way runs are committed.
    pub async fn check(&self) -> Result<(), Error> {
        self.write(|db| {
            db.execute(PROBE, &args![clock::now()])?;
            Ok(())
        })
        .await
    }

    /// Reads the whole database for damage. Takes as long as that takes.
    pub async fn integrity(&self) -> Result<(), Error> {
        match self.read(|db| db.patient().one(INTEGRITY, &[], |row| row.text(0))).await? {
            text if text == "ok" => Ok(()),
            text => Err(Error::Corrupt(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate;
    use std::collections::BTreeSet;

    /// The tables that a step makes, or drops.
    fn tables(sql: &str, verb: &str) -> Vec<String> {
        let names = sql.match_indices(verb).map(|(at, verb)| &sql[at + verb.len()..]);
        names.map(|rest| rest.split([' ', ';']).next().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_table_is_looked_at() {
        let mut all = BTreeSet::new();
        for migration in migrate::POSTGRES {
            all.extend(tables(migration.sql, "CREATE TABLE "));
            for dropped in tables(migration.sql, "DROP TABLE ") {
                assert!(all.remove(&dropped), "{dropped}");
            }
        }
        for table in all {
            assert!(INTEGRITY.postgres.contains(&format!(" FROM {table} AS row")), "{table}");
        }
    }
}
