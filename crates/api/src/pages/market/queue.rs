//! What operators review.

use super::files::agent_file;
use super::submissions::state;
use super::{QUEUE, agent_path, elsewhere, page_number, pager, picture, prose};
use crate::pages::visit::status;
use crate::pages::{Fields, Form, Operator, Said, banner, csrf, time};
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use heddle_platform::marketplace::{Submission, SubmissionStatus, Verdict};
use heddle_platform::{Error, PageRequest};
use maud::{Markup, html};

const SHOWN: u64 = 50;
const STATUSES: [(SubmissionStatus, &str); 3] = [
    (SubmissionStatus::Pending, "Waiting"),
    (SubmissionStatus::Approved, "Approved"),
    (SubmissionStatus::Rejected, "Rejected"),
];

/// `GET /admin/marketplace`.
pub async fn page(operator: Operator) -> Response {
    let wanted = operator.query("status").and_then(SubmissionStatus::parse).unwrap_or(SubmissionStatus::Pending);
    let status =
        STATUSES.iter().find(|(status, _)| *status == wanted).map_or(SubmissionStatus::Pending, |found| found.0);
    let number = page_number(&operator);
    let request = PageRequest { page: number, page_size: SHOWN };
    let found = match operator.app.platform.marketplace.queue(operator.who.caller.user, status, request).await {
        Ok(found) => found,
        Err(error) => return operator.failed(&error),
    };
    let content = html! {
        nav.tabs aria-label="Submissions by status" { ul { @for (one, title) in STATUSES {
            li { a href={ (operator.link(QUEUE)) "?status=" (one.as_str()) } aria-current=[(one == status).then_some("page")] { (title) } }
        } } }
        @if found.items.is_empty() { p.empty { "Nothing here." } }
        @else {
            div.table {
                table {
                    caption.unseen { "Submissions" }
                    thead { tr { th scope="col" { "Agent" } th scope="col" { "Creator" } th scope="col" { "Handed in" } th scope="col" { "Status" } } }
                    tbody { @for submission in &found.items {
                        tr {
                            th scope="row" {
                                a href=(operator.link(&format!("{QUEUE}/{}", submission.id))) { (submission.text.name) }
                                span.note { (submission.text.sub_heading) }
                            }
                            td data-label="Creator" { (submission.creator) }
                            td data-label="Handed in" { @if let Some(at) = submission.submitted_at { (time(&operator, at)) } }
                            td data-label="Status" { (state(submission)) }
                        }
                    } }
                }
            }
        }
        (pager(&operator, QUEUE, &[("status", status.as_str())], number, found.total_pages()))
    };
    operator.page("Marketplace review", content).into_response()
}

/// `GET /admin/marketplace/{id}`.
pub async fn one(Path(id): Path<String>, operator: Operator) -> Response {
    show(&operator, &id, &Fields::default(), None).await
}

/// `POST /admin/marketplace/{id}`: the decision.
pub async fn decide(Path(id): Path<String>, Form { visit, fields }: Form<Operator>) -> Response {
    let verdict = Verdict {
        submission: id.clone(),
        approved: fields.get("verdict") == "approve",
        comments: fields.filled("comments").map(str::to_owned),
        notes: fields.filled("notes").map(str::to_owned),
    };
    let said = if verdict.approved { Said::APPROVED } else { Said::REJECTED };
    match visit.app.platform.marketplace.decide(visit.who.caller.user, verdict).await {
        Ok(_) => visit.go(&format!("{QUEUE}/{id}"), Some(said)),
        Err(error @ Error::NotFound(_)) => visit.failed(&error),
        Err(error) => show(&visit, &id, &fields, Some(&error)).await,
    }
}

/// `POST /admin/marketplace/{id}/feature`.
pub async fn feature(Path(id): Path<String>, Form { visit, fields }: Form<Operator>) -> Response {
    let market = &visit.app.platform.marketplace;
    let caller = visit.who.caller.user;
    let featured = match market.any_submission(caller, &id).await {
        Ok(one) => market.feature(caller, &one.creator, &one.slug, fields.get("featured") == "yes").await,
        Err(error) => Err(error),
    };
    match featured {
        Ok(()) => visit.go(&format!("{QUEUE}/{id}"), Some(Said::SAVED)),
        Err(error) => visit.failed(&error),
    }
}

