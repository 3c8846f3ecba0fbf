use super::{approve, decision, named, number, profile, publish, submitted, version_id};
use crate::bed::{Bed, graph, later, noon_and, opening, person, run_id};
use heddle_engine::ports::Journal;
use heddle_model::{GraphId, ListingId};
use heddle_store::{AgentFilter, Error, Paging, SubmissionStatus};

const FIRST: Paging = Paging { page: 1, page_size: 10 };

#[tokio::test]
async fn a_listing_shows_the_version_that_was_approved_last() {
    for bed in Bed::each() {
        let ada = bed.account(1).await;
        profile(&bed, ada, "ada").await;
        publish(&bed, ada, 1, 1, "digest", named("Digest")).await;
        publish(&bed, ada, 1, 2, "ignored", named("Digest, better")).await;
        let agent = bed.store.shown_agent("ada", "digest").await.unwrap().unwrap();
        assert_eq!((agent.card.name.as_str(), agent.card.graph_version, agent.number), ("Digest, better", 2, 2));
        let versions: Vec<_> = agent.versions.iter().map(|version| (version.version, version.graph_version)).collect();
        assert_eq!(versions, [(1, 1), (2, 2)]);
        let found = async |text: &str| bed.store.find_agents(text, AgentFilter::default(), FIRST).await.unwrap().total;
        assert_eq!((found("better").await, found("digest").await), (1, 1));

        // Taken back, the one before it is shown, and found by its own words.
        let back = decision(ada, 1, 2, false);
        assert!(bed.store.decide(back.clone(), SubmissionStatus::Approved, Vec::new()).await.unwrap());
        assert!(!bed.store.decide(back, SubmissionStatus::Approved, Vec::new()).await.unwrap());
        let agent = bed.store.shown_agent("ada", "digest").await.unwrap().unwrap();
        assert_eq!((agent.card.name.as_str(), agent.number), ("Digest", 1));
        assert_eq!((found("better").await, found("digest").await), (0, 1));

        assert!(bed.store.withdraw_listing(ada.id, ListingId(number(1)), noon_and(9)).await.unwrap());
        assert!(!bed.store.withdraw_listing(ada.id, ListingId(number(1)), noon_and(9)).await.unwrap());
        assert_eq!(bed.store.shown_agent("ada", "digest").await.unwrap(), None);
        assert_eq!(found("digest").await, 0);
        assert_eq!(bed.store.shown_agents(AgentFilter::default(), FIRST).await.unwrap().total, 0);
    }
}

#[tokio::test]
async fn others_read_the_copy_of_the_version_in_their_library() {
    for bed in Bed::each() {
        let (ada, bob) = (bed.account(1).await, bed.account(2).await);
        profile(&bed, ada, "ada").await;
        publish(&bed, ada, 1, 1, "digest", named("Digest")).await;
        let id = GraphId(number(1));
        assert_eq!(bed.store.graph(bob.id, id, None).await.unwrap(), None);
        let add = async |version, follow| {
            bed.store.add_to_library(bob.id, bob.organization, id, version, follow, noon_and(5)).await.unwrap()
        };
        let entry = add(1, false).await;
        publish(&bed, ada, 1, 2, "digest", named("Digest")).await;
        assert_eq!(add(2, false).await, entry, "it stays at its version");
        for asked in [None, Some(1)] {
            let seen = bed.store.graph(bob.id, id, asked).await.unwrap().unwrap();
            assert_eq!((seen.graph.name.as_str(), seen.graph.version), ("copy of digest", 1));
            assert_eq!((seen.author, seen.in_library, seen.organization), (ada.id, true, bob.organization));
        }
        assert_eq!(bed.store.graph(bob.id, id, Some(2)).await.unwrap(), None, "only the version that is there");
        let listed = bed.store.graphs(bob.id, FIRST).await.unwrap();
        assert_eq!((listed.total, listed.items.len(), listed.items[0].version), (1, 1, 1));
        assert_eq!(bed.store.graph(ada.id, id, None).await.unwrap().unwrap().graph.name, "digest", "her own");

        assert_eq!(add(2, true).await.graph_version, 2);
        assert_eq!(bed.store.graph(bob.id, id, None).await.unwrap().unwrap().graph.version, 2);
        assert!(bed.store.remove_from_library(bob.id, id, noon_and(6)).await.unwrap());
        assert!(!bed.store.remove_from_library(bob.id, id, noon_and(6)).await.unwrap());
        assert_eq!(bed.store.graph(bob.id, id, None).await.unwrap(), None);
        // Runs still read what they began with, withdrawn or not.
        bed.store.withdraw_listing(ada.id, ListingId(number(1)), noon_and(7)).await.unwrap();
        for version in [1, 2] {
            let copy = bed.store.published_graph(id, version).await.unwrap().unwrap();
            assert_eq!((copy.graph.version, copy.author, copy.in_library), (version, ada.id, false));
        }
    }
}

