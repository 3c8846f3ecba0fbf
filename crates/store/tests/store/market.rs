//! Listings and their versions, what others may run of them, runs counted, ratings, and finding them.

mod index;
mod rules;
mod search;

use crate::bed::{Bed, Person, graph, noon_and};
use heddle_model::{GraphId, ListingId, ListingVersionId};
use heddle_store::{Creator, MarketReview, SubmissionStatus, SubmissionText, Submitted};
use uuid::Uuid;

/// Makes a person's profile.
pub async fn profile(bed: &Bed, person: Person, username: &str) {
    let creator = Creator {
        owner: person.id,
        username: username.to_owned(),
        name: username.to_owned(),
        description: String::new(),
        links: Vec::new(),
        avatar: None,
        is_featured: false,
        created_at: noon_and(0),
        updated_at: noon_and(0),
    };
    bed.store.put_creator(creator).await.unwrap();
}

pub fn number(number: u128) -> Uuid {
    uuid::Builder::from_random_bytes(number.to_be_bytes()).into_uuid()
}

/// A submission of version `version` of graph number `id`, whose listing has that number too.
pub fn submitted(person: Person, id: u128, version: i64, slug: &str, text: SubmissionText) -> Submitted {
    Submitted {
        id: version_id(id, version),
        listing: ListingId(number(id)),
        owner: person.id,
        organization: person.organization,
        slug: slug.to_owned(),
        graph: GraphId(number(id)),
        graph_version: version,
        text,
        status: SubmissionStatus::Pending,
        at: noon_and(version),
    }
}

pub fn version_id(id: u128, version: i64) -> ListingVersionId {
    ListingVersionId(number((id << 16) + u128::from(version.unsigned_abs())))
}

pub fn named(name: &str) -> SubmissionText {
    SubmissionText { name: name.to_owned(), description: format!("About {name}"), ..SubmissionText::default() }
}

/// Saves a version of a graph, hands it in and has it approved.
pub async fn publish(bed: &Bed, person: Person, id: u128, version: i64, slug: &str, text: SubmissionText) {
    let saved = graph(GraphId(number(id)), version, slug);
    bed.store
        .save_graphs(person.id, person.organization, std::slice::from_ref(&saved), noon_and(version))
        .await
        .unwrap();
    let copy = graph(GraphId(number(id)), version, &format!("copy of {slug}"));
    bed.store.submit(submitted(person, id, version, slug, text), &[copy]).await.unwrap();
    assert!(approve(bed, person, id, version).await);
}

pub async fn approve(bed: &Bed, person: Person, id: u128, version: i64) -> bool {
    let graphs = vec![(GraphId(number(id)), version)];
    bed.store.decide(decision(person, id, version, true), SubmissionStatus::Pending, graphs).await.unwrap()
}

pub fn decision(person: Person, id: u128, version: i64, approved: bool) -> MarketReview {
    MarketReview {
        submission: version_id(id, version),
        reviewer: person.id,
        approved,
        comments: None,
        notes: None,
        at: noon_and(100 + version),
    }
}
