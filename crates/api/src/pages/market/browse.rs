//! All agents: searched, narrowed, sorted.

use super::{PATH, card, page_number, pager};
use crate::pages::Visit;
use axum::response::{IntoResponse, Response};
use heddle_platform::PageRequest;
use heddle_platform::marketplace::{AgentOrder, AgentQuery};
use maud::{Markup, html};

const SHOWN: u64 = 24;
const ORDERS: [(&str, &str, AgentOrder); 4] = [
    ("runs", "Most run", AgentOrder::Runs),
    ("rating", "Best rated", AgentOrder::Rating),
    ("updated_at", "Newest", AgentOrder::UpdatedAt),
    ("name", "Name", AgentOrder::Name),
];

/// `GET /marketplace`.
pub async fn page(visit: Visit) -> Response {
    let market = &visit.app.platform.marketplace;
    let given = |name: &str| visit.query(name).unwrap_or_default().trim().to_owned();
    let (search, category, sort) = (given("q"), given("category"), given("sort"));
    let order = ORDERS.iter().find(|(word, ..)| *word == sort).map_or(AgentOrder::Runs, |(.., order)| *order);
    let kept = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let query = AgentQuery { category: kept(&category), search: kept(&search), order, ..AgentQuery::default() };
    let number = page_number(&visit);
    let found = market.agents(query, PageRequest { page: number, page_size: SHOWN }).await;
    let (found, categories) = match (found, market.categories().await) {
        (Ok(found), Ok(categories)) => (found, categories),
        (Err(error), _) | (_, Err(error)) => return visit.failed(&error),
    };
    let is_whole = search.is_empty() && category.is_empty();
    let content = html! {
        p { "Agents that people of this server share. Run them with your own keys; their makers see how often, and nothing else." }
        (form(&visit, &search, &category, &sort, &categories))
        @if found.total_items == 0 {
            p.empty {
                @if is_whole { "Nothing is published here yet." } @else { "Nothing fits. Try other words, or fewer." }
            }
        } @else {
            @if !is_whole {
                p role="status" { @if found.total_items == 1 { "1 agent" } @else { (found.total_items) " agents" } }
            }
            h2.unseen { "Agents" }
            ul.cards { @for agent in &found.items { (card(&visit, agent)) } }
            (pager(&visit, PATH, &[("q", &search), ("category", &category), ("sort", &sort)], number, found.total_pages()))
        }
        p.beside { a href=(visit.link("/marketplace/creators")) { "Creators" } " · " a href=(visit.link(super::SUBMISSIONS)) { "Publish an agent of yours" } }
    };
    visit.page("Marketplace", content).wide().into_response()
}

fn form(visit: &Visit, search: &str, category: &str, sort: &str, categories: &[(String, u64)]) -> Markup {
    html! {
        form.search method="get" action=(visit.link(PATH)) role="search" {
            div.field {
                label for="q" { "Search" }
                input id="q" name="q" type="search" value=(search) maxlength="200" autocomplete="off" placeholder="What should it do?";
            }
            div.field {
                label for="category" { "Category" }
                select id="category" name="category" {
                    option value="" selected[category.is_empty()] { "All" }
                    @for (name, count) in categories { option value=(name) selected[name == category] { (name) " (" (count) ")" } }
                    @if !category.is_empty() && categories.iter().all(|(name, _)| name != category) {
                        option value=(category) selected { (category) }
                    }
                }
            }
            div.field {
                label for="sort" { "Order" }
                select id="sort" name="sort" {
                    @for (word, title, _) in ORDERS { option value=(word) selected[word == sort] { (title) } }
                }
            }
            button { "Search" }
        }
        @if !search.is_empty() { p.hint { "The best fit comes first, whatever the order." } }
    }
}
