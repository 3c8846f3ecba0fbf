//! One agent: what it is, what it needs, what people say; adding and rating it.

use super::{agent_path, elsewhere, page_number, pager, picture, prose, runs, stars};
use crate::pages::visit::status;
use crate::pages::{Form, Member, Said, Visit, agent::needs, banner, csrf, library, time};
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use heddle_platform::marketplace::{AgentDetails, LibraryEntry, Rating};
use heddle_platform::{Error, Page, PageRequest, SavedGraph};
use maud::{Markup, html};

const REVIEWS: u64 = 10;

type Names = Path<(String, String)>;

/// `GET /marketplace/agents/{username}/{slug}`.
pub async fn page(Path((username, slug)): Names, visit: Visit) -> Response {
    match visit.app.platform.marketplace.agent(&username, &slug).await {
        Ok(agent) => show(&visit, &agent, None).await,
        Err(error) => visit.failed(&error),
    }
}

/// `POST …/add`.
pub async fn add(Path(names): Names, Form { visit, .. }: Form<Member>) -> Response {
    let market = &visit.app.platform.marketplace;
    let agent = match market.agent(&names.0, &names.1).await {
        Ok(agent) => agent,
        Err(error) => return visit.failed(&error),
    };
    let added = market.add_to_library(&visit.who.caller, &agent.card).await.map(drop);
    done(&visit, &agent, added, Said::AGENT_ADDED).await
}

/// `POST …/update`.
pub async fn update(Path(names): Names, Form { visit, .. }: Form<Member>) -> Response {
    let market = &visit.app.platform.marketplace;
    let agent = match market.agent(&names.0, &names.1).await {
        Ok(agent) => agent,
        Err(error) => return visit.failed(&error),
    };
    let moved = market.update_in_library(&visit.who.caller, &agent.card).await.map(drop);
    done(&visit, &agent, moved, Said::AGENT_UPDATED).await
}

/// `POST …/remove`.
pub async fn remove(Path(names): Names, Form { visit, .. }: Form<Member>) -> Response {
    let market = &visit.app.platform.marketplace;
    let agent = match market.agent(&names.0, &names.1).await {
        Ok(agent) => agent,
        Err(error) => return visit.failed(&error),
    };
    let removed = market.remove_from_library(visit.who.caller.user, agent.card.graph).await;
    done(&visit, &agent, removed, Said::AGENT_REMOVED).await
}

/// `POST …/rate`.
pub async fn rate(Path(names): Names, Form { visit, fields }: Form<Member>) -> Response {
    let market = &visit.app.platform.marketplace;
    let agent = match market.agent(&names.0, &names.1).await {
        Ok(agent) => agent,
        Err(error) => return visit.failed(&error),
    };
    let score = fields.get("score").parse().unwrap_or(0);
    let rated = market.rate(visit.who.caller.user, &agent.card, score, fields.filled("comment")).await;
    done(&visit, &agent, rated, Said::AGENT_RATED).await
}

/// `POST …/unrate`.
pub async fn unrate(Path(names): Names, Form { visit, .. }: Form<Member>) -> Response {
    let market = &visit.app.platform.marketplace;
    let agent = match market.agent(&names.0, &names.1).await {
        Ok(agent) => agent,
        Err(error) => return visit.failed(&error),
    };
    let taken_back = market.unrate(visit.who.caller.user, &agent.card).await;
    done(&visit, &agent, taken_back, Said::AGENT_UNRATED).await
}

async fn done(member: &Member, agent: &AgentDetails, result: Result<(), Error>, said: Said) -> Response {
    match result {
        Ok(()) => member.go(&agent_path(&agent.card.creator, &agent.card.slug), Some(said)),
        Err(error) => show(member, agent, Some(&error)).await,
    }
}

/// What the page shows beside the agent itself.
struct Beside {
    graph: SavedGraph,
    reviews: Page<Rating>,
    entry: Option<LibraryEntry>,
    own: Option<Rating>,
}

async fn beside(visit: &Visit, agent: &AgentDetails) -> Result<Beside, Error> {
    let market = &visit.app.platform.marketplace;
    let user = visit.who.as_ref().map(|who| who.caller.user);
    Ok(Beside {
        graph: market.graph(&agent.card).await?,
        reviews: market
            .ratings(agent.card.listing, PageRequest { page: page_number(visit), page_size: REVIEWS })
            .await?,
        entry: match user {
            Some(user) => market.in_library(user, agent.card.graph).await?,
            None => None,
        },
        own: match user {
            Some(user) => market.own_rating(user, agent.card.listing).await?,
            None => None,
        },
    })
}

