//! The marketplace's rules: what is handed in, decided, shown, run and rated, and by whom.

use crate::testbed::{INPUT, OUTPUT, Person, Testbed, without_ids};
use heddle_model::Scope;
use heddle_platform::marketplace::{
    AgentDetails, AgentQuery, NewSubmission, Profile, Submission, SubmissionStatus, SubmissionText, Verdict,
};
use heddle_platform::{Error, NewAccount, PageRequest, Principal};
use serde_json::{Value, json};

const FIRST: PageRequest = PageRequest { page: 1, page_size: 20 };

/// `PersistInformationBlock`.
const PERSIST: &str = "1d055e55-a2b9-4547-8311-907d05b0304d";
/// `RetrieveInformationBlock`.
const RETRIEVE: &str = "d8710fc9-6e29-481e-a7d5-165eb16f8471";
const AGENT: &str = "e189baac-8c20-45a1-94a7-55177ea42565";

/// A person as the use cases know him.
pub async fn principal(bed: &Testbed, person: &Person) -> Principal {
    let account = bed.platform.accounts.get(person.user).await.unwrap().unwrap();
    let scopes = Scope::ALL.to_vec();
    Principal { user: person.user, organization: account.organization, key: None, scopes }
}

/// Somebody with a creator's profile.
pub async fn creator(bed: &Testbed, name: &str) -> Person {
    let person = bed.person(name).await;
    make_creator(bed, &person, name).await;
    person
}

/// Gives a person a creator's profile.
pub async fn make_creator(bed: &Testbed, person: &Person, name: &str) {
    let profile = Profile {
        username: name.to_owned(),
        name: format!("{name} Byron"),
        description: "Engines.".to_owned(),
        links: vec![format!("https://{name}.example.org")],
        avatar: None,
    };
    bed.platform.marketplace.save_profile(person.user, profile).await.unwrap();
}

/// An operator.
pub async fn operator(bed: &Testbed) -> Person {
    let new = NewAccount { email: "op@example.org".to_owned(), name: None, password: None, is_admin: true };
    let user = bed.platform.accounts.create(new).await.unwrap().id;
    Person { user, key: bed.key(user, Scope::ALL).await }
}

/// What is said of an agent of this name.
pub fn about(name: &str, categories: &[&str]) -> SubmissionText {
    SubmissionText {
        name: name.to_owned(),
        sub_heading: format!("{name} in a minute"),
        description: format!("All that {name} does."),
        categories: categories.iter().map(|category| (*category).to_owned()).collect(),
        ..SubmissionText::default()
    }
}

/// Hands a graph in.
pub async fn submit(bed: &Testbed, person: &Person, graph: &str, text: SubmissionText) -> Submission {
    let caller = principal(bed, person).await;
    let new = NewSubmission { graph: graph.to_owned(), graph_version: 1, text, ..NewSubmission::default() };
    bed.platform.marketplace.submit(&caller, new).await.unwrap()
}

/// Approves a submission or rejects it.
pub async fn decide(bed: &Testbed, operator: &Person, submission: &Submission, approved: bool) -> Submission {
    let verdict = Verdict {
        submission: submission.id.to_string(),
        approved,
        comments: (!approved).then(|| "Say what it is for.".to_owned()),
        notes: None,
    };
    bed.platform.marketplace.decide(operator.user, verdict).await.unwrap()
}

/// An approved agent on an echo graph.
pub async fn published(bed: &Testbed, by: &Person, operator: &Person, name: &str, categories: &[&str]) -> AgentDetails {
    let graph = bed.echo(by).await;
    let submission = submit(bed, by, &graph, about(name, categories)).await;
    decide(bed, operator, &submission, true).await;
    bed.platform.marketplace.agent(&submission.creator, &submission.slug).await.unwrap()
}

