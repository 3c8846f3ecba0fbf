//! Decisions about the marketplace, for commands: made by the operator account.

use heddle_platform::marketplace::{Submission, SubmissionStatus, Verdict};
use heddle_platform::{Error, PageRequest, Platform};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Submissions asked for at once.
const PAGE: u64 = 100;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Ask {
    /// All submissions of a status.
    List { status: String },
    /// What others would get.
    File { submission: String },
    /// Approves or rejects.
    Decide { submission: String, approved: bool, comment: Option<String>, note: Option<String> },
    /// Features an agent or a creator, or no longer.
    Feature { name: String, featured: bool },
}

/// Carries it out.
pub async fn execute(platform: &Platform, ask: Ask) -> Result<Value, Error> {
    let operator = super::account(platform, None).await?.id;
    let market = &platform.marketplace;
    match ask {
        Ask::List { status } => {
            let unknown = || Error::Refused(format!("there is no status {status:?}"));
            let status = SubmissionStatus::parse(&status).ok_or_else(unknown)?;
            let mut all = Vec::new();
            for page in 1.. {
                let found = market.queue(operator, status, PageRequest { page, page_size: PAGE }).await?;
                all.extend(found.items.iter().map(shown));
                if found.items.len() < PAGE as usize {
                    break;
                }
            }
            Ok(all.into())
        }
        Ask::File { submission } => market.submitted_file(operator, &submission).await,
        Ask::Decide { submission, approved, comment, note } => {
            let verdict = Verdict { submission, approved, comments: comment, notes: note };
            market.decide(operator, verdict).await.map(|decided| shown(&decided))
        }
        Ask::Feature { name, featured } => {
            match name.split_once('/') {
                Some((creator, slug)) => market.feature(operator, creator, slug, featured).await?,
                None => market.feature_creator(operator, &name, featured).await?,
            }
            Ok(json!({ "name": name, "is_featured": featured }))
        }
    }
}

fn shown(submission: &Submission) -> Value {
    json!({
        "id": submission.id,
        "creator": submission.creator,
        "slug": submission.slug,
        "version": submission.version,
        "name": submission.text.name,
        "sub_heading": submission.text.sub_heading,
        "graph_id": submission.graph,
        "graph_version": submission.graph_version,
        "status": submission.status.as_str(),
        "is_shown": submission.is_active,
        "submitted_at": submission.submitted_at.map(|time| time.rfc3339()),
        "reviewed_at": submission.reviewed_at.map(|time| time.rfc3339()),
        "comments": submission.comments,
        "notes": submission.notes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::{Request, execute};
    use heddle_model::Scope;
    use heddle_platform::marketplace::{NewSubmission, Profile, SubmissionText};
    use heddle_platform::{Limits, Principal};

    /// A submission of the operator's own that waits.
    async fn submission(platform: &Platform) -> String {
        let account = super::super::account(platform, None).await.unwrap();
        let file = json!({"name": "Echo", "description": "Says it back", "nodes": [], "links": []});
        let draft = platform.graphs.read_file(file).unwrap().remove(0);
        let saved = platform.graphs.create(account.id, account.organization, draft).await.unwrap();
        let profile = Profile { username: "ada".to_owned(), name: "Ada".to_owned(), ..Profile::default() };
        platform.marketplace.save_profile(account.id, profile).await.unwrap();
        let text = SubmissionText {
            name: "Echo".to_owned(),
            sub_heading: "Says it back".to_owned(),
            description: "All of it.".to_owned(),
            ..SubmissionText::default()
        };
        let caller =
            Principal { user: account.id, organization: account.organization, key: None, scopes: Scope::ALL.to_vec() };
        let graph = saved.graph.id.to_string();
        let new = NewSubmission { graph, graph_version: saved.graph.version, text, ..NewSubmission::default() };
        platform.marketplace.submit(&caller, new).await.unwrap().id.to_string()
    }

    #[tokio::test]
    async fn an_operator_lists_decides_and_features_by_commands() {
        let folder = tempfile::tempdir().unwrap();
        let platform = Platform::open_throwaway(&folder.path().join("heddle.db"), Limits::default()).await.unwrap();
        let ask = async |market| execute(&platform, Request::Market { market }).await;
        let list = async |status: &str| ask(Ask::List { status: status.to_owned() }).await.unwrap();
        assert_eq!(list("pending").await, json!([]));
        let id = submission(&platform).await;
        let waiting = list("pending").await;
        assert_eq!(
            (&waiting[0]["id"], &waiting[0]["slug"], &waiting[0]["is_shown"]),
            (&json!(id), &json!("echo"), &json!(false))
        );
        assert_eq!(ask(Ask::File { submission: id.clone() }).await.unwrap()["name"], "Echo");
        let decide = |approved, comment: Option<&str>| Ask::Decide {
            submission: id.clone(),
            approved,
            comment: comment.map(str::to_owned),
            note: None,
        };
        assert_eq!(ask(decide(false, None)).await, Err("tell the creator why it is rejected".to_owned()));
        let feature = |name: &str, featured| Ask::Feature { name: name.to_owned(), featured };
        assert_eq!(ask(feature("ada/echo", true)).await, Err("Agent ada/echo not found".to_owned()));
        assert_eq!(ask(decide(true, None)).await.unwrap()["is_shown"], true);
        ask(feature("ada/echo", true)).await.unwrap();
        ask(feature("ada", true)).await.unwrap();
        assert_eq!(ask(feature("bob", true)).await, Err("Creator bob not found".to_owned()));
        assert!(platform.marketplace.agent("ada", "echo").await.unwrap().card.is_featured);
        let back = ask(decide(false, Some("It shouts."))).await.unwrap();
        assert_eq!((&back["status"], &back["comments"]), (&json!("rejected"), &json!("It shouts.")));
        assert_eq!((list("approved").await, list("rejected").await[0]["id"].clone()), (json!([]), json!(id)));
    }
}
