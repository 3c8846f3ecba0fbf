//! The steps that bring a database's tables up to this build: forward only, each once, in its own transaction.
//!
//! A step's number and name are the same on every database; only its text may differ. How a step is carried out is the
//! database's business.

use crate::Error;

/// One step.
pub(crate) struct Migration {
    pub(crate) number: u32,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

macro_rules! migrations {
    ($($number:literal $name:literal),* $(,)?) => {
        /// The steps for SQLite, in order.
        pub(crate) const SQLITE: &[Migration] = &[$(Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../migrations/sqlite/", $name, ".sql")),
        }),*];

        /// The steps for PostgreSQL, in order.
        pub(crate) const POSTGRES: &[Migration] = &[$(Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../migrations/postgres/", $name, ".sql")),
        }),*];
    };
}

migrations!(
    1 "0001_account",
    2 "0002_api_key",
    3 "0003_graph",
    4 "0004_run",
    5 "0005_key_value",
    6 "0006_probe",
    7 "0007_waiting",
    8 "0008_schedule",
    9 "0009_secret",
    10 "0010_oauth",
    11 "0011_session",
    12 "0012_passkey",
    13 "0013_oauth_id_token",
    14 "0014_wallet",
    15 "0015_counter",
    16 "0016_market",
    17 "0017_credential",
    18 "0018_connect_attempt",
    19 "0019_search_block",
);

/// One migration of this build, as a database has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MigrationState {
    /// From 1, without gaps.
    pub number: u32,
    /// Its file's name without the ending.
    pub name: &'static str,
    /// Whether the database has it.
    pub applied: bool,
}

/// How many of `migrations` a database has whose list of steps says `done`, which is `None` without such a list. Refuses
/// a database that did not come to be by them.
pub(crate) fn count(migrations: &[Migration], tables: i64, done: Option<&[(i64, String)]>) -> Result<usize, Error> {
    let Some(done) = done else {
        let foreign = tables > 0;
        return if foreign { Err(Error::Corrupt("its tables are not Heddle's".to_owned())) } else { Ok(0) };
    };
    let known = migrations.last().map_or(0, |migration| migration.number);
    let found = done.last().map_or(0, |&(number, _)| u32::try_from(number).unwrap_or(u32::MAX));
    if found > known {
        return Err(Error::Newer { found, known });
    }
    for (have, want) in done.iter().zip(migrations) {
        if (have.0, have.1.as_str()) != (i64::from(want.number), want.name) {
            return Err(Error::Corrupt(format!("migration {} is named {}, not {}", have.0, have.1, want.name)));
        }
    }
    Ok(done.len())
}

/// Tells of each step whether it is among the first `done`.
pub(crate) fn states(migrations: &[Migration], done: usize) -> Vec<MigrationState> {
    let state = |(index, migration): (usize, &Migration)| MigrationState {
        number: migration.number,
        name: migration.name,
        applied: index < done,
    };
    migrations.iter().enumerate().map(state).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn numbers_count_up_from_one_and_lead_the_names() {
        for (index, migration) in SQLITE.iter().enumerate() {
            assert_eq!(migration.number as usize, index + 1);
            assert!(migration.name.starts_with(&format!("{:04}_", migration.number)), "{}", migration.name);
        }
    }

    #[test]
    fn every_file_of_the_folders_is_a_step() {
        for database in ["sqlite", "postgres"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
            assert_eq!(std::fs::read_dir(folder).unwrap().count(), SQLITE.len(), "{database}");
        }
    }
}
