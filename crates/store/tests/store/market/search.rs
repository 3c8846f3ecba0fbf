//! How well listings are found: judged answers in `tests/data`, on both databases.

use super::{number, profile, publish};
use crate::bed::Bed;
use heddle_model::{ListingId, UserId};
use heddle_store::{AgentFilter, NewAccount, Paging, SubmissionText};
use serde::Deserialize;
use std::collections::BTreeMap;

const LISTINGS: &str = include_str!("../../data/market-listings.jsonl");
const QUERIES: &str = include_str!("../../data/market-queries.jsonl");
const TOP_TEN: Paging = Paging { page: 1, page_size: 10 };

#[derive(Deserialize)]
struct Listing {
    slug: String,
    name: String,
    sub_heading: String,
    description: String,
    /// Of ten, rounded: as many accounts rate it.
    rating_sum: i64,
    rating_count: i64,
}

/// What somebody types, and how good each listing is as an answer: 3 is what was meant, 1 is related.
#[derive(Deserialize)]
struct Judged {
    query: String,
    why: String,
    relevant: BTreeMap<String, u32>,
}

fn read<T: for<'a> Deserialize<'a>>(lines: &str) -> Vec<T> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Discounted gain of the first ten, as a share of what the best order would have.
fn ndcg(found: &[String], judged: &BTreeMap<String, u32>) -> f64 {
    let gain = |grade: u32, place: usize| (2_f64.powi(grade as i32) - 1.0) / (place as f64 + 2.0).log2();
    let got = found.iter().enumerate().map(|(place, slug)| gain(judged.get(slug).copied().unwrap_or(0), place));
    let mut best: Vec<u32> = judged.values().copied().collect();
    best.sort_unstable_by(|one, other| other.cmp(one));
    let most = best.into_iter().take(10).enumerate().map(|(place, grade)| gain(grade, place));
    got.sum::<f64>() / most.sum::<f64>()
}

async fn fill(bed: &Bed, listings: &[Listing]) {
    let ada = bed.account(1).await;
    profile(bed, ada, "ada").await;
    let raters: Vec<UserId> = (0..5).map(|rater| UserId(number(1_000 + rater))).collect();
    for (place, rater) in raters.iter().enumerate() {
        let account = NewAccount {
            id: *rater,
            email: format!("rater{place}@example.org"),
            organization: heddle_model::OrgId(number(2_000 + place as u128)),
            ..crate::bed::new_account(9)
        };
        bed.store.create_account(account).await.unwrap();
    }
    for (place, listing) in listings.iter().enumerate() {
        let text = SubmissionText {
            name: listing.name.clone(),
            sub_heading: listing.sub_heading.clone(),
            description: listing.description.clone(),
            ..SubmissionText::default()
        };
        let id = place as u128 + 1;
        publish(bed, ada, id, 1, &listing.slug, text).await;
        let mean = (listing.rating_sum + listing.rating_count / 2) / listing.rating_count;
        for rater in raters.iter().take(usize::try_from(listing.rating_count / 10).unwrap()) {
            bed.store.rate(*rater, ListingId(number(id)), mean, None, crate::bed::NOON).await.unwrap();
        }
    }
}

#[tokio::test]
async fn search_quality() {
    let (listings, queries): (Vec<Listing>, Vec<Judged>) = (read(LISTINGS), read(QUERIES));
    assert!(listings.len() >= 60 && queries.len() >= 40);
    let mut each: Vec<Vec<Vec<String>>> = Vec::new();
    for bed in Bed::each() {
        fill(&bed, &listings).await;
        let (mut sum, mut answers) = (0.0, Vec::new());
        for judged in &queries {
            let found = bed.store.find_agents(&judged.query, AgentFilter::default(), TOP_TEN).await.unwrap();
            let found: Vec<String> = found.items.into_iter().map(|card| card.slug).collect();
            let score = ndcg(&found, &judged.relevant);
            if score < 0.999 {
                println!("{score:.2} {} ({}): {}", judged.query, judged.why, found.join(" "));
            }
            sum += score;
            answers.push(found);
        }
        let mean = sum / queries.len() as f64;
        println!("nDCG@10 {mean:.4} over {} queries and {} listings", queries.len(), listings.len());
        assert!(mean >= 0.85, "{mean}");
        each.push(answers);
    }
    assert!(each.windows(2).all(|pair| pair[0] == pair[1]), "the databases find the same in the same order");
}

#[tokio::test]
async fn nothing_odd_that_is_typed_does_harm() {
    for bed in Bed::each() {
        let listings: Vec<Listing> = read(LISTINGS);
        fill(&bed, &listings[..5]).await;
        let long = "word ".repeat(2_000);
        for text in [
            "",
            "   ",
            "…",
            "'; DROP TABLE listing; --",
            "\"",
            "* OR 1",
            "%",
            "_",
            "a\0b",
            "\u{1}",
            "(((",
            &long,
            "NEAR/2",
        ] {
            bed.store.find_agents(text, AgentFilter::default(), TOP_TEN).await.unwrap();
        }
        let all = Paging { page: 1, page_size: 100 };
        let meeting = bed.store.find_agents("meeting", AgentFilter::default(), all).await.unwrap();
        assert_eq!((meeting.total, meeting.items.len()), (2, 2));
        let past = Paging { page: 7, page_size: 100 };
        let none = bed.store.find_agents("meeting", AgentFilter::default(), past).await.unwrap();
        assert_eq!((none.total, none.items.len()), (2, 0));
    }
}

#[test]
fn the_measure_can_fail() {
    let judged = BTreeMap::from([("a".to_owned(), 3), ("b".to_owned(), 1)]);
    let of = |found: &[&str]| ndcg(&found.iter().map(|slug| (*slug).to_owned()).collect::<Vec<_>>(), &judged);
    assert!((of(&["a", "b"]) - 1.0).abs() < 1e-9);
    assert!(of(&["b", "a"]) < 0.75 && of(&["x", "a"]) < 0.65);
    assert!(of(&[]).abs() < 1e-9);
}
