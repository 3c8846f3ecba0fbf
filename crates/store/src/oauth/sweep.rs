//! Removing what is over: a little at a time, since others wait meanwhile.

use crate::cell::args;
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::Time;
use heddle_oauth::pushed;

/// A family's rows go a day after its end, an access token's an hour after its own, so that what is asked about them in
/// between has its true answer.
const FAMILY_SECONDS: i64 = 24 * 3_600;
const ACCESS_SECONDS: i64 = 3_600;

/// Codes, tokens and what is left of both go with their family.
const FAMILIES: Sql = both!(
    "DELETE FROM oauth_family WHERE id IN \
    (SELECT id FROM oauth_family WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)"
);
const ACCESS: Sql = both!(
    "DELETE FROM oauth_access_token WHERE digest IN \
    (SELECT digest FROM oauth_access_token WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)"
);
const REFRESH: Sql = both!(
    "DELETE FROM oauth_refresh_token WHERE digest IN \
    (SELECT digest FROM oauth_refresh_token WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)"
);
const PUSHED: Sql = both!(
    "DELETE FROM oauth_pushed WHERE digest IN \
    (SELECT digest FROM oauth_pushed WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)"
);

/// Whether there is anything to remove; asked first, so that nothing is written where there is nothing to do.
const IS_DUE: Sql = both!(
    "SELECT EXISTS (SELECT 1 FROM oauth_access_token WHERE expires_at < ?1) \
    OR EXISTS (SELECT 1 FROM oauth_refresh_token WHERE expires_at < ?2) \
    OR EXISTS (SELECT 1 FROM oauth_pushed WHERE created_at < ?3) \
    OR EXISTS (SELECT 1 FROM oauth_family WHERE expires_at < ?4)"
);

/// What one step of sweeping did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Swept {
    /// Rows that were removed.
    pub rows: u64,
    /// Whether there was nothing more.
    pub is_over: bool,
}

impl Store {
    /// Removes what is over by now of what came of authorizations: at most so many rows of a kind.
    pub async fn sweep_oauth(&self, now: Time, most: u64) -> Result<Swept, Error> {
        let steps = [
            (ACCESS, now.plus_seconds(-ACCESS_SECONDS)),
            (REFRESH, now),
            (PUSHED, now.plus_seconds(-(pushed::LIFE_SECONDS + pushed::OPEN_SECONDS))),
            (FAMILIES, now.plus_seconds(-FAMILY_SECONDS)),
        ];
        let ends = steps.map(|(_, before)| before);
        let is_due = self.read(move |db| db.one(IS_DUE, &args![ends[0], ends[1], ends[2], ends[3]], |row| row.flag(0)));
        if !is_due.await? {
            return Ok(Swept { rows: 0, is_over: true });
        }
        let mut rows = 0;
        for (sql, before) in steps {
            let due = self.write(move |db| db.execute(sql, &args![before, most])).await?;
            rows += due;
            if due >= most {
                return Ok(Swept { rows, is_over: false });
            }
        }
        Ok(Swept { rows, is_over: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeping_goes_by_the_indexes_of_the_ends() {
        for (sql, index) in [
            (FAMILIES, "oauth_family_by_end (expires_at<?)"),
            (ACCESS, "oauth_access_token_by_end (expires_at<?)"),
            (REFRESH, "oauth_refresh_token_by_end (expires_at<?)"),
            (PUSHED, "oauth_pushed_by_age (created_at<?)"),
        ] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index) && !plan.contains("SCAN") && !plan.contains("TEMP"), "{sql:?}: {plan}");
            assert!(crate::sql::plan(IS_DUE).contains(index), "{index}");
        }
    }
}
