//! The tools (`v1.md` 7): every kind of answer, in the order in which it is decided.

use crate::market::{about, creator, decide, operator, published, submit};
use crate::testbed::{INPUT, OUTPUT, Person, Testbed};
use heddle_api::ApiSettings;
use heddle_model::GraphId;
use heddle_platform::{CreditRules, Options};
use serde_json::{Value, json};

/// `SendAuthenticatedWebRequestBlock`.
const AUTHENTICATED: &str = "fff86bcd-e001-4bad-a7f6-2eae4720c8dc";
/// `GenericWebhookTriggerBlock`.
const WEBHOOK: &str = "8fa8c167-2002-47ce-aba8-97572fc5d387";

/// An answer of this type, without its session, which has to be a new one each time.
fn told(mut answer: Value, kind: &str) -> Value {
    let members = answer.as_object_mut().unwrap();
    assert_eq!(members.remove("type").unwrap(), kind, "{members:?}");
    let session = members.remove("session_id").unwrap();
    assert!(uuid::Uuid::parse_str(session.as_str().unwrap()).is_ok());
    assert!(members["message"].is_string());
    answer
}

async fn find(bed: &Testbed, person: &Person, query: &str) -> Value {
    bed.post("/tools/find-agent").of(person).json(&json!({ "query": query })).send().await.expect(200)
}

async fn run(bed: &Testbed, person: &Person, body: Value) -> Value {
    bed.post("/tools/run-agent").of(person).json(&body).send().await.expect(200)
}

/// Publishes a graph as `ada/NAME`.
async fn publish(bed: &Testbed, ada: &Person, op: &Person, name: &str, graph: Value) -> String {
    let graph = bed.save(ada, &graph).await["id"].as_str().unwrap().to_owned();
    let submission = submit(bed, ada, &graph, about(name, &[])).await;
    decide(bed, op, &submission, true).await;
    format!("ada/{}", submission.slug)
}

/// Two inputs of which one has a default.
fn greeting() -> Value {
    json!({
        "name": "Greeting", "description": "",
        "nodes": [
            {"id": "a", "block_id": INPUT, "input_default": {"name": "who", "title": "Who", "description": "Whom to greet"}},
            {"id": "b", "block_id": INPUT, "input_default": {"name": "how", "value": "Hello"}},
            {"id": "c", "block_id": OUTPUT, "input_default": {"name": "said"}},
            {"id": "d", "block_id": OUTPUT, "input_default": {"name": "to"}},
        ],
        "links": [
            {"source_id": "a", "sink_id": "d", "source_name": "result", "sink_name": "value"},
            {"source_id": "b", "sink_id": "c", "source_name": "result", "sink_name": "value"},
        ],
    })
}

#[tokio::test]
async fn agents_are_found_by_what_they_do_or_by_name() {
    let bed = Testbed::new().await;
    let (ada, op, bob) = (creator(&bed, "ada").await, operator(&bed).await, bed.person("bob").await);
    for name in ["Meeting Digest", "Mail Digest", "Digest of News", "Day Digest", "Week Digest", "Month Digest"] {
        published(&bed, &ada, &op, name, &["productivity"]).await;
    }
    let one = told(find(&bed, &bob, " ada/meeting-digest ").await, "agents_found");
    assert_eq!(
        (&one["title"], &one["count"], &one["name"]),
        (&json!("Found 1 agent for 'ada/meeting-digest'"), &json!(1), &json!("agents_found"))
    );
    let info = json!({
        "id": "ada/meeting-digest", "name": "Meeting Digest", "description": "All that Meeting Digest does.",
        "source": "marketplace", "in_library": false, "creator": "ada", "category": "general", "rating": 0.0, "runs": 0,
        "is_featured": false, "status": null, "can_access_graph": null, "has_external_trigger": null, "new_output": null,
        "graph_id": null, "graph_version": null, "match_score": null, "input_schema": null, "output_schema": null,
        "inputs": null, "graph": null, "trigger_info": null,
    });
    assert_eq!(one["agents"], json!([info]));
    let several = told(find(&bed, &bob, "digest").await, "agents_found");
    assert_eq!((several["agents"].as_array().unwrap().len(), &several["count"]), (5, &json!(5)), "at most five");
    let none = told(find(&bed, &bob, "submarines").await, "no_results");
    assert!(none["suggestions"].as_array().is_some_and(|list| !list.is_empty()) && none["name"] == "no_results");
    let blank = told(find(&bed, &bob, "  ").await, "error");
    assert_eq!(
        (&blank["error"], &blank["details"], &blank["execution_id"]),
        (&json!(null), &json!(null), &json!(null))
    );
}

