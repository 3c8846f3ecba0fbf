//! Human reviews, for commands.

use heddle_platform::{Decision, Error, Platform, Review};
use serde_json::{Value, json};

/// Reviews asked for at once.
const PAGE: u32 = 1_000;

/// All reviews of a run, or all that wait.
pub async fn list(platform: &Platform, user: Option<&str>, run: Option<&str>) -> Result<Value, Error> {
    let owner = super::account(platform, user).await?;
    if let Some(run) = run {
        return Ok(platform.reviews.of_run(owner.id, run).await?.iter().map(shown).collect());
    }
    let (mut all, mut last) = (Vec::new(), None);
    loop {
        let mut page = platform.reviews.waiting_after(owner.id, last.as_ref(), PAGE).await?;
        all.extend(page.iter().map(shown));
        match page.pop() {
            Some(review) if page.len() + 1 == PAGE as usize => last = Some(review),
            _ => return Ok(all.into()),
        }
    }
}

/// Answers one review, and gives it as it stands then.
pub async fn answer(platform: &Platform, user: Option<&str>, decision: Decision) -> Result<Value, Error> {
    let owner = super::account(platform, user).await?;
    platform.reviews.answer(owner.id, None, std::slice::from_ref(&decision)).await?;
    platform.reviews.get(owner.id, &decision.review).await.map(|review| shown(&review))
}

fn shown(review: &Review) -> Value {
    json!({
        "id": review.exec,
        "run_id": review.run,
        "graph_id": review.graph,
        "graph_version": review.version,
        "node_id": review.node,
        "node_exec_id": review.exec,
        "status": review.status,
        "instructions": review.instructions,
        "payload": review.payload,
        "editable": review.editable,
        "review_message": review.message,
        "was_edited": review.was_edited,
        "processed": review.processed,
        "created_at": review.created_at.rfc3339(),
        "updated_at": review.updated_at.rfc3339(),
        "reviewed_at": review.reviewed_at.map(|time| time.rfc3339()),
    })
}
