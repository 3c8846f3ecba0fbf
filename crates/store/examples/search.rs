//! How long the marketplace's search takes with many listings, on both databases.
//!
//!     search [LISTINGS] [QUERIES]
//!
//! Listings are made of words whose frequencies follow Zipf's law, as those of languages do, so that some words are in
//! nearly all of them. Queries are of one to four words taken from listings, so that common ones come often; one in eight
//! has a letter wrong. One at a time; prints one line of JSON for each database. Needs PostgreSQL's programs for the second.
//! `answers` is a digest of how many and which listings were found in which order, so the same on both.

use heddle_cluster::Cluster;
use heddle_model::{Graph, GraphId, ListingId, ListingVersionId, OrgId, Time, UserId};
use heddle_store::{
    AgentFilter, Creator, MarketReview, NewAccount, Paging, Store, SubmissionStatus, SubmissionText, Submitted,
};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Words of the language, and how many a description has.
const WORDS: usize = 20_000;
const DESCRIPTION: usize = 60;
/// Listings handed in at once.
const TOGETHER: usize = 64;

/// Numbers that are the same every time (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Makes all that follow depend on a text.
    fn add(&mut self, text: &str) {
        for byte in text.bytes() {
            self.0 ^= u64::from(byte);
            self.next();
        }
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }

    /// A word's rank; the probability of each is one over its rank, nearly.
    fn rank(&mut self) -> usize {
        let part = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        ((WORDS as f64).powf(part) as usize).clamp(1, WORDS) - 1
    }
}

/// The word of a rank: syllables, so that words look alike and misspelt ones have neighbours.
fn word(rank: usize) -> String {
    const BEGINNINGS: [&str; 16] = ["b", "br", "d", "f", "g", "k", "l", "m", "n", "p", "pl", "r", "s", "st", "t", "v"];
    const VOWELS: [&str; 5] = ["a", "e", "i", "o", "u"];
    let mut left = rank + 81;
    let mut word = String::new();
    while left > 0 {
        word.push_str(BEGINNINGS[left % 16]);
        left /= 16;
        word.push_str(VOWELS[left % 5]);
        left /= 5;
    }
    word
}

fn words(dice: &mut Dice, count: usize) -> String {
    (0..count).map(|_| word(dice.rank())).collect::<Vec<_>>().join(" ")
}