#[tokio::test]
async fn an_agent_that_is_not_there_is_an_answer() {
    let bed = Testbed::new().await;
    let bob = bed.person("bob").await;
    told(run(&bed, &bob, json!({"username_agent_slug": "digest"})).await, "error");
    let missing = told(run(&bed, &bob, json!({"username_agent_slug": " ada/digest "})).await, "error");
    assert_eq!(missing["message"], "Agent 'ada/digest' not found");
}

#[tokio::test]
async fn what_is_missing_is_asked_for_before_anything_runs() {
    let bed = Testbed::new().await;
    let (ada, op, bob) = (creator(&bed, "ada").await, operator(&bed).await, bed.person("bob").await);
    let slug = publish(&bed, &ada, &op, "Greeting", greeting()).await;
    let ask = async |inputs: Value| run(&bed, &bob, json!({"username_agent_slug": slug, "inputs": inputs})).await;

    let unknown = told(ask(json!({"zeal": 1, "who": "x", "mood": 2})).await, "input_validation_error");
    assert_eq!(unknown["unrecognized_fields"], json!(["mood", "zeal"]));
    assert_eq!((&unknown["inputs"]["required"], &unknown["graph_version"]), (&json!(["who"]), &json!(1)));

    let details = told(ask(json!({})).await, "agent_details");
    assert_eq!((&details["user_authenticated"], &details["graph_version"]), (&json!(true), &json!(1)));
    let agent = &details["agent"];
    assert_eq!(agent["id"], details["graph_id"]);
    assert_eq!(
        (&agent["name"], &agent["in_library"], &agent["trigger_info"]),
        (&json!("Greeting"), &json!(false), &json!(null))
    );
    assert_eq!(agent["execution_options"], json!({"manual": true, "scheduled": true, "webhook": false}));
    assert_eq!(
        (&agent["inputs"]["properties"]["how"]["default"], &agent["credentials"]),
        (&json!("Hello"), &json!([]))
    );

    let absent = told(ask(json!({"how": "Hi"})).await, "agent_details");
    assert!(absent["message"].as_str().unwrap().contains("who"), "{absent}");
    let runs = bed.get(&format!("/graphs/{}/executions", details["graph_id"].as_str().unwrap())).of(&bob).send().await;
    assert_eq!(runs.status, 404, "nothing was put into the library");
}

#[tokio::test]
async fn credentials_that_are_missing_come_before_inputs() {
    let bed = Testbed::new().await;
    let (ada, op, bob) = (creator(&bed, "ada").await, operator(&bed).await, bed.person("bob").await);
    let graph = json!({
        "name": "Ask", "description": "",
        "nodes": [
            {"id": "a", "block_id": INPUT, "input_default": {"name": "text", "title": "Text"}},
            {"id": "b", "block_id": AUTHENTICATED, "input_default": {"url": "https://api.example.org/x", "method": "POST"}},
        ],
        "links": [{"source_id": "a", "sink_id": "b", "source_name": "result", "sink_name": "body"}],
    });
    let slug = publish(&bed, &ada, &op, "Ask", graph).await;
    let setup = told(run(&bed, &bob, json!({"username_agent_slug": slug})).await, "setup_requirements");
    let key = "api.example.org-http_host_scoped_credentials";
    let info = &setup["setup_info"];
    assert_eq!((&info["agent_id"], &info["agent_name"]), (&setup["graph_id"], &json!("Ask")));
    let wanted = json!({
        "id": key, "title": "Api.Example.Org-Http Host Scoped Credentials", "provider": "http", "provider_name": "Http",
        "type": "host_scoped", "types": ["host_scoped"], "scopes": [],
    });
    assert_eq!(info["requirements"]["credentials"], json!([wanted]));
    let input = json!({"name": "text", "title": "Text", "type": "string", "description": "", "required": true});
    assert_eq!(info["requirements"]["inputs"], json!([input]));
    assert_eq!(info["requirements"]["execution_modes"], json!(["manual", "scheduled"]));
    let readiness = json!({"has_all_credentials": false, "missing_credentials": {key: wanted}, "ready_to_run": false});
    assert_eq!(info["user_readiness"], readiness);

    // One that fits is chosen for the caller, and what comes next is asked.
    let held =
        json!({"type": "host_scoped", "host": "api.example.org", "headers": {"X-Token": "sealed"}, "title": "mine"});
    let held = bed.post("/integrations/http/credentials").of(&bob).json(&held).send().await.expect(201);
    told(run(&bed, &bob, json!({"username_agent_slug": slug})).await, "agent_details");
    let yearly = json!({
        "username_agent_slug": slug, "inputs": {"text": "x"}, "schedule_name": "new year", "cron": "0 0 1 1 *",
    });
    told(run(&bed, &bob, yearly).await, "execution_started");
    let schedules = bed.platform.schedules.list(bob.user).await.unwrap();
    assert_eq!(schedules[0].credentials[key]["id"], held["id"]);
}

