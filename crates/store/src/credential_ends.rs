//! Which connected accounts are of no use any more, and why.

use crate::cell::args;
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::{CredentialId, UserId};

const SET: Sql = both!("UPDATE credential SET ended = ?3 WHERE owner = ?1 AND id = ?2");
const OF_ONE: Sql = both!("SELECT ended FROM credential WHERE owner = ?1 AND id = ?2");
const OF_OWNER: Sql = both!("SELECT id, ended FROM credential WHERE owner = ?1 AND ended IS NOT NULL ORDER BY id");

impl Store {
    /// Notes why a credential of the owner's is of no use any more.
    pub async fn end_credential(&self, owner: UserId, id: CredentialId, why: String) -> Result<(), Error> {
        self.write(move |db| db.execute(SET, &args![owner, id, why]).map(|_| ())).await
    }

    /// Why a credential of the owner's is of no use any more, if it is not.
    pub async fn credential_end(&self, owner: UserId, id: CredentialId) -> Result<Option<String>, Error> {
        Ok(self.read(move |db| db.first(OF_ONE, &args![owner, id], |row| row.text_option(0))).await?.flatten())
    }

    /// The owner's credentials that are of no use any more, and why.
    pub async fn credential_ends(&self, owner: UserId) -> Result<Vec<(CredentialId, String)>, Error> {
        self.read(move |db| db.all(OF_OWNER, &args![owner], |row| Ok((CredentialId(row.id(0)?), row.text(1)?)))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_found_by_an_index() {
        for (sql, index) in [(SET, "(id=?)"), (OF_ONE, "(id=?)"), (OF_OWNER, "credential_by_owner (owner=?)")] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index) && !plan.contains("SCAN credential"), "{sql:?}: {plan}");
        }
    }
}
