//! The marketplace in the browser: looking round without signing in; adding, rating, publishing and reviewing with it.

mod agent;
mod browse;
mod creator;
mod files;
mod form;
mod profile;
mod queue;
mod submissions;

use super::Visit;
use crate::app::App;
use crate::unrouted::Templates;
use axum::Router;
use axum::routing::{get, post};
use heddle_platform::marketplace::{AgentCard, Ratings};
use maud::{Markup, html};

/// Where looking round begins.
pub const PATH: &str = "/marketplace";
/// What somebody has handed in.
const SUBMISSIONS: &str = "/settings/submissions";
/// How somebody is shown as a creator.
const PROFILE: &str = "/settings/creator";
/// What waits for operators.
const QUEUE: &str = "/admin/marketplace";

/// All pages.
pub fn routes(templates: &mut Templates) -> Router<App> {
    let mut router = Router::new();
    for (path, methods, handlers) in [
        (PATH, "GET", get(browse::page)),
        ("/marketplace/creators", "GET", get(creator::list)),
        ("/marketplace/creators/{username}", "GET", get(creator::page)),
        ("/marketplace/agents/{username}/{slug}", "GET", get(agent::page)),
        ("/marketplace/agents/{username}/{slug}/add", "POST", post(agent::add)),
        ("/marketplace/agents/{username}/{slug}/update", "POST", post(agent::update)),
        ("/marketplace/agents/{username}/{slug}/remove", "POST", post(agent::remove)),
        ("/marketplace/agents/{username}/{slug}/rate", "POST", post(agent::rate)),
        ("/marketplace/agents/{username}/{slug}/unrate", "POST", post(agent::unrate)),
        (PROFILE, "GET, POST", get(profile::page).post(profile::save)),
        (SUBMISSIONS, "GET", get(submissions::page)),
        ("/settings/submissions/new", "GET, POST", get(submissions::new).post(submissions::submit)),
        ("/settings/submissions/{id}", "GET, POST", get(submissions::one).post(submissions::save)),
        ("/settings/submissions/{id}/file", "GET", get(submissions::file)),
        ("/settings/submissions/{id}/delete", "POST", post(submissions::delete)),
        ("/settings/submissions/{id}/withdraw", "POST", post(submissions::withdraw)),
        (QUEUE, "GET", get(queue::page)),
        ("/admin/marketplace/{id}", "GET, POST", get(queue::one).post(queue::decide)),
        ("/admin/marketplace/{id}/file", "GET", get(queue::file)),
        ("/admin/marketplace/{id}/feature", "POST", post(queue::feature)),
    ] {
        templates.add(path, methods);
        router = router.route(path, handlers);
    }
    router
}

/// The address of an agent's page, below the prefix.
pub(super) fn agent_path(creator: &str, slug: &str) -> String {
    format!("/marketplace/agents/{creator}/{slug}")
}

/// A picture of ours.
fn picture(visit: &Visit, name: &str, class: &str, alt: &str) -> Markup {
    html! { img class=(class) src=(visit.link(&format!("/media/{name}"))) alt=(alt) loading="lazy"; }
}

/// An agent in a list.
fn card(visit: &Visit, agent: &AgentCard) -> Markup {
    html! {
        li.card {
            @match agent.images.first() {
                Some(name) => (picture(visit, name, "cover", "")),
                None => div.cover.plain aria-hidden="true" { (first_letter(&agent.name)) },
            }
            div.about {
                h3 { a href=(visit.link(&agent_path(&agent.creator, &agent.slug))) { (agent.name) } }
                p { (agent.sub_heading) }
                p.note {
                    "by " a href=(visit.link(&format!("/marketplace/creators/{}", agent.creator))) { (agent.creator_name) }
                    " · " (runs(agent.runs)) " · " (stars(agent.ratings))
                    @if agent.is_featured { " · " span.state.good { "Featured" } }
                }
            }
        }
    }
}

fn first_letter(name: &str) -> String {
    name.chars()
        .find(|letter| letter.is_alphanumeric())
        .map_or("?".to_owned(), |letter| letter.to_uppercase().collect())
}

fn runs(count: u64) -> String {
    if count == 1 { "1 run".to_owned() } else { format!("{count} runs") }
}

/// A rating in words that need no picture.
fn stars(ratings: Ratings) -> String {
    match ratings.count {
        0 => "not rated yet".to_owned(),
        1 => format!("★ {:.1} (1 rating)", ratings.mean()),
        count => format!("★ {:.1} ({count} ratings)", ratings.mean()),
    }
}

/// Text with its paragraphs and line ends.
pub(super) fn prose(text: &str) -> Markup {
    html! { @for part in text.split("\n\n").filter(|part| !part.trim().is_empty()) { p.lines { (part.trim_matches('\n')) } } }
}

/// Links to the pages before and after; `query` is what stays in the address.
pub(super) fn pager(visit: &Visit, path: &str, query: &[(&str, &str)], page: u64, pages: u64) -> Markup {
    let to = |number: u64| {
        let mut address = url::form_urlencoded::Serializer::new(String::new());
        address.extend_pairs(query.iter().filter(|(_, value)| !value.is_empty()));
        address.append_pair("page", &number.to_string());
        format!("{}?{}", visit.link(path), address.finish())
    };
    html! {
        @if pages > 1 {
            nav.pager aria-label="Pages" {
                @if page > 1 { a href=(to(page - 1)) rel="prev" { "Previous" } }
                span.note { "Page " (page) " of " (pages) }
                @if page < pages { a href=(to(page + 1)) rel="next" { "Next" } }
            }
        }
    }
}

/// Which page the address asks for.
pub(super) fn page_number(visit: &Visit) -> u64 {
    visit.query("page").and_then(|page| page.parse().ok()).filter(|page| (1..=100_000).contains(page)).unwrap_or(1)
}

/// An address elsewhere, which is told nothing of this page.
fn elsewhere(address: &str) -> Markup {
    html! { a href=(address) rel="noopener noreferrer nofollow ugc" { (address) } }
}
