//! What tools answer: an object whose `type` says what else is in it. The messages are for a language model.

use crate::pages::library_path;
use heddle_model::Object;
use heddle_platform::marketplace::AgentCard;
use heddle_platform::tools::{Agent, Found, Missing, MissingCredential, Ran, Wanted};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// What is looked for.
#[derive(Serialize, ToSchema)]
pub struct FindAgentRequest {
    /// What the agent is to do; or `creator/slug`.
    query: String,
}

/// What is to be run.
#[derive(Serialize, ToSchema)]
pub struct RunAgentRequest {
    /// `creator/slug`
    username_agent_slug: String,
    /// Input name → value.
    #[schema(value_type = Object, required = false)]
    inputs: Object,
    /// Run it although inputs were not given.
    #[schema(required = false, default = false)]
    use_defaults: bool,
    /// With `cron`: have it run by the clock, under this name.
    #[schema(required = false)]
    schedule_name: Option<String>,
    /// Five fields.
    #[schema(required = false)]
    cron: Option<String>,
    /// By whose clock; IANA name.
    #[schema(required = false, default = "UTC")]
    timezone: String,
}

/// An answer of this type, with a session of its own: nothing is kept under it.
fn answer(kind: &str, message: String, members: Value) -> Value {
    let mut answer = json!({"type": kind, "message": message, "session_id": uuid::Uuid::new_v4().to_string()});
    if let (Value::Object(answer), Value::Object(members)) = (&mut answer, members) {
        answer.extend(members);
    }
    answer
}

fn error(message: String, error: Option<&str>) -> Value {
    answer("error", message, json!({"error": error, "details": null, "execution_id": null}))
}

/// What came of looking for agents.
pub fn found(query: &str, found: &Found) -> Value {
    match found {
        Found::Blank => error("Say what the agent is to do.".to_owned(), None),
        Found::Nothing => {
            let suggestions = [
                "Use fewer or broader words",
                "Name the task rather than the tool",
                "Name an agent as creator/slug when you know it",
            ];
            let message = format!("No agent of the marketplace fits '{}'.", query.trim());
            answer("no_results", message, json!({"suggestions": suggestions, "name": "no_results"}))
        }
        Found::Agents(agents) => {
            let count = agents.len();
            let title = format!("Found {count} agent{} for '{}'", if count == 1 { "" } else { "s" }, query.trim());
            let message = "Offer these agents to the user. Run one by its id once the user has chosen.".to_owned();
            let agents: Vec<_> = agents.iter().map(info).collect();
            answer(
                "agents_found",
                message,
                json!({"title": title, "agents": agents, "count": count, "name": "agents_found"}),
            )
        }
    }
}

fn info(card: &AgentCard) -> Value {
    json!({
        "id": format!("{}/{}", card.creator, card.slug),
        "name": card.name,
        "description": card.description,
        "source": "marketplace",
        "in_library": false,
        "creator": card.creator,
        "category": "general",
        "rating": card.ratings.mean(),
        "runs": card.runs,
        "is_featured": card.is_featured,
        "status": null,
        "can_access_graph": null,
        "has_external_trigger": null,
        "new_output": null,
        "graph_id": null,
        "graph_version": null,
        "match_score": null,
        "input_schema": null,
        "output_schema": null,
        "inputs": null,
        "graph": null,
        "trigger_info": null,
    })
}

/// What came of running an agent.
pub fn ran(ran: &Ran) -> Value {
    match ran {
        Ran::Refused(text, code) => error(text.clone(), *code),
        Ran::Details(agent, absent) => details(agent, absent),
        Ran::Unknown(agent, fields) => {
            let message = format!("The agent '{}' has no inputs named {}.", agent.name, fields.join(", "));
            let members = json!({
                "unrecognized_fields": fields,
                "inputs": agent.needs.input_schema,
                "graph_id": agent.graph,
                "graph_version": agent.version,
            });
            answer("input_validation_error", message, members)
        }
        Ran::Setup(agent, missing) => setup(agent, missing),
        Ran::Started { id, graph, name, entry, is_scheduled } => {
            let (done, status) = match is_scheduled {
                true => ("has a schedule now", "SCHEDULED"),
                false => ("has been started", "QUEUED"),
            };
            let members = json!({
                "execution_id": id,
                "graph_id": graph,
                "graph_name": name,
                "library_agent_id": entry.as_ref().map(|entry| entry.id),
                "library_agent_link": entry.as_ref().map(|entry| library_path(entry.id)),
                "status": status,
                "saved_preset_id": null,
            });
            answer("execution_started", format!("The agent '{name}' {done}."), members)
        }
    }
}