#[tokio::test]
async fn what_an_outside_event_starts_is_only_described() {
    let bed = Testbed::new().await;
    let (ada, op, bob) = (creator(&bed, "ada").await, operator(&bed).await, bed.person("bob").await);
    let graph = json!({
        "name": "Hook", "description": "",
        "nodes": [{"id": "a", "block_id": WEBHOOK, "input_default": {}}], "links": [],
    });
    let slug = publish(&bed, &ada, &op, "Hook", graph).await;
    let body = json!({"username_agent_slug": slug, "inputs": {"nothing": 1}, "use_defaults": true});
    let details = told(run(&bed, &bob, body).await, "agent_details");
    assert_eq!(details["agent"]["execution_options"], json!({"manual": false, "scheduled": false, "webhook": true}));
    assert!(details["agent"]["trigger_info"]["config_schema"].is_object(), "{details}");
}

#[tokio::test]
async fn an_agent_runs_for_the_caller_and_is_in_his_library_then() {
    let bed = Testbed::new().await;
    let (ada, op, bob) = (creator(&bed, "ada").await, operator(&bed).await, bed.person("bob").await);
    let slug = publish(&bed, &ada, &op, "Greeting", greeting()).await;
    for body in [json!({"inputs": {"who": "Bob"}}), json!({"use_defaults": true})] {
        let mut body = body;
        body["username_agent_slug"] = json!(slug);
        let started = told(run(&bed, &bob, body).await, "execution_started");
        assert_eq!(
            (&started["status"], &started["graph_name"], &started["saved_preset_id"]),
            (&json!("QUEUED"), &json!("Greeting"), &json!(null))
        );
        let entry = started["library_agent_id"].as_str().unwrap();
        assert_eq!(started["library_agent_link"], format!("/library/agents/{entry}"));
        let (graph, id) = (started["graph_id"].as_str().unwrap(), started["execution_id"].as_str().unwrap());
        let results = loop {
            let results =
                bed.get(&format!("/graphs/{graph}/executions/{id}/results")).of(&bob).send().await.expect(200);
            if results["status"] == "COMPLETED" {
                break results;
            }
            tokio::task::yield_now().await;
        };
        assert!(results["output"].as_array().unwrap().contains(&json!({"said": "Hello"})), "{results}");
        let of_ada = bed.get(&format!("/graphs/{graph}/executions/{id}/results")).of(&ada).send().await;
        assert_eq!(of_ada.status, 404, "its author sees nothing of it");
    }
}

