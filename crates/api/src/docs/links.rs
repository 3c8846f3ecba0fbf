//! Which answer leads where: what a client, or a test that plays one, can do next.

use super::document::operations;
use serde_json::{Map, Value, json};

/// An answer that names something, by operation, status and link.
struct Lead {
    from: &'static str,
    status: &'static str,
    name: &'static str,
    to: &'static str,
    parameters: &'static [(&'static str, &'static str)],
}

const RESULTS: &str = "get_graph_execution_results_graphs__graph_id__executions__graph_exec_id__results_get";
const EVENTS: &str = "follow_graph_execution_graphs__graph_id__executions__graph_exec_id__events_get";
const STOP: &str = "stop_graph_execution_graphs__graph_id__executions__graph_exec_id__stop_post";
const EXECUTE: &str = "execute_graph_graphs__graph_id__execute__graph_version__post";
const CREATE_GRAPH: &str = "create_graph_graphs_post";
const CREATE_CREDENTIAL: &str = "create_credential_integrations__provider__credentials_post";
const LIST_OF_PROVIDER: &str = "list_credentials_by_provider_integrations__provider__credentials_get";
const DELETE_CREDENTIAL: &str = "delete_credential_integrations__provider__credentials__cred_id__delete";
const AGENTS: &str = "get_store_agents_store_agents_get";
const CREATORS: &str = "get_store_creators_store_creators_get";

const SAVED: &[(&str, &str)] = &[("graph_id", "$response.body#/id")];
const SAVED_VERSION: &[(&str, &str)] =
    &[("graph_id", "$response.body#/id"), ("graph_version", "$response.body#/version")];
const STARTED: &[(&str, &str)] = &[("graph_id", "$request.path.graph_id"), ("graph_exec_id", "$response.body#/id")];
const KEPT: &[(&str, &str)] = &[("provider", "$request.path.provider"), ("cred_id", "$response.body#/id")];
const LISTED: &[(&str, &str)] =
    &[("username", "$response.body#/agents/0/creator"), ("agent_name", "$response.body#/agents/0/slug")];

const LEADS: [Lead; 11] = [
    Lead {
        from: CREATE_GRAPH,
        status: "201",
        name: "GetGraph",
        to: "get_graph_graphs__graph_id__get",
        parameters: SAVED,
    },
    Lead { from: CREATE_GRAPH, status: "201", name: "ExecuteGraph", to: EXECUTE, parameters: SAVED_VERSION },
    Lead {
        from: CREATE_GRAPH,
        status: "201",
        name: "ListExecutions",
        to: "list_graph_executions_graphs__graph_id__executions_get",
        parameters: SAVED,
    },
    Lead { from: EXECUTE, status: "200", name: "GetResults", to: RESULTS, parameters: STARTED },
    Lead { from: EXECUTE, status: "200", name: "FollowExecution", to: EVENTS, parameters: STARTED },
    Lead { from: EXECUTE, status: "200", name: "StopExecution", to: STOP, parameters: STARTED },
    Lead { from: CREATE_CREDENTIAL, status: "201", name: "DeleteCredential", to: DELETE_CREDENTIAL, parameters: KEPT },
    Lead {
        from: CREATE_CREDENTIAL,
        status: "201",
        name: "ListCredentials",
        to: LIST_OF_PROVIDER,
        parameters: &[("provider", "$request.path.provider")],
    },
    Lead {
        from: AGENTS,
        status: "200",
        name: "GetAgent",
        to: "get_store_agent_store_agents__username___agent_name__get",
        parameters: LISTED,
    },
    Lead {
        from: AGENTS,
        status: "200",
        name: "GetCreator",
        to: "get_store_creator_store_creators__username__get",
        parameters: &[("username", "$response.body#/agents/0/creator")],
    },
    Lead {
        from: CREATORS,
        status: "200",
        name: "GetCreator",
        to: "get_store_creator_store_creators__username__get",
        parameters: &[("username", "$response.body#/creators/0/username")],
    },
];

/// Adds the links of all operations that are served.
pub fn add(document: &mut Value) {
    let served: Vec<Value> = operations(document).map(|operation| operation["operationId"].clone()).collect();
    for operation in operations(document) {
        let from = operation["operationId"].clone();
        for lead in LEADS.iter().filter(|lead| from == lead.from && served.iter().any(|id| id == lead.to)) {
            let parameters: Map<String, Value> =
                lead.parameters.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
            operation["responses"][lead.status]["links"][lead.name] =
                json!({ "operationId": lead.to, "parameters": parameters });
        }
    }
}
