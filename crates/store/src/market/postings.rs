//! Which listings each term is in, packed ([`Place`]).
//!
//! All postings of a listing are in one block, so that few statements bring them up to date, however many terms it has.

use crate::Error;
use crate::cell::args;
use crate::db::Db;
use crate::sql::{Sql, both};
use heddle_search::Place;
use serde_json::Value;
use std::collections::BTreeMap;

/// Any of the numbers in a JSON list, on PostgreSQL. An array, so that each is looked up in an index even while the planner
/// takes the table for a small one.
macro_rules! numbers {
    () => {
        "ANY (ARRAY(SELECT CAST(value AS BIGINT) FROM jsonb_array_elements_text(CAST(CAST($1 AS TEXT) AS JSONB))))"
    };
}
pub(super) use numbers;

const TERMS_OF: Sql = both!("SELECT terms FROM search_document WHERE listing = ?1");
const PUT_TERMS_OF: Sql = both!(
    "INSERT INTO search_document (listing, terms) VALUES (?1, ?2) \
    ON CONFLICT (listing) DO UPDATE SET terms = excluded.terms"
);
const DELETE_TERMS_OF: Sql = both!("DELETE FROM search_document WHERE listing = ?1");
/// Terms that no listing had get a number. A conflict leaves PostgreSQL's planner no choice but to look each term up in the
/// index, also when it met the table while that was empty.
const COUNT: Sql = Sql {
    sqlite: "INSERT INTO search_term (term, listing_count) SELECT value, ?2 FROM json_each(?1) WHERE true \
        ON CONFLICT (term) DO UPDATE SET listing_count = search_term.listing_count + excluded.listing_count \
        RETURNING term, number, listing_count",
    postgres: "INSERT INTO search_term (term, listing_count) SELECT value, CAST($2 AS BIGINT) \
        FROM jsonb_array_elements_text(CAST(CAST($1 AS TEXT) AS JSONB)) AS value \
        ON CONFLICT (term) DO UPDATE SET listing_count = search_term.listing_count + excluded.listing_count \
        RETURNING term, number, listing_count",
};
const BODIES: Sql = Sql {
    sqlite: "SELECT term, body FROM search_block WHERE term IN (SELECT value FROM json_each(?1)) AND block = ?2",
    postgres: concat!("SELECT term, body FROM search_block WHERE block = $2 AND term = ", numbers!()),
};
/// From one run of bytes, and of each term where in it the body begins and how long it is.
const PUT_BODIES: Sql = Sql {
    sqlite: "INSERT INTO search_block (term, block, body) SELECT json_extract(value, '$[0]'), ?2, \
        substr(?3, json_extract(value, '$[1]'), json_extract(value, '$[2]')) FROM json_each(?1) WHERE true \
        ON CONFLICT (term, block) DO UPDATE SET body = excluded.body",
    postgres: "INSERT INTO search_block (term, block, body) SELECT CAST(value->>0 AS BIGINT), CAST($2 AS BIGINT), \
        substr(CAST($3 AS BYTEA), CAST(value->>1 AS INTEGER), CAST(value->>2 AS INTEGER)) \
        FROM jsonb_array_elements(CAST(CAST($1 AS TEXT) AS JSONB)) AS value \
        ON CONFLICT (term, block) DO UPDATE SET body = excluded.body",
};
const DELETE_BODIES: Sql = Sql {
    sqlite: "DELETE FROM search_block WHERE term IN (SELECT value FROM json_each(?1)) AND block = ?2",
    postgres: concat!("DELETE FROM search_block WHERE block = $2 AND term = ", numbers!()),
};

/// A term that a listing was counted for.
struct Counted {
    term: String,
    number: i64,
    /// Listings that have it now.
    listings: i64,
}

/// Has a listing posted under these terms with these weights, and under no others. Returns the terms that no other listing
/// has, each with its number.
pub(super) fn post(db: Db<'_>, listing: i64, weights: &BTreeMap<String, i64>) -> Result<Vec<(String, i64)>, Error> {
    let before = db.first(TERMS_OF, &args![listing], |row| row.text(0))?;
    let terms = (!weights.is_empty()).then(|| weights.keys().map(String::as_str).collect::<Value>().to_string());
    let (posted, gone) = (count(db, terms.as_deref(), 1)?, count(db, before.as_deref(), -1)?);
    let mut changes: BTreeMap<i64, Option<i64>> = gone.into_iter().map(|counted| (counted.number, None)).collect();
    changes.extend(posted.iter().map(|counted| (counted.number, weights.get(&counted.term).copied())));

    let place = Place::of(listing);
    let mut bodies = bodies(db, place.block, changes.keys().copied())?;
    for (term, weight) in changes {
        let body = bodies.entry(term).or_default();
        match weight {
            Some(weight) => place.post(body, weight),
            None => place.unpost(body),
        }
    }
    put_bodies(db, place.block, &bodies)?;
    match terms {
        Some(terms) => db.execute(PUT_TERMS_OF, &args![listing, terms])?,
        None => db.execute(DELETE_TERMS_OF, &args![listing])?,
    };
    let new = posted.into_iter().filter(|counted| counted.listings == 1);
    Ok(new.map(|counted| (counted.term, counted.number)).collect())
}

/// Counts a listing more, or one less, for each of the terms in a JSON list.
fn count(db: Db<'_>, terms: Option<&str>, by: i64) -> Result<Vec<Counted>, Error> {
    let Some(terms) = terms else { return Ok(Vec::new()) };
    db.all(COUNT, &args![terms, by], |row| {
        Ok(Counted { term: row.text(0)?, number: row.int(1)?, listings: row.int(2)? })
    })
}

/// What a block has of each of these terms.
fn bodies(db: Db<'_>, block: i64, terms: impl Iterator<Item = i64>) -> Result<BTreeMap<i64, Vec<u8>>, Error> {
    let found = db.all(BODIES, &args![json_numbers(terms), block], |row| Ok((row.int(0)?, row.bytes(1)?.to_vec())))?;
    Ok(found.into_iter().collect())
}

fn put_bodies(db: Db<'_>, block: i64, bodies: &BTreeMap<i64, Vec<u8>>) -> Result<(), Error> {
    let empty: Vec<i64> = bodies.iter().filter(|(_, body)| body.is_empty()).map(|(term, _)| *term).collect();
    if !empty.is_empty() {
        db.execute(DELETE_BODIES, &args![json_numbers(empty), block])?;
    }
    let (mut bytes, mut parts) = (Vec::new(), Vec::new());
    for (term, body) in bodies.iter().filter(|(_, body)| !body.is_empty()) {
        // The databases count from 1.
        parts.push(Value::from(vec![*term, bytes.len() as i64 + 1, body.len() as i64]));
        bytes.extend_from_slice(body);
    }
    if !parts.is_empty() {
        db.execute(PUT_BODIES, &args![Value::from(parts).to_string(), block, bytes])?;
    }
    Ok(())
}

/// A list of numbers as JSON.
pub(super) fn json_numbers(numbers: impl IntoIterator<Item = i64>) -> String {
    numbers.into_iter().collect::<Value>().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_postings_is_read_whole() {
        for sql in [TERMS_OF, DELETE_TERMS_OF, BODIES, DELETE_BODIES] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains("SEARCH search_"), "{sql:?}: {plan}");
            assert!(!plan.contains("SCAN search_"), "{sql:?}: {plan}");
        }
    }
}