#[tokio::test]
async fn an_agent_is_started_once_for_a_key() {
    let bed = Testbed::new().await;
    let (ada, op, bob) = (creator(&bed, "ada").await, operator(&bed).await, bed.person("bob").await);
    let slug = publish(&bed, &ada, &op, "Greeting", greeting()).await;
    let ask = async |who: &str, key: &str| {
        let body = json!({"username_agent_slug": slug, "inputs": {"who": who}});
        bed.post("/tools/run-agent").of(&bob).header("idempotency-key", key).json(&body).send().await
    };
    let first = told(ask("Bob", "k-1").await.expect(200), "execution_started");
    let again = told(ask("Bob", "k-1").await.expect(200), "execution_started");
    assert_eq!(first["execution_id"], again["execution_id"]);
    let other = told(ask("Bob", "k-2").await.expect(200), "execution_started");
    assert_ne!(first["execution_id"], other["execution_id"]);
    let refused = ask("Eve", "k-1").await.expect(422);
    assert_eq!(refused["detail"], "this idempotency key was used for another request");
    let long = ask("Bob", &"k".repeat(300)).await.expect(422);
    assert_eq!(long["detail"][0]["loc"], json!(["header", "Idempotency-Key"]));

    // Whatever has become of the agent since: it is not put back, and not missed.
    let graph = first["graph_id"].as_str().unwrap().parse().map(GraphId).unwrap();
    bed.platform.marketplace.remove_from_library(bob.user, graph).await.unwrap();
    let later = told(ask("Bob", "k-1").await.expect(200), "execution_started");
    assert_eq!((&later["execution_id"], &later["library_agent_link"]), (&first["execution_id"], &json!(null)));
    assert_eq!(later["graph_name"], "Greeting");
    assert!(bed.platform.marketplace.in_library(bob.user, graph).await.unwrap().is_none());
    let listed = bed.get(&format!("/graphs/{}/executions", graph.0)).of(&bob).send().await.expect(200);
    assert_eq!(listed["pagination"]["total_items"], 2, "runs outlast the agent's place");

    let yearly =
        json!({"username_agent_slug": slug, "inputs": {"who": "x"}, "schedule_name": "y", "cron": "0 0 1 1 *"});
    let refused = bed.post("/tools/run-agent").of(&bob).header("idempotency-key", "k-9").json(&yearly).send().await;
    assert_eq!(refused.expect(422)["detail"], "an idempotency key is for starting a run, not for a schedule");
}

#[tokio::test]
async fn an_agent_is_given_a_schedule() {
    let bed = Testbed::new().await;
    let (ada, op, bob) = (creator(&bed, "ada").await, operator(&bed).await, bed.person("bob").await);
    let slug = publish(&bed, &ada, &op, "Greeting", greeting()).await;
    let ask = async |more: Value| {
        let mut body = json!({"username_agent_slug": slug, "inputs": {"who": "Bob"}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        run(&bed, &bob, body).await
    };
    let nameless = told(ask(json!({"cron": "0 7 * * *"})).await, "error");
    assert_eq!(nameless["message"], "schedule_name is required for scheduled execution");
    let timeless = told(ask(json!({"schedule_name": "mornings", "cron": " "})).await, "error");
    assert_eq!(timeless["message"], "cron expression is required for scheduled execution");
    told(ask(json!({"schedule_name": "mornings", "cron": "at seven"})).await, "error");
    told(ask(json!({"schedule_name": "mornings", "cron": "0 7 * * *", "timezone": "Moon/Base"})).await, "error");
    let made = told(
        ask(json!({"schedule_name": "mornings", "cron": "0 7 * * *", "timezone": " Europe/Oslo "})).await,
        "execution_started",
    );
    assert_eq!(made["status"], "SCHEDULED");
    let schedules = bed.platform.schedules.list(bob.user).await.unwrap();
    let [schedule] = &schedules[..] else { panic!("{schedules:?}") };
    assert_eq!(made["execution_id"], schedule.id.to_string());
    assert_eq!((schedule.name.as_str(), schedule.time_zone.as_str()), ("mornings", "Europe/Oslo"));
    assert_eq!(schedule.inputs.get("who"), Some(&json!("Bob")));
}

#[tokio::test]
async fn nothing_is_started_without_credits() {
    let credits = CreditRules { is_on: true, monthly_refill: 0 };
    let bed = Testbed::opened(ApiSettings::default(), Options { credits, ..Options::default() }).await;
    let (ada, op, bob) = (creator(&bed, "ada").await, operator(&bed).await, bed.person("bob").await);
    let slug = publish(&bed, &ada, &op, "Greeting", greeting()).await;
    let body = json!({"username_agent_slug": slug, "use_defaults": true});
    let refused = bed.post("/tools/run-agent").of(&bob).json(&body).send().await.expect(402);
    assert_eq!(refused, json!({"detail": "Insufficient balance to execute the agent. Please top up your account."}));
}
