//! Finding listings by what people type.
//!
//! The index is in tables and what ranks is integers, so both databases find the same in the same order. One question is a
//! few small ones from the same instant: what the index has of the query, what unknown words may stand for, which listings
//! score most, and those listings themselves.

use super::listings::{AgentCard, AgentFilter, columns, read_card, shown};
use crate::cell::args;
use crate::db::Db;
use crate::sql::{Sql, both};
use crate::{Error, Page, Paging, Store};
use heddle_search::{Found, Looked, Query, Word, trigrams};
use serde_json::Value;
use std::collections::HashMap;

/// The first so many are ordered by popularity too; behind them only the text counts, and who gets there has looked for
/// something else.
const WINDOW: i64 = 200;

/// Words that a word may be the beginning of.
const LONGER: i64 = 6;

const TERMS: Sql = Sql {
    sqlite: "SELECT term, number, listing_count FROM search_term WHERE term IN (SELECT value FROM json_each(?1))",
    postgres: "SELECT term, number, listing_count FROM search_term WHERE term IN \
        (SELECT jsonb_array_elements_text(CAST(CAST($1 AS TEXT) AS JSONB)))",
};
const LONGER_WORDS: Sql = both!(
    "SELECT term FROM search_term WHERE term > ?1 AND term < ?2 AND listing_count > 0 \
    ORDER BY listing_count DESC, term LIMIT ?3"
);
const NEAR_WORDS: Sql = Sql {
    sqlite: "SELECT t.term FROM (SELECT term, count(*) AS shared FROM search_trigram WHERE trigram IN \
        (SELECT value FROM json_each(?1)) GROUP BY term ORDER BY shared DESC, term LIMIT 100) AS near \
        JOIN search_term AS t ON t.number = near.term WHERE t.listing_count > 0 ORDER BY t.term",
    postgres: "SELECT t.term FROM (SELECT term, count(*) AS shared FROM search_trigram WHERE trigram IN \
        (SELECT jsonb_array_elements_text(CAST(CAST($1 AS TEXT) AS JSONB))) GROUP BY term ORDER BY shared DESC, term \
        LIMIT 100) AS near JOIN search_term AS t ON t.number = near.term WHERE t.listing_count > 0 ORDER BY t.term",
};
const SHOWN_COUNT: Sql = both!("SELECT count(*) FROM listing WHERE active IS NOT NULL");

