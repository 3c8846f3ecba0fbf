//! The index that listings are found by, kept in step with what is shown.

use super::postings;
use crate::cell::args;
use crate::db::Db;
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_search::{Terms, Texts, VERSION, trigrams};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const TRIGRAMS: Sql = Sql {
    sqlite: "INSERT INTO search_trigram (trigram, term) SELECT three.value, CAST(word.key AS INTEGER) \
        FROM json_each(?1) AS word JOIN json_each(word.value) AS three WHERE true \
        ON CONFLICT (trigram, term) DO NOTHING",
    postgres: "INSERT INTO search_trigram (trigram, term) SELECT three.value, CAST(word.key AS BIGINT) \
        FROM jsonb_each(CAST(CAST($1 AS TEXT) AS JSONB)) AS word \
        CROSS JOIN LATERAL jsonb_array_elements_text(word.value) AS three ON CONFLICT (trigram, term) DO NOTHING",
};
const UNDO_CATEGORIES: Sql = both!("DELETE FROM listing_category WHERE listing = ?1");
const CATEGORIES: Sql = Sql {
    sqlite: "INSERT INTO listing_category (category, listing) SELECT DISTINCT value, ?2 FROM json_each(?1)",
    postgres: "INSERT INTO listing_category (category, listing) SELECT DISTINCT value, CAST($2 AS BIGINT) FROM \
        jsonb_array_elements_text(CAST(CAST($1 AS TEXT) AS JSONB)) AS value",
};
const MARK: Sql = both!("UPDATE listing SET name_key = ?2, indexed_as = ?3 WHERE number = ?1");
const SHOWN_TEXTS: Sql = both!(
    "SELECT v.name, v.sub_heading, v.description, v.categories FROM listing JOIN listing_version AS v \
    ON v.id = listing.active WHERE listing.number = ?1"
);
const INDEXED_OTHERWISE: Sql =
    both!("SELECT number FROM listing WHERE active IS NOT NULL AND indexed_as <> ?1 ORDER BY number LIMIT 100");

/// Has a listing found by what its active version says, or not found any more when it has none.
pub(super) fn refresh(db: Db<'_>, listing: i64) -> Result<(), Error> {
    db.execute(UNDO_CATEGORIES, &args![listing])?;
    let texts =
        db.first(SHOWN_TEXTS, &args![listing], |row| Ok((row.text(0)?, row.text(1)?, row.text(2)?, row.text(3)?)))?;
    let Some((name, sub_heading, description, categories)) = texts else {
        postings::post(db, listing, &BTreeMap::new())?;
        return db.execute(MARK, &args![listing, "", 0_i64]).map(|_| ());
    };
    let terms = Terms::of(Texts { name: &name, sub_heading: &sub_heading, description: &description });
    let new = postings::post(db, listing, &terms.weights)?;
    let words = new.into_iter().filter(|(term, _)| terms.words.contains(term));
    let threes: Map<String, Value> =
        words.map(|(word, number)| (number.to_string(), trigrams(&word).into_iter().collect())).collect();
    if !threes.is_empty() {
        db.execute(TRIGRAMS, &args![Value::Object(threes).to_string()])?;
    }
    db.execute(CATEGORIES, &args![categories, listing])?;
    db.execute(MARK, &args![listing, heddle_search::fold(&name), VERSION])?;
    Ok(())
}

impl Store {
    /// Indexes some of the listings that another release indexed otherwise; how many.
    pub async fn reindex_some(&self) -> Result<usize, Error> {
        let some = self.read(|db| db.all(INDEXED_OTHERWISE, &args![VERSION], |row| row.int(0))).await?;
        for listing in &some {
            let listing = *listing;
            self.write(move |db| refresh(db, listing)).await?;
        }
        Ok(some.len())
    }
}
