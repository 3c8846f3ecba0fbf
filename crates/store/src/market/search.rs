//! Finding listings by what people type.
//!
//! The index is in tables and what ranks is integers, so both databases find the same in the same order. One question is a
//! few small ones from the same instant: what the index has of the query, what unknown words may stand for, the postings
//! that are ranked here, what is popular among the best, and those listings themselves.

use super::listings::{AgentCard, AgentFilter, columns, read_card, shown};
use super::postings::{json_numbers, numbers};
use crate::cell::{Cell, args};
use crate::db::Db;
use crate::sql::{Sql, both};
use crate::{Error, Page, Paging, Store};
use heddle_search::{Found, Hit, Looked, Postings, Query, Ranking, Word, rank, trigrams};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// The first so many are ordered by popularity too; behind them only the text counts, and who gets there has looked for
/// something else.
const WINDOW: usize = 200;

/// Words that a word may be the beginning of.
const LONGER: i64 = 6;

/// Any of the texts in a JSON list, on PostgreSQL; an array for the same reason as in [`numbers`].
macro_rules! texts {
    () => {
        "ANY (ARRAY(SELECT jsonb_array_elements_text(CAST(CAST($1 AS TEXT) AS JSONB))))"
    };
}

const TERMS: Sql = Sql {
    sqlite: "SELECT term, number, listing_count FROM search_term WHERE term IN (SELECT value FROM json_each(?1))",
    postgres: concat!("SELECT term, number, listing_count FROM search_term WHERE term = ", texts!()),
};
const LONGER_WORDS: Sql = both!(
    "SELECT term FROM search_term WHERE term > ?1 AND term < ?2 AND listing_count > 0 \
    ORDER BY listing_count DESC, term LIMIT ?3"
);
const NEAR_WORDS: Sql = Sql {
    sqlite: "SELECT t.term FROM (SELECT term, count(*) AS shared FROM search_trigram WHERE trigram IN \
        (SELECT value FROM json_each(?1)) GROUP BY term ORDER BY shared DESC, term LIMIT 100) AS near \
        JOIN search_term AS t ON t.number = near.term WHERE t.listing_count > 0 ORDER BY t.term",
    postgres: concat!(
        "SELECT t.term FROM (SELECT term, count(*) AS shared FROM search_trigram WHERE trigram = ",
        texts!(),
        " GROUP BY term ORDER BY shared DESC, term LIMIT 100) AS near \
         JOIN search_term AS t ON t.number = near.term WHERE t.listing_count > 0 ORDER BY t.term"
    ),
};
const SHOWN_COUNT: Sql = both!("SELECT count(*) FROM listing WHERE active IS NOT NULL");

const POSTINGS: Sql = Sql {
    sqlite: "SELECT term, block, body FROM search_block WHERE term IN (SELECT value FROM json_each(?1))",
    postgres: concat!("SELECT term, block, body FROM search_block WHERE term = ", numbers!()),
};
const FEATURED: Sql = both!("SELECT number FROM listing WHERE is_featured");
const OF_CREATOR: Sql =
    both!("SELECT number FROM listing WHERE owner = (SELECT owner FROM creator WHERE username = ?1)");
const IN_CATEGORY: Sql = both!("SELECT listing FROM listing_category WHERE category = ?1");
const POPULARITY: Sql = Sql {
    sqlite: "SELECT number, run_count, rating_sum, rating_count FROM listing \
        WHERE number IN (SELECT value FROM json_each(?1))",
    postgres: concat!("SELECT number, run_count, rating_sum, rating_count FROM listing WHERE number = ", numbers!()),
};

const CARDS_SQLITE: Sql =
    both!(concat!("SELECT ", columns!(), shown!(), "WHERE listing.number IN (SELECT value FROM json_each(?1))"));
const CARDS: Sql = Sql {
    sqlite: CARDS_SQLITE.sqlite,
    postgres: concat!("SELECT ", columns!(), shown!(), "WHERE listing.number = ", numbers!()),
};

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
    let (numbers, total) = best(db, &looked, query.words.len(), filter, paging)?;
    let places: HashMap<i64, usize> = numbers.iter().enumerate().map(|(place, number)| (*number, place)).collect();
    let mut items = db.all(CARDS, &args![json_numbers(numbers)], read_card)?;
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
    words: usize,
    filter: &AgentFilter,
    paging: Paging,
) -> Result<(Vec<i64>, u64), Error> {
    let terms = json_numbers(looked.iter().map(|term| term.number));
    let postings = db.all(POSTINGS, &args![terms], |row| {
        Ok(Postings { term: row.int(0)?, block: row.int(1)?, body: row.bytes(2)?.to_vec() })
    })?;
    let allowed = allowed(db, filter)?;
    let [offset, size] = [paging.offset(), paging.limit()].map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    let most = offset.saturating_add(size).max(WINDOW);
    let Ranking { mut best, total } =
        rank(looked, words, &postings, most, |listing| allowed.iter().all(|numbers| numbers.contains(&listing)));
    let window = best.len().min(WINDOW);
    sort_by_popularity(db, &mut best[..window])?;
    Ok((best.iter().skip(offset).take(size).map(|hit| hit.text).collect(), total))
}

/// Of each thing that the filter asks for, which listings have it.
fn allowed(db: Db<'_>, filter: &AgentFilter) -> Result<Vec<HashSet<i64>>, Error> {
    let mut allowed = Vec::new();
    let mut only = |sql: Sql, args: &[Cell<'_>]| {
        allowed.push(db.all(sql, args, |row| row.int(0))?.into_iter().collect());
        Ok::<(), Error>(())
    };
    if filter.featured {
        only(FEATURED, &[])?;
    }
    if let Some(creator) = &filter.creator {
        only(OF_CREATOR, &args![creator])?;
    }
    if let Some(category) = &filter.category {
        only(IN_CATEGORY, &args![category])?;
    }
    Ok(allowed)
}

/// Orders by score and popularity; of two that are alike the older listing comes first.
fn sort_by_popularity(db: Db<'_>, hits: &mut [Hit]) -> Result<(), Error> {
    let numbers = json_numbers(hits.iter().map(|hit| hit.text));
    let known = db.all(POPULARITY, &args![numbers], |row| {
        Ok((row.int(0)?, popularity(row.count(1)?, row.count(2)?, row.count(3)?)))
    })?;
    let known: HashMap<i64, f64> = known.into_iter().collect();
    let score = |hit: &Hit| hit.score as f64 * known.get(&hit.text).copied().unwrap_or(1.0);
    hits.sort_by(|one, other| score(other).total_cmp(&score(one)).then(one.text.cmp(&other.text)));
    Ok(())
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
        for sql in [TERMS, LONGER_WORDS, NEAR_WORDS, POSTINGS, FEATURED, OF_CREATOR, IN_CATEGORY, POPULARITY, CARDS] {
            let plan = crate::sql::plan(sql);
            for table in
                ["search_term", "search_block", "search_trigram", "listing", "listing_category", "v", "creator"]
            {
                assert!(!plan.lines().any(|line| line.trim() == format!("SCAN {table}")), "{sql:?}: {plan}");
            }
        }
    }
}