macro_rules! terms_of_sqlite {
    () => {
        "SELECT json_extract(value, '$[0]') AS number, json_extract(value, '$[1]') AS word, \
         json_extract(value, '$[2]') AS factor FROM json_each(?1)"
    };
}
macro_rules! terms_of_postgres {
    () => {
        "SELECT CAST(value->>0 AS BIGINT) AS number, CAST(value->>1 AS BIGINT) AS word, \
         CAST(value->>2 AS BIGINT) AS factor FROM jsonb_array_elements(CAST(CAST(?1 AS TEXT) AS JSONB)) AS value"
    };
}
/// Of each word its best form counts; who has more of the words comes first, and who has less than half is not found.
macro_rules! best {
    ($terms:ident) => {
        both!(concat!(
            "WITH term AS (",
            $terms!(),
            "), hit AS (SELECT p.listing, term.word, max(p.weight * term.factor) AS score FROM term \
             JOIN search_posting AS p ON p.term = term.number GROUP BY p.listing, term.word), \
             scored AS (SELECT listing, CAST(sum(score) * (count(*) + 1) AS BIGINT) AS score FROM hit GROUP BY listing \
             HAVING count(*) * 2 >= ?2), \
             best AS (SELECT listing, score, count(*) OVER () AS total FROM scored ORDER BY score DESC, listing LIMIT ?3) \
             SELECT best.listing, best.score, best.total, listing.run_count, listing.rating_sum, listing.rating_count \
             FROM best JOIN listing ON listing.number = best.listing ORDER BY best.score DESC, best.listing"
        ))
    };
}
macro_rules! best_of {
    ($terms:ident) => {
        both!(concat!(
            "WITH term AS (",
            $terms!(),
            "), hit AS (SELECT p.listing, term.word, max(p.weight * term.factor) AS score FROM term \
             JOIN search_posting AS p ON p.term = term.number GROUP BY p.listing, term.word), \
             scored AS (SELECT listing, CAST(sum(score) * (count(*) + 1) AS BIGINT) AS score FROM hit GROUP BY listing \
             HAVING count(*) * 2 >= ?2) \
             SELECT scored.listing, scored.score, count(*) OVER (), listing.run_count, listing.rating_sum, \
             listing.rating_count FROM scored JOIN listing ON listing.number = scored.listing \
             WHERE (NOT CAST(?4 AS BOOLEAN) OR listing.is_featured) \
             AND (CAST(?5 AS TEXT) IS NULL OR listing.owner = (SELECT owner FROM creator WHERE username = ?5)) \
             AND (CAST(?6 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM listing_category WHERE category = ?6 \
             AND listing_category.listing = scored.listing)) ORDER BY scored.score DESC, scored.listing LIMIT ?3"
        ))
    };
}
const BEST_SQLITE: Sql = best!(terms_of_sqlite);
const BEST_POSTGRES: Sql = best!(terms_of_postgres);
const BEST: Sql = Sql { sqlite: BEST_SQLITE.sqlite, postgres: BEST_POSTGRES.postgres };
const BEST_OF_SQLITE: Sql = best_of!(terms_of_sqlite);
const BEST_OF_POSTGRES: Sql = best_of!(terms_of_postgres);
const BEST_OF: Sql = Sql { sqlite: BEST_OF_SQLITE.sqlite, postgres: BEST_OF_POSTGRES.postgres };

const CARDS_SQLITE: Sql =
    both!(concat!("SELECT ", columns!(), shown!(), "WHERE listing.number IN (SELECT value FROM json_each(?1))"));
const CARDS_POSTGRES: Sql = both!(concat!(
    "SELECT ",
    columns!(),
    shown!(),
    "WHERE listing.number IN (SELECT CAST(jsonb_array_elements_text(CAST(CAST(?1 AS TEXT) AS JSONB)) AS BIGINT))"
));
const CARDS: Sql = Sql { sqlite: CARDS_SQLITE.sqlite, postgres: CARDS_POSTGRES.postgres };

/// A listing that was found.
struct Hit {
    number: i64,
    score: f64,
}

impl Store {
    /// Listings that a text finds, best first; the filter's order does not count.
    pub async fn find_agents(&self, text: &str, filter: AgentFilter, paging: Paging) -> Result<Page<AgentCard>, Error> {
        let query = Query::read(text);
        self.read(move |db| db.snapshot(|db| find(db, query.clone(), &filter, paging))).await
    }
}

fn find(db: Db<'_>, mut query: Query, filter: &AgentFilter, paging: Paging) -> Result<Page<AgentCard>, Error> {
    let mut index = known(db, query.terms())?;
    for word in &mut query.words {
        widen(db, word, &mut index)?;
    }
    let texts = db.one(SHOWN_COUNT, &[], |row| row.int(0))?;
    let looked = query.looked(&index, texts);
    if looked.is_empty() {
        return Ok(Page { items: Vec::new(), total: 0 });
    }
    let (numbers, total) = best(db, &looked, query.words.len() as i64, filter, paging)?;
    let places: HashMap<i64, usize> = numbers.iter().enumerate().map(|(place, number)| (*number, place)).collect();
    let mut items = db.all(CARDS, &args![Value::from(numbers).to_string()], read_card)?;
    items.sort_by_key(|card| places.get(&card.number).copied());
    Ok(Page { items, total })
}

/// Which of these terms the index has.
fn known<'a>(db: Db<'_>, terms: impl Iterator<Item = &'a str>) -> Result<HashMap<String, Found>, Error> {
    let terms: Value = terms.collect();
    let found = db.all(TERMS, &args![terms.to_string()], |row| {
        Ok((row.text(0)?, Found { number: row.int(1)?, count: row.int(2)? }))
    })?;
    Ok(found.into_iter().collect())
}

