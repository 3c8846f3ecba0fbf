//! That the index has what is shown, and nothing else.

use super::{approve, named, number, profile, publish, submitted};
use crate::bed::{Bed, Place, noon_and};
use heddle_cluster::Cluster;
use heddle_model::ListingId;
use heddle_store::{AgentFilter, Paging, Store, SubmissionText};

const PAGE: Paging = Paging { page: 1, page_size: 100 };

/// Each term that something is posted under: in how many listings it is, and how long its bodies are.
const POSTED: &str = "SELECT term || ' ' || listing_count || ' ' || \
    (SELECT coalesce(sum(length(body)), 0) FROM search_block WHERE search_block.term = search_term.number) \
    FROM search_term WHERE listing_count <> 0 OR number IN (SELECT term FROM search_block) ORDER BY term";
const DOCUMENTS: &str = "SELECT CAST(count(*) AS TEXT) FROM search_document";

/// Back to before the index was packed.
const OLD: &str = "DROP TABLE search_block; DROP TABLE search_document; DROP INDEX listing_by_choice; \
    CREATE TABLE search_posting (term BIGINT); DELETE FROM migration WHERE number >= 19";

/// What a statement answers in its only column.
fn ask(place: &Place, sql: &str) -> Vec<String> {
    match place {
        Place::Sqlite(folder) => {
            let db = rusqlite::Connection::open(folder.path().join("heddle.db")).unwrap();
            let mut statement = db.prepare(sql).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
        }
        Place::Postgres(url) => Cluster::shared().unwrap().sql(url, sql).lines().map(str::to_owned).collect(),
    }
}

fn change(place: &Place, sql: &str) {
    match place {
        Place::Sqlite(folder) => {
            rusqlite::Connection::open(folder.path().join("heddle.db")).unwrap().execute_batch(sql).unwrap();
        }
        Place::Postgres(url) => drop(Cluster::shared().unwrap().sql(url, sql)),
    }
}

async fn found(store: &Store, text: &str, filter: AgentFilter) -> Vec<String> {
    let page = store.find_agents(text, filter, PAGE).await.unwrap();
    assert_eq!(page.total, page.items.len() as u64);
    page.items.into_iter().map(|card| card.slug).collect()
}

/// More listings than one block has.
#[tokio::test]
async fn what_is_posted_is_taken_back() {
    let mut each = Vec::new();
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        profile(&bed, ada, "ada").await;
        for id in 1..=270 {
            publish(&bed, ada, id, 1, &format!("agent-{id}"), named(&format!("Mail number{}", id % 7))).await;
        }
        let mail = bed.store.find_agents("mail number3", AgentFilter::default(), PAGE).await.unwrap();
        assert_eq!((mail.total, mail.items.len()), (270, 100));
        assert_eq!(mail.items[0].slug, "agent-3");
        assert_eq!(found(&bed.store, "number3", AgentFilter::default()).await.len(), 39);
        let before = ask(&bed.place, POSTED);
        assert!(before.contains(&"mail 270 810".to_owned()), "{before:?}");
        assert_eq!(ask(&bed.place, DOCUMENTS), ["270"]);

        // Another text; the first one again; nothing.
        publish(&bed, ada, 1, 2, "", named("Parcels")).await;
        assert_eq!(found(&bed.store, "parcels", AgentFilter::default()).await, ["agent-1"]);
        assert!(ask(&bed.place, POSTED).contains(&"mail 269 807".to_owned()));
        publish(&bed, ada, 1, 3, "", named("Mail number1")).await;
        assert_eq!(ask(&bed.place, POSTED), before);
        for id in 1..=270 {
            assert!(bed.store.withdraw_listing(ada.id, ListingId(number(id)), noon_and(9)).await.unwrap());
        }
        assert_eq!(ask(&bed.place, POSTED), [""; 0]);
        assert_eq!(ask(&bed.place, DOCUMENTS), ["0"]);
        assert_eq!(found(&bed.store, "mail", AgentFilter::default()).await, [""; 0]);
        each.push(before);
    }
    assert!(each.windows(2).all(|pair| pair[0] == pair[1]), "{each:?}");
}

#[tokio::test]
async fn an_older_index_is_made_anew() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        profile(&bed, ada, "ada").await;
        for (id, name) in [(1, "Mail digest"), (2, "Digest of news"), (3, "Weather"), (4, "Gone")] {
            publish(&bed, ada, id, 1, &format!("agent-{id}"), named(name)).await;
        }
        bed.store.withdraw_listing(ada.id, ListingId(number(4)), noon_and(9)).await.unwrap();
        let (before, posted) = (found(&bed.store, "digest", AgentFilter::default()).await, ask(&bed.place, POSTED));
        bed.store.close().await;
        change(&bed.place, OLD);

        let store = bed.place.open();
        assert_eq!(found(&store, "digest", AgentFilter::default()).await, [""; 0]);
        assert_eq!(store.reindex_some().await, Ok(3));
        assert_eq!(store.reindex_some().await, Ok(0));
        assert_eq!(found(&store, "digest", AgentFilter::default()).await, before);
        assert_eq!(found(&store, "digset", AgentFilter::default()).await, before, "misspelt words are known as before");
        assert_eq!(found(&store, "gone", AgentFilter::default()).await, [""; 0]);
        assert_eq!(ask(&bed.place, POSTED), posted);
    }
}

#[tokio::test]
async fn a_filter_narrows_what_is_found() {
    for bed in Bed::each() {
        let (ada, bob) = (bed.account(1).await, bed.account(2).await);
        profile(&bed, ada, "ada").await;
        profile(&bed, bob, "bob").await;
        let about = |category: &str| SubmissionText { categories: vec![category.to_owned()], ..named("Mail") };
        for (id, person, category) in [(1, ada, "news"), (2, ada, "work"), (3, bob, "work"), (4, bob, "news")] {
            publish(&bed, person, id, 1, &format!("agent-{id}"), about(category)).await;
        }
        bed.store.submit(submitted(ada, 5, 1, "agent-5", about("work")), &[]).await.unwrap();
        assert!(approve(&bed, ada, 5, 1).await);
        for slug in ["agent-2", "agent-5"] {
            assert!(bed.store.feature_listing("ada", slug, true).await.unwrap());
        }
        let all = AgentFilter::default;
        let (creator, category) = (Some("ada".to_owned()), Some("work".to_owned()));
        for (filter, expected) in [
            (all(), vec!["agent-1", "agent-2", "agent-3", "agent-4", "agent-5"]),
            (AgentFilter { featured: true, ..all() }, vec!["agent-2", "agent-5"]),
            (AgentFilter { creator: creator.clone(), ..all() }, vec!["agent-1", "agent-2", "agent-5"]),
            (AgentFilter { category: category.clone(), ..all() }, vec!["agent-2", "agent-3", "agent-5"]),
            (AgentFilter { creator: creator.clone(), category, ..all() }, vec!["agent-2", "agent-5"]),
            (AgentFilter { creator: Some("bob".to_owned()), featured: true, ..all() }, vec![]),
            (AgentFilter { category: Some("none".to_owned()), ..all() }, vec![]),
        ] {
            assert_eq!(found(&bed.store, "mail", filter.clone()).await, expected, "{filter:?}");
        }
    }
}