fn not_found<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::NotFound(text)) => without_ids(&text),
        other => panic!("{other:?}"),
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Refused(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nothing_is_shown_before_an_operator_approves_it() {
    let bed = Testbed::new().await;
    let (ada, op) = (creator(&bed, "ada").await, operator(&bed).await);
    let market = &bed.platform.marketplace;
    let submission = submit(&bed, &ada, &bed.echo(&ada).await, about("Digest", &[])).await;
    assert_eq!(
        (submission.status, submission.version, submission.slug.as_str()),
        (SubmissionStatus::Pending, 1, "digest")
    );
    assert_eq!(not_found(market.agent("ada", "digest").await), "Agent ada/digest not found");
    assert_eq!(not_found(market.creator("ada").await), "Creator ada not found");
    assert_eq!(market.agents(AgentQuery::default(), FIRST).await.unwrap().total_items, 0);

    let waiting = market.queue(op.user, SubmissionStatus::Pending, FIRST).await.unwrap();
    assert_eq!(waiting.items, std::slice::from_ref(&submission));
    let rejected = decide(&bed, &op, &submission, false).await;
    assert_eq!(rejected.comments.as_deref(), Some("Say what it is for."));
    assert!(market.agent("ada", "digest").await.is_err());

    let again = market.edit(ada.user, &submission.id.to_string(), about("Digest", &["data"]), false).await.unwrap();
    assert_eq!(again.status, SubmissionStatus::Pending);
    let approved = decide(&bed, &op, &again, true).await;
    assert!(approved.is_active && approved.status == SubmissionStatus::Approved);
    let agent = market.agent("ADA", "Digest").await.unwrap();
    assert_eq!((agent.card.name.as_str(), agent.card.runs, agent.number), ("Digest", 0, 1));
    assert_eq!(market.categories().await.unwrap(), [("data".to_owned(), 1)]);

    let edit = market.edit(ada.user, &submission.id.to_string(), about("Other", &[]), false).await;
    assert_eq!(refused(edit), "an approved version does not change: hand in a new one");
    not_found(market.delete_submission(ada.user, &submission.id.to_string()).await);

    // Taken back, nothing of it is shown.
    decide(&bed, &op, &approved, false).await;
    assert!(market.agent("ada", "digest").await.is_err());
    let search = AgentQuery { search: Some("digest".to_owned()), ..AgentQuery::default() };
    assert_eq!(market.agents(search, FIRST).await.unwrap().total_items, 0);
}

#[tokio::test]
async fn nobody_sees_or_changes_what_another_hands_in() {
    let bed = Testbed::new().await;
    let (ada, bob) = (creator(&bed, "ada").await, creator(&bed, "bob").await);
    let op = operator(&bed).await;
    let market = &bed.platform.marketplace;
    let graph = bed.echo(&ada).await;
    let caller = principal(&bed, &ada).await;
    let draft = NewSubmission {
        graph: graph.clone(),
        graph_version: 1,
        text: about("Secret plan", &[]),
        is_draft: true,
        ..NewSubmission::default()
    };
    let draft = market.submit(&caller, draft).await.unwrap();
    let id = draft.id.to_string();
    let missing = "Submission #ID not found";
    assert_eq!(not_found(market.submission(bob.user, &id).await), missing);
    assert_eq!(not_found(market.edit(bob.user, &id, about("Mine", &[]), false).await), missing);
    assert_eq!(not_found(market.delete_submission(bob.user, &id).await), missing);
    assert_eq!(not_found(market.shared_file(bob.user, &id).await), missing);
    assert_eq!(market.submissions(bob.user, FIRST).await.unwrap().total_items, 0);
    not_found(market.withdraw(bob.user, draft.listing).await);
    // Not even operators see drafts.
    assert_eq!(not_found(market.any_submission(op.user, &id).await), missing);
    for status in [SubmissionStatus::Pending, SubmissionStatus::Approved] {
        assert_eq!(market.queue(op.user, status, FIRST).await.unwrap().total_items, 0);
    }
    let caller = principal(&bed, &bob).await;
    let foreign = NewSubmission { graph, graph_version: 1, text: about("Mine", &[]), ..NewSubmission::default() };
    assert_eq!(not_found(market.submit(&caller, foreign).await), "Graph #ID not found.");
    assert_eq!(market.submission(ada.user, &id).await.unwrap(), draft);
    market.delete_submission(ada.user, &id).await.unwrap();
    assert_eq!(market.submissions(ada.user, FIRST).await.unwrap().total_items, 0);
}

#[tokio::test]
async fn only_operators_decide() {
    let bed = Testbed::new().await;
    let (ada, op) = (creator(&bed, "ada").await, operator(&bed).await);
    let market = &bed.platform.marketplace;
    let submission = submit(&bed, &ada, &bed.echo(&ada).await, about("Digest", &[])).await;
    let verdict = |approved| Verdict { submission: submission.id.to_string(), approved, comments: None, notes: None };
    assert!(matches!(market.decide(ada.user, verdict(true)).await, Err(Error::Forbidden(_))));
    assert!(matches!(market.queue(ada.user, SubmissionStatus::Pending, FIRST).await, Err(Error::Forbidden(_))));
    assert!(matches!(market.submitted_file(ada.user, &submission.id.to_string()).await, Err(Error::Forbidden(_))));
    assert!(matches!(market.feature(ada.user, "ada", "digest", true).await, Err(Error::Forbidden(_))));
    assert_eq!(refused(market.decide(op.user, verdict(false)).await), "tell the creator why it is rejected");
    market.decide(op.user, verdict(true)).await.unwrap();
    assert!(matches!(market.decide(op.user, verdict(true)).await, Err(Error::Conflict(_))));
}

/// A graph whose author left secrets in it, and one inside it.
fn leaky() -> Value {
    json!({
        "id": "main", "name": "Leaky", "description": "x",
        "nodes": [
            {"id": "a", "block_id": INPUT, "input_default": {"name": "text", "secret": true, "value": "hunter2"}},
            {"id": "b", "block_id": OUTPUT, "input_default": {"name": "echo"}},
            {"id": "c", "block_id": AGENT, "input_default": {"graph_id": "sub", "graph_version": 1,
                "input_schema": {"type": "object", "properties": {"text": {}}},
                "output_schema": {"type": "object", "properties": {"echo": {}}},
                "inputs": {"text": "plain", "api_key": "sk-hunter2", "headers": {"Authorization": "Bearer hunter2", "Accept": "*/*"}}}},
        ],
        "links": [{"source_id": "a", "sink_id": "b", "source_name": "result", "sink_name": "value"}],
        "sub_graphs": [{"id": "sub", "name": "Inner", "description": "y",
            "nodes": [
                {"id": "d", "block_id": INPUT, "input_default": {"name": "text", "secret": true, "value": "hunter2"}},
                {"id": "e", "block_id": OUTPUT, "input_default": {"name": "echo"}},
            ],
            "links": [{"source_id": "d", "sink_id": "e", "source_name": "result", "sink_name": "value"}]}],
    })
}

#[tokio::test]
async fn others_get_a_copy_without_secrets_and_its_author_keeps_his() {
    let bed = Testbed::new().await;
    let (ada, bob, op) = (creator(&bed, "ada").await, bed.person("bob").await, operator(&bed).await);
    let market = &bed.platform.marketplace;
    let saved = bed.save(&ada, &leaky()).await;
    let graph = saved["id"].as_str().unwrap().to_owned();
    let submission = submit(&bed, &ada, &graph, about("Leaky", &[])).await;
    let shared = market.shared_file(ada.user, &submission.id.to_string()).await.unwrap().to_string();
    let reviewed = market.submitted_file(op.user, &submission.id.to_string()).await.unwrap().to_string();
    decide(&bed, &op, &submission, true).await;
    let agent = market.agent("ada", "leaky").await.unwrap();
    market.add_to_library(&principal(&bed, &bob).await, &agent.card).await.unwrap();
    let bobs = bed.get(&format!("/graphs/{graph}")).of(&bob).send().await.expect(200);
    let offered = format!("{:?}", market.graph(&agent.card).await.unwrap());
    for copy in [shared, reviewed, bobs.to_string(), offered] {
        assert!(!copy.contains("hunter2"), "{copy}");
        assert!(copy.contains("plain") && copy.contains("Accept"), "{copy}");
        assert!(copy.contains("Inner"), "{copy}");
    }
    assert!(!bobs.to_string().contains(&ada.user.to_string()), "{bobs}");
    let own = bed.get(&format!("/graphs/{graph}")).of(&ada).send().await.expect(200);
    assert_eq!(own, saved);

    // The copy runs, with what is inside of it.
    let run = bed.run(&bob, &graph, json!({"text": "hello"}).as_object().unwrap().clone()).await;
    let results = bed.get(&format!("/graphs/{graph}/executions/{run}/results")).of(&bob).send().await.expect(200);
    assert_eq!(results["output"], json!([{"echo": "hello"}]));
    let inner = results["nodes"].as_array().unwrap().iter().any(|node| node["output"].to_string().contains("plain"));
    assert!(inner, "{results}");
}

#[tokio::test]
async fn runs_belong_to_who_runs_and_are_counted_for_who_published() {
    let bed = Testbed::new().await;
    let (ada, bob, op) = (creator(&bed, "ada").await, bed.person("bob").await, operator(&bed).await);
    let market = &bed.platform.marketplace;
    let own = bed.echo(&ada).await;
    let text = || json!({"text": "x"}).as_object().unwrap().clone();
    // Counted from the beginning, also before it was handed in.
    bed.run(&ada, &own, text()).await;
    let submission = submit(&bed, &ada, &own, about("Digest", &[])).await;
    assert_eq!(submission.runs, 1);
    decide(&bed, &op, &submission, true).await;
    let agent = market.agent("ada", "digest").await.unwrap();

    let execute = format!("/graphs/{own}/execute/1");
    let start = || bed.post(&execute).of(&bob).json(&json!({"node_input": {"text": "mine"}})).send();
    let refusal = start().await.expect(400);
    assert_eq!(refusal["detail"], format!("Graph #{own} is not in your library"));
    let entry = market.add_to_library(&principal(&bed, &bob).await, &agent.card).await.unwrap();
    assert_eq!((entry.graph, entry.graph_version), (agent.card.graph, 1));
    assert_eq!(market.add_to_library(&principal(&bed, &bob).await, &agent.card).await.unwrap(), entry);
    let run = bed.run(&bob, &own, json!({"text": "mine"}).as_object().unwrap().clone()).await;
    assert_eq!(market.agent("ada", "digest").await.unwrap().card.runs, 2);

    let results = format!("/graphs/{own}/executions/{run}/results");
    assert_eq!(bed.get(&results).of(&bob).send().await.expect(200)["output"], json!([{"echo": "mine"}]));
    let missing = bed.get(&results).of(&ada).send().await.expect(404);
    assert_eq!(missing["detail"], format!("Graph execution #{run} not found."));
    let seen = bed.get(&format!("/graphs/{own}/executions")).of(&ada).send().await.expect(200);
    assert!(!seen.to_string().contains(&run), "{seen}");
    let bobs = bed.get("/graphs").of(&bob).send().await.expect(200);
    assert_eq!((&bobs["graphs"][0]["id"], &bobs["pagination"]["total_items"]), (&json!(own), &json!(1)));

    // Withdrawn: who has it keeps it, and to others it is not there.
    market.withdraw(ada.user, agent.card.listing).await.unwrap();
    assert!(market.agent("ada", "digest").await.is_err());
    bed.run(&bob, &own, text()).await;
    assert_eq!(bed.get(&results).of(&bob).send().await.expect(200)["output"], json!([{"echo": "mine"}]));
    let carol = bed.person("carol").await;
    let refusal = bed.post(&execute).of(&carol).json(&json!({"node_input": {}})).send().await.expect(400);
    assert_eq!(refusal["detail"], format!("Graph #{own} not found."));
    market.remove_from_library(bob.user, agent.card.graph).await.unwrap();
    assert_eq!(start().await.expect(400)["detail"], format!("Graph #{own} not found."));
    assert_eq!(bed.get(&results).of(&bob).send().await.expect(200)["output"], json!([{"echo": "mine"}]));
}

#[tokio::test]
async fn what_a_published_agent_keeps_is_its_runners() {
    let bed = Testbed::new().await;
    let (ada, bob, op) = (creator(&bed, "ada").await, bed.person("bob").await, operator(&bed).await);
    let keep = json!({
        "name": "Keeper", "description": "x",
        "nodes": [
            {"id": "a", "block_id": INPUT, "input_default": {"name": "text"}},
            {"id": "s", "block_id": PERSIST, "input_default": {"key": "k", "scope": "across_agents"}},
            {"id": "b", "block_id": OUTPUT, "input_default": {"name": "kept"}},
        ],
        "links": [
            {"source_id": "a", "sink_id": "s", "source_name": "result", "sink_name": "value"},
            {"source_id": "s", "sink_id": "b", "source_name": "value", "sink_name": "value"},
        ],
    });
    let look = json!({
        "name": "Looker", "description": "x",
        "nodes": [
            {"id": "s", "block_id": RETRIEVE, "input_default": {"key": "k", "scope": "across_agents"}},
            {"id": "b", "block_id": OUTPUT, "input_default": {"name": "kept"}},
        ],
        "links": [{"source_id": "s", "sink_id": "b", "source_name": "value", "sink_name": "value"}],
    });
    let graph = bed.save(&ada, &keep).await["id"].as_str().unwrap().to_owned();
    let submission = submit(&bed, &ada, &graph, about("Keeper", &[])).await;
    decide(&bed, &op, &submission, true).await;
    let agent = bed.platform.marketplace.agent("ada", "keeper").await.unwrap();
    bed.platform.marketplace.add_to_library(&principal(&bed, &bob).await, &agent.card).await.unwrap();
    for (person, text) in [(&ada, "ada's"), (&bob, "bob's")] {
        bed.run(person, &graph, json!({"text": text}).as_object().unwrap().clone()).await;
    }
    for (person, text) in [(&ada, "ada's"), (&bob, "bob's")] {
        let graph = bed.save(person, &look).await["id"].as_str().unwrap().to_owned();
        let run = bed.run(person, &graph, serde_json::Map::new()).await;
        let results = format!("/graphs/{graph}/executions/{run}/results");
        assert_eq!(bed.get(&results).of(person).send().await.expect(200)["output"], json!([{"kept": text}]));
    }
}

#[tokio::test]
async fn an_approved_agent_runs_inside_of_others_without_being_in_the_library() {
    let bed = Testbed::new().await;
    let (ada, bob, op) = (creator(&bed, "ada").await, bed.person("bob").await, operator(&bed).await);
    let agent = published(&bed, &ada, &op, "Echo", &[]).await;
    let call = |graph: &str| {
        json!({"name": "Caller", "description": "x",
            "nodes": [
                {"id": "c", "block_id": AGENT, "input_default": {"graph_id": graph, "graph_version": 1,
                    "input_schema": {"type": "object", "properties": {"text": {}}},
                    "output_schema": {"type": "object", "properties": {"echo": {}}}, "inputs": {"text": "called"}}},
                {"id": "o", "block_id": OUTPUT, "input_default": {"name": "said"}},
            ],
            "links": [{"source_id": "c", "sink_id": "o", "source_name": "echo", "sink_name": "value"}]})
    };
    let graph = bed.save(&bob, &call(&agent.card.graph.to_string())).await["id"].as_str().unwrap().to_owned();
    let run = bed.run(&bob, &graph, serde_json::Map::new()).await;
    let results = bed.get(&format!("/graphs/{graph}/executions/{run}/results")).of(&bob).send().await.expect(200);
    assert_eq!(results["output"], json!([{"said": "called"}]));

    // One that was never approved is not there.
    let private = bed.echo(&ada).await;
    let graph = bed.save(&bob, &call(&private)).await["id"].as_str().unwrap().to_owned();
    let run = bed.run(&bob, &graph, serde_json::Map::new()).await;
    let results = bed.get(&format!("/graphs/{graph}/executions/{run}/results")).of(&bob).send().await.expect(200);
    let called = &results["nodes"][0];
    assert_eq!(results["output"], json!([]), "{results}");
    assert!(called.to_string().contains(&format!("Graph #{private} not found.")), "{called}");
}

#[tokio::test]
async fn everybody_else_rates_an_agent_once() {
    let bed = Testbed::new().await;
    let (ada, op) = (creator(&bed, "ada").await, operator(&bed).await);
    let (bob, carol) = (bed.person("bob").await, bed.person("carol").await);
    let market = &bed.platform.marketplace;
    let card = published(&bed, &ada, &op, "Digest", &[]).await.card;
    let mean = async || market.agent("ada", "digest").await.unwrap().card.ratings.mean();
    market.rate(bob.user, &card, 2, Some("Slow.")).await.unwrap();
    market.rate(carol.user, &card, 5, None).await.unwrap();
    assert_eq!(mean().await, 3.5);
    market.rate(bob.user, &card, 4, Some("Better now.")).await.unwrap();
    assert_eq!(mean().await, 4.5);
    let said = market.ratings(card.listing, FIRST).await.unwrap();
    let said: Vec<_> = said.items.iter().map(|rating| (rating.score, rating.comment.as_deref())).collect();
    assert_eq!(said, [(4, Some("Better now."))]);
    assert_eq!(refused(market.rate(ada.user, &card, 5, None).await), "you cannot rate your own agent");
    for score in [0, 6] {
        refused(market.rate(bob.user, &card, score, None).await);
    }
    market.unrate(carol.user, &card).await.unwrap();
    assert_eq!(mean().await, 4.0);
    not_found(market.unrate(carol.user, &card).await);
}

#[tokio::test]
async fn profiles_and_submissions_have_bounds() {
    let bed = Testbed::new().await;
    creator(&bed, "ada").await;
    let bob = bed.person("bob").await;
    let market = &bed.platform.marketplace;
    let profile = |username: &str, link: &str| Profile {
        username: username.to_owned(),
        name: "Bob".to_owned(),
        links: vec![link.to_owned()],
        ..Profile::default()
    };
    let taken = market.save_profile(bob.user, profile("Ada", "")).await;
    assert_eq!(taken, Err(Error::Conflict("the username ada is taken".to_owned())));
    refused(market.save_profile(bob.user, profile("!", "")).await);
    refused(market.save_profile(bob.user, profile("bob", "javascript:alert(1)")).await);
    let graph = bed.echo(&bob).await;
    let caller = principal(&bed, &bob).await;
    let new = |text| NewSubmission { graph: graph.clone(), graph_version: 1, text, ..NewSubmission::default() };
    let without = market.submit(&caller, new(about("Digest", &[]))).await;
    assert_eq!(refused(without), "make your creator profile first: it says whose agents they are");
    market.save_profile(bob.user, profile("Böb Ross", "")).await.unwrap();
    assert_eq!(market.profile(bob.user).await.unwrap().unwrap().creator.username, "bob-ross");
    let many: Vec<String> = (0..6).map(|number| format!("c{number}")).collect();
    for text in [
        SubmissionText { name: " ".to_owned(), ..about("x", &[]) },
        SubmissionText { name: "a".repeat(101), ..about("x", &[]) },
        SubmissionText { name: "two\nlines".to_owned(), ..about("x", &[]) },
        SubmissionText { name: "议事".to_owned(), ..about("x", &[]) },
        SubmissionText { description: String::new(), ..about("x", &[]) },
        SubmissionText { video: Some("javascript:alert(1)".to_owned()), ..about("x", &[]) },
        SubmissionText { schedule: Some("sometimes".to_owned()), ..about("x", &[]) },
        SubmissionText { categories: many, ..about("x", &[]) },
        SubmissionText { images: vec![format!("{}.png", "0".repeat(64))], ..about("x", &[]) },
    ] {
        refused(market.submit(&caller, new(text)).await);
    }
    assert_eq!(market.submissions(bob.user, FIRST).await.unwrap().total_items, 0);
    market.submit(&caller, new(about("Digest", &[]))).await.unwrap();
    let other = NewSubmission { graph: bed.echo(&bob).await, ..new(about("Digest", &[])) };
    assert_eq!(refused(market.submit(&caller, other).await), "another of your agents has this name for addresses");
}