/// Lets longer words, and for an unknown one those that it may be a misspelling of, stand for a word.
fn widen(db: Db<'_>, word: &mut Word, index: &mut HashMap<String, Found>) -> Result<(), Error> {
    let mut more = Vec::new();
    if let Some(beginning) = word.beginning() {
        let end = format!("{beginning}\u{10ffff}");
        let longer = db.all(LONGER_WORDS, &args![beginning, end, LONGER], |row| row.text(0))?;
        more.extend(longer.iter().cloned());
        word.begin(&longer);
    }
    if more.is_empty() && word.is_unknown(index) && word.can_be_mistyped() {
        let threes: Value = trigrams(&word.text).into_iter().collect();
        let near = db.all(NEAR_WORDS, &args![threes.to_string()], |row| row.text(0))?;
        word.guess(&near);
        more.extend(near);
    }
    if !more.is_empty() {
        index.extend(known(db, more.iter().map(String::as_str))?);
    }
    Ok(())
}

/// The listings of the page, best first, and how many there are in all.
fn best(
    db: Db<'_>,
    looked: &[Looked],
    words: i64,
    filter: &AgentFilter,
    paging: Paging,
) -> Result<(Vec<i64>, u64), Error> {
    let terms: Value = looked.iter().map(|term| Value::from(vec![term.number, term.word, term.factor])).collect();
    let terms = terms.to_string();
    let end = paging.offset().saturating_add(paging.limit()).max(WINDOW);
    let mut total = 0;
    let mut hits = Vec::new();
    let read = |row: &crate::cell::Row<'_>| {
        total = row.count(2)?;
        let score = row.int(1)? as f64 * popularity(row.count(3)?, row.count(4)?, row.count(5)?);
        hits.push(Hit { number: row.int(0)?, score });
        Ok(())
    };
    let AgentFilter { featured, creator, category, .. } = filter;
    match (featured, creator, category) {
        (false, None, None) => db.each(BEST, &args![terms, words, end], read)?,
        _ => db.each(BEST_OF, &args![terms, words, end, featured, creator, category], read)?,
    }
    let window = hits.len().min(WINDOW as usize);
    hits[..window].sort_by(|one, other| other.score.total_cmp(&one.score).then(one.number.cmp(&other.number)));
    let page = hits.iter().skip(usize::try_from(paging.offset()).unwrap_or(usize::MAX)).take(paging.limit() as usize);
    Ok((page.map(|hit| hit.number).collect(), total))
}

/// What a listing's score is multiplied by: a fifth more at most, so that it decides among listings that fit alike. A few
/// ratings say little, so they are seen beside ten of three and a half.
fn popularity(runs: u64, rating_sum: u64, rating_count: u64) -> f64 {
    let runs = (1.0 + runs as f64).ln() / 14.0;
    let mean = (rating_sum as f64 + 35.0) / (rating_count as f64 + 10.0);
    1.0 + 0.12 * runs.min(1.0) + 0.08 * (mean - 3.5) / 1.5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn popularity_is_mild_and_ratings_count_by_their_number() {
        assert!((popularity(0, 0, 0) - 1.0).abs() < 1e-9);
        assert!(popularity(1_000_000, 50_000, 10_000) < 1.21);
        assert!(popularity(10, 5, 1) < popularity(10, 500, 100));
        assert!(popularity(10, 100, 100) < popularity(10, 0, 0));
    }

    #[test]
    fn nothing_of_the_index_is_read_whole() {
        for sql in [TERMS, LONGER_WORDS, NEAR_WORDS, BEST, BEST_OF, CARDS] {
            let plan = crate::sql::plan(sql);
            for table in ["search_term", "search_posting", "search_trigram", "listing", "p", "v", "creator"] {
                assert!(!plan.lines().any(|line| line.trim() == format!("SCAN {table}")), "{sql:?}: {plan}");
            }
        }
    }
}
