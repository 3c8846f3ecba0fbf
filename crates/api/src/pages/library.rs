//! Somebody's agents: which there are, how one is run, and how its runs went.

use super::agent::{call, needs};
use super::market::{self, agent_path, page_number, pager, prose};
use super::{Form, Member, Said, csrf, time};
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use heddle_model::Status;
use heddle_platform::graphs::LibraryItem;
use heddle_platform::marketplace::AgentDetails;
use heddle_platform::{Error, Page, PageRequest, RunSummary, SavedGraph};
use maud::{Markup, html};
use uuid::Uuid;

/// Where they are listed.
pub const PATH: &str = "/library";
const SHOWN: u64 = 50;
const RUNS: u64 = 20;

/// The address of an agent in its owner's library, below the prefix; `v1.md` 7 names it.
pub fn path(id: Uuid) -> String {
    format!("{PATH}/agents/{id}")
}

/// `GET /library`.
pub async fn page(member: Member) -> Response {
    let wanted = PageRequest { page: page_number(&member), page_size: SHOWN };
    let found = match member.app.platform.graphs.library(member.who.caller.user, wanted).await {
        Ok(found) => found,
        Err(error) => return member.failed(&error),
    };
    let content = html! {
        p { "Agents that you can run: yours, and those you added from the marketplace." }
        @if found.total_items == 0 {
            p.empty { "There is none yet. Import a file, save one by the API, or add one from the marketplace." }
        } @else {
            ul.sessions { @for item in &found.items {
                li { div {
                    a href=(member.link(&path(item.id))) { (item.name) }
                    @if item.author != member.who.caller.user { " " span.state { "From the marketplace" } }
                    @if !item.description.is_empty() { p.note { (item.description) } }
                } }
            } }
            (pager(&member, PATH, &[], found.page, found.total_pages()))
        }
        p.beside { a href=(member.link(market::PATH)) { "Marketplace" } }
    };
    member.page("Library", content).wide().into_response()
}

/// `GET /library/agents/{id}`.
pub async fn agent(Path(id): Path<String>, member: Member) -> Response {
    match look(&member, &id).await {
        Ok(looked) => show(&member, &looked),
        Err(error) => member.failed(&error),
    }
}

/// `POST /library/agents/{id}/remove`: one of somebody else's.
pub async fn remove(Path(id): Path<String>, Form { visit, .. }: Form<Member>) -> Response {
    let owner = visit.who.caller.user;
    let removed = async {
        let item = visit.app.platform.graphs.library_item(owner, &id).await?;
        match item.author == owner {
            true => Err(Error::Refused("your own agents stay in your library".to_owned())),
            false => visit.app.platform.marketplace.remove_from_library(owner, item.graph).await,
        }
    };
    match removed.await {
        Ok(()) => visit.go(PATH, Some(Said::AGENT_REMOVED)),
        Err(error) => visit.failed(&error),
    }
}

/// An agent with what is shown beside it.
struct Looked {
    item: LibraryItem,
    graph: SavedGraph,
    runs: Page<RunSummary>,
    offered: Option<AgentDetails>,
}

async fn look(member: &Member, id: &str) -> Result<Looked, Error> {
    let (platform, owner) = (&member.app.platform, member.who.caller.user);
    let (item, graph) = platform.graphs.library_agent(owner, id).await?;
    let wanted = PageRequest { page: page_number(member), page_size: RUNS };
    Ok(Looked {
        runs: platform.runs.list(owner, &item.graph.to_string(), wanted).await?,
        offered: platform.marketplace.agent_of(item.graph).await?,
        item,
        graph,
    })
}

fn show(member: &Member, looked: &Looked) -> Response {
    let Looked { item, graph, runs, offered } = looked;
    let computed = member.app.platform.graphs.computed(&graph.graph);
    let content = html! {
        p.note {
            "Version " (item.version)
            @if let Some(AgentDetails { card, .. }) = offered {
                " · " a href=(member.link(&agent_path(&card.creator, &card.slug))) { "On the marketplace" }
                @if card.graph_version > item.version && item.author != member.who.caller.user { ", in a later version" }
            }
        }
        (prose(&item.description))
        h2 { "Run it" }
        (call(member, graph, &computed))
        (needs(member, graph, &computed))
        h2 { "Runs" }
        @if runs.items.is_empty() { p.empty { "It has not been run yet." } }
        @else { (table(member, &runs.items)) }
        (pager(member, &path(item.id), &[], runs.page, runs.total_pages()))
        @if item.author != member.who.caller.user { (removal(member, item)) }
    };
    member.page(&item.name, content).wide().into_response()
}

fn table(member: &Member, runs: &[RunSummary]) -> Markup {
    html! {
        div.table { table {
            caption.unseen { "Runs, newest first" }
            thead { tr {
                th scope="col" { "Run" } th scope="col" { "Status" } th scope="col" { "Version" }
                th scope="col" { "Began" } th scope="col" { "Ended" }
            } }
            tbody { @for run in runs {
                tr {
                    th scope="row" { code.long { (run.id) } }
                    td data-label="Status" { (state(run.status)) }
                    td data-label="Version" { (run.graph_version) }
                    td data-label="Began" { @match run.started_at { Some(at) => (time(member, at)), None => "–" } }
                    td data-label="Ended" { @match run.ended_at { Some(at) => (time(member, at)), None => "–" } }
                }
            } }
        } }
    }
}

fn state(status: Status) -> Markup {
    let (class, text) = match status {
        Status::Incomplete | Status::Queued => ("state", "Waiting to begin"),
        Status::Running => ("state", "Running"),
        Status::Review => ("state wary", "Waiting for a person"),
        Status::Completed => ("state good", "Completed"),
        Status::Terminated => ("state wary", "Stopped"),
        Status::Failed => ("state wary", "Failed"),
    };
    html! { span class=(class) { (text) } }
}

fn removal(member: &Member, item: &LibraryItem) -> Markup {
    html! {
        details.end {
            summary { "Remove it" }
            p.note { "It leaves your library, and its schedules end. Its runs stay." }
            form method="post" action=(member.link(&format!("{}/remove", path(item.id)))) {
                (csrf(member))
                button.danger { "Remove from library" }
            }
        }
    }
}