async fn show(visit: &Visit, agent: &AgentDetails, error: Option<&Error>) -> Response {
    let beside = match beside(visit, agent).await {
        Ok(beside) => beside,
        Err(error) => return visit.failed(&error),
    };
    let card = &agent.card;
    let path = agent_path(&card.creator, &card.slug);
    let content = html! {
        p.lead { (card.sub_heading) }
        p.note {
            "by " a href=(visit.link(&format!("/marketplace/creators/{}", card.creator))) { (card.creator_name) }
            " · " (runs(card.runs)) " · " (stars(card.ratings)) " · version " (agent.number) ", " (time(visit, card.updated_at))
            @if card.is_featured { " · " span.state.good { "Featured" } }
        }
        (banner(error))
        (in_library(visit, agent, beside.entry, &path))
        @if !card.images.is_empty() {
            div.gallery {
                @for (place, name) in card.images.iter().enumerate() {
                    (picture(visit, name, "", &format!("{}, picture {}", card.name, place + 1)))
                }
            }
        }
        (prose(&card.description))
        @if let Some(instructions) = &agent.instructions { h2 { "How to use it" } (prose(instructions)) }
        (needs(visit, &beside.graph, &visit.app.platform.graphs.computed(&beside.graph.graph)))
        (facts(visit, agent))
        h2 id="reviews" { "Reviews" }
        (rating_form(visit, agent, beside.own.as_ref(), &path))
        @if beside.reviews.items.is_empty() { p.empty { "Nobody has written about it yet." } }
        @for rating in &beside.reviews.items { (review(visit, rating)) }
        (pager(visit, &path, &[], beside.reviews.page, beside.reviews.total_pages()))
    };
    let page = visit.page(&card.name, content).wide();
    match error {
        Some(error) => page.status(status(error)).into_response(),
        None => page.into_response(),
    }
}

fn in_library(visit: &Visit, agent: &AgentDetails, entry: Option<LibraryEntry>, path: &str) -> Markup {
    let act = |what: &str| visit.link(&format!("{path}/{what}"));
    let is_own = visit.who.as_ref().is_some_and(|who| who.caller.user == agent.card.owner);
    let is_earlier = |entry: LibraryEntry| entry.graph_version != agent.card.graph_version;
    html! {
        @match entry {
            None => form method="post" action=(act("add")) { (csrf(visit)) button { "Add to library" } },
            Some(entry) => {
                p { span.state.good { "In your library" } @if is_own { " It is your own." } }
                @if !is_own && is_earlier(entry) {
                    p.caution { "You have an earlier version. It stays as it is until you take this one; schedules of it end then." }
                    form method="post" action=(act("update")) { (csrf(visit)) button { "Take this version" } }
                }
                p { a href=(visit.link(&library::path(entry.id))) { "How to run it, and its runs" } }
                @if !is_own {
                    details {
                        summary { "Remove it" }
                        form method="post" action=(act("remove")) { (csrf(visit)) button.danger { "Remove from library" } }
                    }
                }
            }
        }
    }
}

fn facts(visit: &Visit, agent: &AgentDetails) -> Markup {
    let card = &agent.card;
    html! {
        h2 { "About it" }
        dl {
            @if !card.categories.is_empty() {
                dt { "Categories" }
                dd { @for (place, category) in card.categories.iter().enumerate() {
                    @if place > 0 { ", " }
                    a href={ (visit.link(super::PATH)) "?" (url::form_urlencoded::Serializer::new(String::new()).append_pair("category", category).finish()) } { (category) }
                } }
            }
            @if let Some(video) = &agent.video { dt { "Video" } dd { (elsewhere(video)) } }
            @if let Some(demo) = &agent.output_demo { dt { "What comes out" } dd { (elsewhere(demo)) } }
            @if let Some(schedule) = &agent.schedule { dt { "Best run" } dd { code { (schedule) } } }
            dt { "Graph" } dd { code.long { (card.graph) } ", version " (card.graph_version) }
        }
        @if agent.versions.len() > 1 {
            details {
                summary { "All versions" }
                ul { @for version in agent.versions.iter().rev() {
                    li { "Version " (version.version) ", " (time(visit, version.approved_at))
                        @if let Some(changes) = &version.changes { ": " (changes) } }
                } }
            }
        }
    }
}

fn rating_form(visit: &Visit, agent: &AgentDetails, own: Option<&Rating>, path: &str) -> Markup {
    let Some(who) = &visit.who else {
        let next: String = url::form_urlencoded::byte_serialize(visit.link(path).as_bytes()).collect();
        return html! { p { a href={ (visit.link("/login")) "?next=" (next) } { "Sign in" } " to rate it." } };
    };
    if who.caller.user == agent.card.owner {
        return html! { p.note { "This is your own agent; others rate it." } };
    }
    html! {
        form method="post" action=(visit.link(&format!("{path}/rate"))) {
            (csrf(visit))
            fieldset {
                legend { "Your rating" }
                div.scores { @for score in 1..=5_i64 {
                    label { input type="radio" name="score" value=(score) required checked[own.is_some_and(|own| own.score == score)]; (score) }
                } }
                p.hint { "1 is poor, 5 is excellent." }
            }
            div.field {
                label for="comment" { "Your review" span.optional { " (optional)" } }
                textarea id="comment" name="comment" rows="3" maxlength="2000" { "\n" (own.and_then(|own| own.comment.as_deref()).unwrap_or_default()) }
                p.hint { "Everybody can read it, with your name." }
            }
            button { @if own.is_some() { "Change my rating" } @else { "Rate it" } }
        }
        @if own.is_some() {
            form.after method="post" action=(visit.link(&format!("{path}/unrate"))) { (csrf(visit)) button.quiet { "Take my rating back" } }
        }
    }
}

fn review(visit: &Visit, rating: &Rating) -> Markup {
    html! {
        article.review {
            p.note { "★ " (rating.score) " · " (rating.name.as_deref().unwrap_or("Somebody")) " · " (time(visit, rating.updated_at)) }
            (prose(rating.comment.as_deref().unwrap_or_default()))
        }
    }
}