/// `GET /admin/marketplace/{id}/file`.
pub async fn file(Path(id): Path<String>, operator: Operator) -> Response {
    match operator.app.platform.marketplace.submitted_file(operator.who.caller.user, &id).await {
        Ok(file) => agent_file(&id, &file),
        Err(error) => operator.failed(&error),
    }
}

async fn show(operator: &Operator, id: &str, given: &Fields, error: Option<&Error>) -> Response {
    let submission = match operator.app.platform.marketplace.any_submission(operator.who.caller.user, id).await {
        Ok(submission) => submission,
        Err(error) => return operator.failed(&error),
    };
    let text = &submission.text;
    let content = html! {
        p { (state(&submission)) " " span.note { "Version " (submission.version) " of " code { (submission.creator) "/" (submission.slug) } } }
        p.lead { (text.sub_heading) }
        @if !text.images.is_empty() { div.gallery { @for (place, name) in text.images.iter().enumerate() {
            (picture(operator, name, "", &format!("Picture {}", place + 1)))
        } } }
        (prose(&text.description))
        @if let Some(instructions) = &text.instructions { h2 { "How to use it" } (prose(instructions)) }
        dl {
            dt { "Categories" } dd { (text.categories.join(", ")) }
            @if let Some(video) = &text.video { dt { "Video" } dd { (elsewhere(video)) } }
            @if let Some(demo) = &text.output_demo { dt { "Sample" } dd { (elsewhere(demo)) } }
            @if let Some(schedule) = &text.schedule { dt { "Best run" } dd { code { (schedule) } } }
            @if let Some(changes) = &text.changes { dt { "What is new" } dd { (changes) } }
            dt { "Graph" } dd { code.long { (submission.graph) } ", version " (submission.graph_version) }
            dt { "File" } dd { a href=(operator.link(&format!("{QUEUE}/{id}/file"))) { "What others would get" } }
            @if let Some(comments) = &submission.comments { dt { "Comment" } dd { (comments) } }
            @if let Some(notes) = &submission.notes { dt { "Note" } dd { (notes) } }
        }
        (decision(operator, &submission, given, error))
        @if submission.is_active { (shown(operator, &submission)) }
    };
    let page = operator.page(&text.name, content);
    match error {
        Some(error) => page.status(status(error)).into_response(),
        None => page.into_response(),
    }
}

fn decision(operator: &Operator, submission: &Submission, given: &Fields, error: Option<&Error>) -> Markup {
    let is_approved = submission.status == SubmissionStatus::Approved;
    if !is_approved && submission.status != SubmissionStatus::Pending {
        return Markup::default();
    }
    html! {
        h2 id="decide" { @if is_approved { "Take the approval back" } @else { "Decide" } }
        (banner(error))
        form method="post" action=(operator.link(&format!("{QUEUE}/{}", submission.id))) {
            (csrf(operator))
            div.field {
                label for="comments" { "To its creator" span.optional { " (optional when you approve)" } }
                textarea id="comments" name="comments" rows="3" { "\n" (given.get("comments")) }
            }
            div.field {
                label for="notes" { "To other operators" span.optional { " (optional)" } }
                textarea id="notes" name="notes" rows="2" { "\n" (given.get("notes")) }
            }
            @if !is_approved { button name="verdict" value="approve" { "Approve" } " " }
            button.danger name="verdict" value="reject" { "Reject" }
        }
    }
}

fn shown(operator: &Operator, submission: &Submission) -> Markup {
    html! {
        h2 { "On the marketplace" }
        p { a href=(operator.link(&agent_path(&submission.creator, &submission.slug))) { "Its page" } }
        form method="post" action=(operator.link(&format!("{QUEUE}/{}/feature", submission.id))) {
            (csrf(operator))
            @if submission.is_featured {
                input type="hidden" name="featured" value="no";
                button.quiet { "Feature it no longer" }
            } @else {
                input type="hidden" name="featured" value="yes";
                button.quiet { "Feature it" }
            }
        }
    }
}