fn id(number: usize, kind: u8) -> Uuid {
    let mut bytes = [kind; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

async fn fill(store: &Store, listings: usize) -> Vec<String> {
    let (owner, organization) = (UserId(id(0, 1)), OrgId(id(0, 2)));
    let account = NewAccount {
        id: owner,
        email: "ada@example.org".to_owned(),
        name: None,
        password_hash: None,
        is_admin: true,
        created_at: Time(0),
        organization,
    };
    store.create_account(account).await.expect("an empty database takes an account");
    let creator = Creator {
        owner,
        username: "ada".to_owned(),
        name: "Ada".to_owned(),
        description: String::new(),
        links: Vec::new(),
        avatar: None,
        is_featured: false,
        created_at: Time(0),
        updated_at: Time(0),
    };
    store.put_creator(creator).await.expect("and a profile");
    let mut dice = Dice(7);
    let mut texts = Vec::new();
    for first in (0..listings).step_by(TOGETHER) {
        let some = (first..listings.min(first + TOGETHER)).map(|number| {
            let text = SubmissionText {
                name: words(&mut dice, 3),
                sub_heading: words(&mut dice, 7),
                description: words(&mut dice, DESCRIPTION),
                ..SubmissionText::default()
            };
            texts.push(format!("{} {} {}", text.name, text.sub_heading, text.description));
            publish(store, owner, organization, number, text)
        });
        futures(some.collect()).await;
    }
    texts
}

async fn publish(store: &Store, owner: UserId, organization: OrgId, number: usize, text: SubmissionText) {
    let (graph, version) = (GraphId(id(number, 3)), ListingVersionId(id(number, 4)));
    let saved = Graph {
        id: graph,
        version: 1,
        is_active: true,
        name: String::new(),
        description: String::new(),
        instructions: None,
        recommended_schedule_cron: None,
        forked_from_id: None,
        forked_from_version: None,
        nodes: Vec::new(),
        links: Vec::new(),
    };
    let submitted = Submitted {
        id: version,
        listing: ListingId(id(number, 5)),
        owner,
        organization,
        slug: format!("agent-{number}"),
        graph,
        graph_version: 1,
        text,
        status: SubmissionStatus::Pending,
        at: Time(number as i64),
    };
    store.submit(submitted, &[saved]).await.expect("it is handed in once");
    let review = MarketReview {
        submission: version,
        reviewer: owner,
        approved: true,
        comments: None,
        notes: None,
        at: Time(number as i64),
    };
    let decided = store.decide(review, SubmissionStatus::Pending, vec![(graph, 1)]).await;
    assert!(decided.expect("it waits for a decision"), "it was decided once");
}

/// Waits for all of them at once.
async fn futures(all: Vec<impl Future<Output = ()>>) {
    let mut all: Vec<_> = all.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|cx| {
        all.retain_mut(|one| one.as_mut().poll(cx).is_pending());
        if all.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// Words as they stand in listings; one query in eight has a letter wrong.
fn queries(texts: &[String], count: usize) -> Vec<String> {
    let mut dice = Dice(11);
    let one = |_| {
        let text: Vec<&str> = texts[dice.below(texts.len())].split(' ').collect();
        let mut words: Vec<String> = (0..=dice.below(4)).map(|_| text[dice.below(text.len())].to_owned()).collect();
        if dice.below(8) == 0 {
            let word = &mut words[0];
            let middle = word.len() / 2;
            word.replace_range(middle..=middle, "x");
        }
        words.join(" ")
    };
    (0..count).map(one).collect()
}

/// `settle` does what the database does by itself a while after it was filled.
async fn measure(database: &str, store: Store, settle: impl FnOnce(), listings: usize, count: usize) {
    let begun = Instant::now();
    let texts = fill(&store, listings).await;
    let filled = begun.elapsed();
    settle();
    let page = Paging { page: 1, page_size: 20 };
    let queries = queries(&texts, count);
    for query in queries.iter().take(200) {
        store.find_agents(query, AgentFilter::default(), page).await.expect("it can be asked");
    }
    let (mut took, mut found, mut answers) = (Vec::new(), 0, Dice(0));
    for query in &queries {
        let begun = Instant::now();
        let answer = store.find_agents(query, AgentFilter::default(), page).await.expect("it can be asked");
        took.push(begun.elapsed());
        found += answer.total;
        answers.add(&answer.total.to_string());
        for card in &answer.items {
            answers.add(&card.slug);
        }
    }
    store.close().await;
    took.sort_unstable();
    let at = |part: usize| millis(took[(took.len() - 1) * part / 1000]);
    println!(
        "{{\"database\": \"{database}\", \"listings\": {listings}, \"queries\": {count}, \"found_each\": {}, \
         \"answers\": \"{:016x}\", \"median_ms\": {:.2}, \"p90_ms\": {:.2}, \"p99_ms\": {:.2}, \"max_ms\": {:.2}, \"publish_ms_each\": {:.2}}}",
        found / count as u64,
        answers.next(),
        at(500),
        at(900),
        at(990),
        at(1000),
        millis(filled) / listings as f64,
    );
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[tokio::main]
async fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse().ok());
    let (listings, count) = (numbers.next().unwrap_or(10_000), numbers.next().unwrap_or(5_000));
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let store = Store::open(&folder.path().join("heddle.db")).expect("there is room for a database");
    measure("sqlite", store, || (), listings, count).await;
    match Cluster::shared() {
        Some(cluster) => {
            let url = cluster.database();
            let store = Store::connect(&url).expect("the server is the example's own");
            // The example's server does not clean up after itself, as others do within minutes.
            let settle = || drop(cluster.sql(&url, "VACUUM ANALYZE"));
            measure("postgresql", store, settle, listings, count).await;
        }
        None => eprintln!("skipped: 1 (needs PostgreSQL)"),
    }
}
