//! Creators, and what each has published.

use super::{card, elsewhere, page_number, pager, picture, prose, runs, stars};
use crate::pages::Visit;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use heddle_platform::PageRequest;
use heddle_platform::marketplace::{AgentOrder, AgentQuery, CreatorOrder, CreatorQuery, CreatorStats};
use maud::{Markup, html};

const SHOWN: u64 = 24;
const LIST: &str = "/marketplace/creators";

/// `GET /marketplace/creators`.
pub async fn list(visit: Visit) -> Response {
    let number = page_number(&visit);
    let query = CreatorQuery { order: CreatorOrder::Runs, ..CreatorQuery::default() };
    let request = PageRequest { page: number, page_size: SHOWN };
    let found = match visit.app.platform.marketplace.creators(query, request).await {
        Ok(found) => found,
        Err(error) => return visit.failed(&error),
    };
    let content = html! {
        @if found.total_items == 0 { p.empty { "Nobody has published anything here yet." } }
        ul.cards { @for creator in &found.items { (row(&visit, creator)) } }
        (pager(&visit, LIST, &[], number, found.total_pages()))
        p.beside { a href=(visit.link(super::PATH)) { "All agents" } }
    };
    visit.page("Creators", content).wide().into_response()
}

fn row(visit: &Visit, stats: &CreatorStats) -> Markup {
    let creator = &stats.creator;
    html! {
        li.card {
            (face(visit, stats))
            div.about {
                h2.small { a href=(visit.link(&format!("{LIST}/{}", creator.username))) { (creator.name) } }
                p.note {
                    @if stats.agents == 1 { "1 agent" } @else { (stats.agents) " agents" }
                    " · " (runs(stats.runs)) " · " (stars(stats.ratings))
                }
            }
        }
    }
}

fn face(visit: &Visit, stats: &CreatorStats) -> Markup {
    html! {
        @match &stats.creator.avatar {
            Some(name) => (picture(visit, name, "logo", "")),
            None => span.logo aria-hidden="true" { (super::first_letter(&stats.creator.name)) },
        }
    }
}

/// `GET /marketplace/creators/{username}`.
pub async fn page(Path(username): Path<String>, visit: Visit) -> Response {
    let market = &visit.app.platform.marketplace;
    let stats = match market.creator(&username).await {
        Ok(stats) => stats,
        Err(error) => return visit.failed(&error),
    };
    let number = page_number(&visit);
    let creator = &stats.creator;
    let query =
        AgentQuery { creator: Some(creator.username.clone()), order: AgentOrder::Runs, ..AgentQuery::default() };
    let found = match market.agents(query, PageRequest { page: number, page_size: SHOWN }).await {
        Ok(found) => found,
        Err(error) => return visit.failed(&error),
    };
    let content = html! {
        div.asks {
            (face(&visit, &stats))
            div {
                p.note { "@" (creator.username) @if creator.is_featured { " · " span.state.good { "Featured" } } }
                p.note { (runs(stats.runs)) " · " (stars(stats.ratings)) }
            }
        }
        (prose(&creator.description))
        @if !creator.links.is_empty() { ul { @for link in &creator.links { li { (elsewhere(link)) } } } }
        h2 { "Agents" }
        ul.cards { @for agent in &found.items { (card(&visit, agent)) } }
        (pager(&visit, &format!("{LIST}/{}", creator.username), &[], number, found.total_pages()))
    };
    visit.page(&creator.name, content).wide().into_response()
}
