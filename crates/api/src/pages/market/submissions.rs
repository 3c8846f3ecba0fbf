//! What somebody hands in: a list, a new one, each of them.

use super::files::agent_file;
use super::{PROFILE, SUBMISSIONS, agent_path, form, page_number, pager, runs, stars};
use crate::pages::upload::Upload;
use crate::pages::visit::status;
use crate::pages::{Answer, Form, Member, Said, banner, time};
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use heddle_platform::marketplace::{NewSubmission, Submission, SubmissionStatus, SubmissionText, slug};
use heddle_platform::{Error, PageRequest, SavedGraph};
use maud::{Markup, html};

const SHOWN: u64 = 50;

/// `GET /settings/submissions`.
pub async fn page(member: Member) -> Response {
    let platform = &member.app.platform;
    let owner = member.who.caller.user;
    let number = page_number(&member);
    let found = platform.marketplace.submissions(owner, PageRequest { page: number, page_size: SHOWN }).await;
    let graphs = platform.graphs.list(owner, PageRequest { page: 1, page_size: 100 }).await;
    let profile = platform.marketplace.profile(owner).await;
    let (found, graphs, profile) = match (found, graphs, profile) {
        (Ok(found), Ok(graphs), Ok(profile)) => (found, graphs, profile),
        (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => return member.failed(&error),
    };
    let content = html! {
        p { "Publish an agent for others on this server. An operator looks at it first." }
        @if profile.is_none() {
            p.caution { "First say who you are: make your " a href=(member.link(PROFILE)) { "creator profile" } "." }
        } @else if graphs.items.is_empty() {
            p.empty { "You have no agents yet. Save one by the API or with " code { "heddle import" } "." }
        } @else {
            form.search method="get" action=(member.link("/settings/submissions/new")) {
                div.field {
                    label for="graph" { "Agent" }
                    select id="graph" name="graph" { @for graph in &graphs.items { option value=(graph.id) { (graph.name) ", version " (graph.version) } } }
                }
                button { "Publish it" }
            }
        }
        @if found.items.is_empty() { p.empty { "You have handed nothing in yet." } }
        @else {
            div.table {
                table {
                    caption.unseen { "Your submissions" }
                    thead { tr { th scope="col" { "Agent" } th scope="col" { "Status" } th scope="col" { "Handed in" } th scope="col" { "Runs" } th scope="col" { "Rating" } } }
                    tbody { @for submission in &found.items { (row(&member, submission)) } }
                }
            }
        }
        (pager(&member, SUBMISSIONS, &[], number, found.total_pages()))
    };
    member.page("Publishing", content).into_response()
}

fn row(member: &Member, submission: &Submission) -> Markup {
    html! {
        tr {
            th scope="row" {
                a href=(member.link(&format!("{SUBMISSIONS}/{}", submission.id))) { (submission.text.name) }
                span.note { (submission.slug) ", version " (submission.version) }
            }
            td data-label="Status" { (state(submission)) }
            td data-label="Handed in" { @match submission.submitted_at { Some(at) => (time(member, at)), None => "Not yet" } }
            td data-label="Runs" { (submission.runs) }
            td data-label="Rating" { (stars(submission.ratings)) }
        }
    }
}

/// Where a submission stands.
pub fn state(submission: &Submission) -> Markup {
    html! {
        @match submission.status {
            SubmissionStatus::Draft => span.state { "Draft" },
            SubmissionStatus::Pending => span.state.wary { "Waits for review" },
            SubmissionStatus::Rejected => span.state { "Rejected" },
            SubmissionStatus::Approved if submission.is_active => span.state.good { "On the marketplace" },
            SubmissionStatus::Approved if submission.withdrawn_at.is_some() => span.state { "Withdrawn" },
            SubmissionStatus::Approved => span.state.good { "Approved" },
        }
    }
}

/// `GET /settings/submissions/new`: `graph` names it.
pub async fn new(member: Member) -> Response {
    let graph = match member
        .app
        .platform
        .graphs
        .get(member.who.caller.user, member.query("graph").unwrap_or_default(), None)
        .await
    {
        Ok(graph) => graph,
        Err(error) => return member.failed(&error),
    };
    let text = SubmissionText {
        name: graph.graph.name.clone(),
        description: graph.graph.description.clone(),
        instructions: graph.graph.instructions.clone(),
        schedule: graph.graph.recommended_schedule_cron.clone(),
        ..SubmissionText::default()
    };
    let given = slug(&graph.graph.name);
    new_form(&member, &graph, &given, &text, None).into_response()
}

/// `POST /settings/submissions/new`.
pub async fn submit(mut upload: Upload) -> Response {
    let read = form::read(&mut upload).await;
    let Upload { member, fields, .. } = upload;
    let platform = &member.app.platform;
    let (id, version) = (fields.get("graph").to_owned(), fields.get("graph_version").parse().unwrap_or(0));
    let handed_in = match read {
        Ok(text) => {
            let is_draft = fields.get("do") == "draft";
            let slug = fields.get("slug").to_owned();
            let new = NewSubmission { graph: id.clone(), graph_version: version, slug, text, is_draft };
            platform.marketplace.submit(&member.who.caller, new).await
        }
        Err(error) => Err(error),
    };
    let error = match handed_in {
        Ok(submission) => return member.go(&format!("{SUBMISSIONS}/{}", submission.id), Some(kept(&submission))),
        Err(error) => error,
    };
    match platform.graphs.get(member.who.caller.user, &id, Some(version)).await {
        Ok(graph) => new_form(&member, &graph, fields.get("slug"), &form::said(&fields), Some(&error))
            .status(status(&error))
            .into_response(),
        Err(missing) => member.failed(&missing),
    }
}

fn kept(submission: &Submission) -> Said {
    if submission.status == SubmissionStatus::Draft { Said::DRAFT_KEPT } else { Said::HANDED_IN }
}

fn new_form(member: &Member, graph: &SavedGraph, slug: &str, text: &SubmissionText, error: Option<&Error>) -> Answer {
    let before = html! {
        input type="hidden" name="graph" value=(graph.graph.id);
        input type="hidden" name="graph_version" value=(graph.graph.version);
        (crate::pages::field("Name for addresses", "slug", "text", "off", slug, false))
        p.hint { "Letters from a to z, digits and hyphens. An agent that is on the marketplace keeps the one it has." }
    };
    let content = html! {
        p { "You publish " strong { (graph.graph.name) } ", version " (graph.graph.version) "." }
        p.caution {
            "Others get a copy without your credentials and without what is marked or named as a secret. All else that you wrote "
            "into the agent they can see: prompts, addresses, sample values. Look at the copy before you hand it in: keep a draft first."
        }
        (banner(error))
        (form::form(member, "/settings/submissions/new", &before, text))
    };
    member.page("Publish an agent", content)
}

/// `GET /settings/submissions/{id}`.
pub async fn one(Path(id): Path<String>, member: Member) -> Response {
    match member.app.platform.marketplace.submission(member.who.caller.user, &id).await {
        Ok(submission) => show(&member, &submission, &submission.text, None).into_response(),
        Err(error) => member.failed(&error),
    }
}

/// `POST /settings/submissions/{id}`.
pub async fn save(Path(id): Path<String>, mut upload: Upload) -> Response {
    let read = form::read(&mut upload).await;
    let Upload { member, fields, .. } = upload;
    let market = &member.app.platform.marketplace;
    let owner = member.who.caller.user;
    let saved = match read {
        Ok(text) => market.edit(owner, &id, text, fields.get("do") == "draft").await,
        Err(error) => Err(error),
    };
    let error = match saved {
        Ok(submission) => return member.go(&format!("{SUBMISSIONS}/{}", submission.id), Some(kept(&submission))),
        Err(error) => error,
    };
    match market.submission(owner, &id).await {
        Ok(submission) => {
            show(&member, &submission, &form::said(&fields), Some(&error)).status(status(&error)).into_response()
        }
        Err(missing) => member.failed(&missing),
    }
}

fn show(member: &Member, submission: &Submission, text: &SubmissionText, error: Option<&Error>) -> Answer {
    let path = format!("{SUBMISSIONS}/{}", submission.id);
    let is_fixed = submission.status == SubmissionStatus::Approved;
    let content = html! {
        p { (state(submission)) " " span.note { "Version " (submission.version) " of " code { (submission.creator) "/" (submission.slug) } ", graph version " (submission.graph_version) } }
        @if let Some(comments) = &submission.comments {
            p.caution { strong { "From the review: " } (comments) }
        }
        p {
            a href=(member.link(&format!("{path}/file"))) { "The copy that others get" } " (an agent file)"
            @if submission.is_active { " · " a href=(member.link(&agent_path(&submission.creator, &submission.slug))) { "Its page" } }
        }
        (banner(error))
        @if is_fixed {
            dl {
                dt { "One line" } dd { (text.sub_heading) }
                dt { "Runs" } dd { (runs(submission.runs)) }
                dt { "Ratings" } dd { (stars(submission.ratings)) }
            }
            p { "An approved version does not change. To change something, publish the agent again." }
            @if submission.is_active {
                details {
                    summary { "Withdraw" }
                    p.note { "Nobody can add it any more. Those who have it in their library keep it, and their runs go on." }
                    form method="post" action=(member.link(&format!("{path}/withdraw"))) { (crate::pages::csrf(member)) button.danger { "Withdraw from the marketplace" } }
                }
            }
        } @else {
            (form::form(member, &path, &Markup::default(), text))
            h2 { "Remove" }
            form method="post" action=(member.link(&format!("{path}/delete"))) { (crate::pages::csrf(member)) button.danger { "Remove this submission" } }
        }
    };
    member.page(&submission.text.name, content)
}

/// `GET /settings/submissions/{id}/file`.
pub async fn file(Path(id): Path<String>, member: Member) -> Response {
    match member.app.platform.marketplace.shared_file(member.who.caller.user, &id).await {
        Ok(file) => agent_file(&id, &file),
        Err(error) => member.failed(&error),
    }
}

/// `POST /settings/submissions/{id}/delete`.
pub async fn delete(Path(id): Path<String>, Form { visit, .. }: Form<Member>) -> Response {
    match visit.app.platform.marketplace.delete_submission(visit.who.caller.user, &id).await {
        Ok(()) => visit.go(SUBMISSIONS, Some(Said::SUBMISSION_REMOVED)),
        Err(error) => visit.failed(&error),
    }
}

/// `POST /settings/submissions/{id}/withdraw`.
pub async fn withdraw(Path(id): Path<String>, Form { visit, .. }: Form<Member>) -> Response {
    let market = &visit.app.platform.marketplace;
    let owner = visit.who.caller.user;
    let withdrawn = match market.submission(owner, &id).await {
        Ok(submission) => market.withdraw(owner, submission.listing).await,
        Err(error) => Err(error),
    };
    match withdrawn {
        Ok(()) => visit.go(&format!("{SUBMISSIONS}/{id}"), Some(Said::AGENT_WITHDRAWN)),
        Err(error) => visit.failed(&error),
    }
}