fn details(agent: &Agent, absent: &[String]) -> Value {
    let name = &agent.name;
    let message = match (&agent.trigger, absent) {
        (Some(_), _) => format!("The agent '{name}' is started by an outside event, which has to be set up first."),
        (None, []) => format!("The agent '{name}' takes inputs. Ask the user for them, or use the defaults."),
        (None, absent) => format!("The agent '{name}' cannot run without {}. Ask the user.", absent.join(", ")),
    };
    let manual = agent.trigger.is_none();
    let credentials: Vec<_> = agent.needs.credentials.iter().map(|wanted| {
        json!({"id": wanted.id, "title": titled(&wanted.id), "provider": wanted.provider, "type": first(wanted)})
    }).collect();
    let members = json!({
        "agent": {
            "id": agent.graph,
            "name": name,
            "description": agent.description,
            "in_library": false,
            "inputs": agent.needs.input_schema,
            "credentials": credentials,
            "execution_options": {"manual": manual, "scheduled": manual, "webhook": !manual},
            "trigger_info": agent.trigger,
        },
        "user_authenticated": true,
        "graph_id": agent.graph,
        "graph_version": agent.version,
    });
    answer("agent_details", message, members)
}

fn setup(agent: &Agent, missing: &Missing) -> Value {
    let lacking: Object = missing.credentials.iter().map(|wanted| (wanted.id.clone(), credential(wanted))).collect();
    let members = json!({
        "setup_info": {
            "agent_id": agent.graph,
            "agent_name": agent.name,
            "requirements": {
                "credentials": agent.needs.credentials.iter().map(credential).collect::<Vec<_>>(),
                "inputs": agent.needs.inputs.iter().map(input).collect::<Vec<_>>(),
                "execution_modes": ["manual", "scheduled"],
            },
            "user_readiness": {"has_all_credentials": false, "missing_credentials": lacking, "ready_to_run": false},
        },
        "graph_id": agent.graph,
        "graph_version": agent.version,
    });
    let message = format!("The agent '{}' needs credentials that the user has not connected yet.", agent.name);
    answer("setup_requirements", message, members)
}

fn credential(wanted: &MissingCredential) -> Value {
    json!({
        "id": wanted.id,
        "title": titled(&wanted.id),
        "provider": wanted.provider,
        "provider_name": titled(&wanted.provider),
        "type": first(wanted),
        "types": wanted.types,
        "scopes": wanted.scopes,
    })
}

fn first(wanted: &MissingCredential) -> &str {
    wanted.types.first().map_or("", String::as_str)
}

fn input(wanted: &Wanted) -> Value {
    let mut input = json!({
        "name": wanted.name,
        "title": wanted.title,
        "type": wanted.r#type,
        "description": wanted.description,
        "required": wanted.is_required,
    });
    if let Some(default) = &wanted.default {
        input["default"] = default.clone();
    }
    input
}

/// Underscores to spaces, each word with a capital letter.
fn titled(name: &str) -> String {
    let mut is_inside = false;
    let letter = |letter: char| {
        let letter = match (letter, is_inside) {
            ('_', _) => vec![' '],
            (letter, false) => letter.to_uppercase().collect(),
            (letter, true) => letter.to_lowercase().collect(),
        };
        is_inside = letter.last().is_some_and(|letter| letter.is_alphabetic());
        letter
    };
    name.chars().flat_map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::titled;

    #[test]
    fn names_are_titles() {
        assert_eq!(titled("openai_api_key_credentials"), "Openai Api Key Credentials");
        assert_eq!(titled("open_router"), "Open Router");
        assert_eq!(titled("codex-openai_api_key-oauth2"), "Codex-Openai Api Key-Oauth2");
        assert_eq!(titled("h.example_D_ID"), "H.Example D Id");
    }
}