#[tokio::test]
async fn what_was_never_approved_is_nobodys_but_its_owners() {
    for bed in Bed::each() {
        let (ada, bob) = (bed.account(1).await, bed.account(2).await);
        profile(&bed, ada, "ada").await;
        let saved = graph(GraphId(number(1)), 1, "digest");
        bed.store.save_graphs(ada.id, ada.organization, std::slice::from_ref(&saved), noon_and(1)).await.unwrap();
        bed.store.submit(submitted(ada, 1, 1, "digest", named("Digest")), &[saved]).await.unwrap();
        assert_eq!(bed.store.published_graph(GraphId(number(1)), 1).await.unwrap(), None);
        let id = version_id(1, 1);
        assert!(bed.store.submission(ada.id, id).await.unwrap().is_some());
        assert_eq!(bed.store.submission(bob.id, id).await.unwrap(), None);
        assert_eq!(bed.store.submitted_graph(bob.id, GraphId(number(1)), 1).await.unwrap(), None);
        let change = bed.store.resubmit(bob.id, id, named("Mine"), SubmissionStatus::Pending, noon_and(2)).await;
        assert_eq!(change, Err(Error::NotFound));
        assert!(!bed.store.delete_submission(bob.id, id).await.unwrap());
        assert!(!bed.store.withdraw_listing(bob.id, ListingId(number(1)), noon_and(2)).await.unwrap());
        assert_eq!(bed.store.submissions(bob.id, FIRST).await.unwrap().total, 0);

        // Another listing of hers cannot have the slug; bob's can.
        let other = graph(GraphId(number(2)), 1, "other");
        bed.store.save_graphs(ada.id, ada.organization, &[other], noon_and(1)).await.unwrap();
        let twice = bed.store.submit(submitted(ada, 2, 1, "digest", named("Digest")), &[]).await;
        assert_eq!(twice, Err(Error::Exists));
        profile(&bed, bob, "bob").await;
        publish(&bed, bob, 3, 1, "digest", named("Digest")).await;
        assert!(bed.store.shown_agent("bob", "digest").await.unwrap().is_some());

        assert!(approve(&bed, ada, 1, 1).await);
        assert!(!bed.store.delete_submission(ada.id, id).await.unwrap(), "approved ones stay");
        let change = bed.store.resubmit(ada.id, id, named("Other"), SubmissionStatus::Pending, noon_and(2)).await;
        assert_eq!(change, Err(Error::NotFound), "and do not change");
    }
}

#[tokio::test]
async fn runs_are_counted_once_and_for_good() {
    for bed in Bed::each() {
        let (ada, bob) = (bed.account(1).await, bed.account(2).await);
        profile(&bed, ada, "ada").await;
        let start = |person, run: u32| {
            let mut frame = opening(person, run_id(run));
            frame.opening.as_mut().unwrap().graph = GraphId(number(1));
            frame
        };
        // Before there was a listing.
        bed.append(vec![start(ada, 1)]).await.unwrap();
        publish(&bed, ada, 1, 1, "digest", named("Digest")).await;
        let runs =
            async |store: &heddle_store::Store| store.shown_agent("ada", "digest").await.unwrap().unwrap().card.runs;
        assert_eq!(runs(&bed.store).await, 1);
        bed.append(vec![start(bob, 2)]).await.unwrap();
        bed.append(vec![start(bob, 3)]).await.unwrap();
        assert!(bed.append(vec![start(bob, 3)]).await.is_err(), "it is there");
        bed.append(vec![later(bob, run_id(3), 1, Vec::new())]).await.unwrap();
        // Another graph's.
        bed.append(vec![opening(bob, run_id(4))]).await.unwrap();
        assert_eq!(runs(&bed.store).await, 3);
        bed.store.close().await;
        let reopened = bed.place.open();
        assert_eq!(runs(&reopened).await, 3);
        reopened.append(vec![start(bob, 5)]).durable().await.unwrap();
        assert_eq!(runs(&reopened).await, 4, "known to be listed after a restart too");
    }
}

#[tokio::test]
async fn ratings_add_up_whoever_changes_his_mind() {
    for bed in Bed::each() {
        let (ada, bob) = (bed.account(1).await, bed.account(2).await);
        profile(&bed, ada, "ada").await;
        publish(&bed, ada, 1, 1, "digest", named("Digest")).await;
        let listing = ListingId(number(1));
        let rate = async |who: crate::bed::Person, score| {
            bed.store.rate(who.id, listing, score, Some("said".to_owned()), noon_and(score)).await.unwrap()
        };
        assert!(rate(bob, 2).await && rate(ada, 5).await && rate(bob, 4).await);
        let ratings = bed.store.shown_agent("ada", "digest").await.unwrap().unwrap().card.ratings;
        assert_eq!((ratings.sum, ratings.count, ratings.mean()), (9, 2, 4.5));
        let said = bed.store.ratings(listing, FIRST).await.unwrap();
        assert_eq!(said.items.iter().map(|rating| rating.score).collect::<Vec<_>>(), [5, 4]);
        assert!(bed.store.unrate(bob.id, listing).await.unwrap());
        assert!(!bed.store.unrate(bob.id, listing).await.unwrap());
        let stats = bed.store.creator_stats(ada.id).await.unwrap().unwrap();
        assert_eq!((stats.agents, stats.ratings.sum, stats.ratings.count), (1, 5, 1));
        bed.store.withdraw_listing(ada.id, listing, noon_and(7)).await.unwrap();
        assert!(!rate(bob, 3).await, "what is not shown is not rated");
    }
}

#[tokio::test]
async fn a_username_is_one_persons() {
    for bed in Bed::each() {
        let (ada, bob) = (bed.account(1).await, bed.account(2).await);
        profile(&bed, ada, "ada").await;
        let mut other = bed.store.creator(ada.id).await.unwrap().unwrap();
        other.owner = bob.id;
        assert_eq!(bed.store.put_creator(other).await, Err(Error::Exists));
        assert_eq!(bed.store.creator(bob.id).await.unwrap(), None);
        profile(&bed, ada, "lovelace").await;
        assert_eq!(bed.store.creator(ada.id).await.unwrap().unwrap().username, "lovelace");
        assert_eq!(bed.store.shown_creator("lovelace").await.unwrap(), None, "nothing of hers is shown");
        assert_eq!(person(1).id, ada.id);
    }
}
