//! The contract's table of routes (`v1.md` 1.3 and 2 to 7, additions in `operator.md`) against the served document: what each
//! needs, and which statuses it says it can answer.

use crate::document::{names, operations, served, texts};
use serde_json::Value;
use std::collections::BTreeSet;

/// Method, path, scopes, and statuses beyond 401, 403, 429 and 500, which every route has.
type Row = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const TABLE: &[Row] = &[
    ("get", "/me", &["IDENTITY"], &["200"]),
    ("get", "/blocks", &["READ_BLOCK"], &["200", "304"]),
    ("post", "/blocks/{block_id}/execute", &["EXECUTE_BLOCK"], &["200", "400", "402", "404", "422"]),
    ("post", "/graphs", &["WRITE_GRAPH", "WRITE_LIBRARY"], &["201", "400", "422"]),
    ("get", "/graphs", &["READ_GRAPH"], &["200", "422"]),
    ("get", "/graphs/{graph_id}", &["READ_GRAPH"], &["200", "404", "422"]),
    ("post", "/graphs/{graph_id}/execute/{graph_version}", &["EXECUTE_GRAPH"], &["200", "400", "409", "422", "503"]),
    ("get", "/graphs/{graph_id}/executions", &["READ_GRAPH"], &["200", "404", "422"]),
    ("get", "/graphs/{graph_id}/executions/{graph_exec_id}/results", &["READ_GRAPH"], &["200", "404"]),
    ("get", "/graphs/{graph_id}/executions/{graph_exec_id}/events", &["READ_GRAPH"], &["200", "404"]),
    ("post", "/graphs/{graph_id}/executions/{graph_exec_id}/stop", &["EXECUTE_GRAPH"], &["200", "404", "409"]),
    ("get", "/store/agents", &["READ_STORE"], &["200", "422"]),
    ("get", "/store/agents/{username}/{agent_name}", &["READ_STORE"], &["200", "404"]),
    ("get", "/store/creators", &["READ_STORE"], &["200", "400", "422"]),
    ("get", "/store/creators/{username}", &["READ_STORE"], &["200", "404"]),
    ("get", "/integrations/providers", &["READ_INTEGRATIONS"], &["200"]),
    ("get", "/integrations/credentials", &["READ_INTEGRATIONS"], &["200"]),
    ("get", "/integrations/{provider}/credentials", &["READ_INTEGRATIONS"], &["200"]),
    ("post", "/integrations/{provider}/credentials", &["MANAGE_INTEGRATIONS"], &["201", "400", "404", "422"]),
    ("delete", "/integrations/{provider}/credentials/{cred_id}", &["DELETE_INTEGRATIONS"], &["200", "404"]),
    ("post", "/integrations/{provider}/oauth/initiate", &["MANAGE_INTEGRATIONS"], &["200", "400", "404", "422", "501"]),
    ("post", "/integrations/{provider}/oauth/complete", &["MANAGE_INTEGRATIONS"], &["200", "400", "404", "422", "501"]),
    ("post", "/tools/find-agent", &["USE_TOOLS"], &["200", "422"]),
    ("post", "/tools/run-agent", &["USE_TOOLS"], &["200", "402", "409", "422"]),
];

#[tokio::test]
async fn every_route_needs_and_answers_what_the_contract_says() {
    let document = served().await;
    for (method, path, operation) in operations(&document) {
        let row = TABLE.iter().find(|row| (row.0, row.1) == (method, path));
        let (_, _, scopes, statuses) = row.unwrap_or_else(|| panic!("{method} {path} is not in the table"));
        let needed: Vec<_> =
            operation["x-required-scopes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(needed, *scopes, "{method} {path}");
        assert_eq!(texts(&operation["x-required-scopes"]).len(), scopes.len());
        let every = ["401", "403", "429", "500"];
        let expected: BTreeSet<&str> = statuses.iter().chain(&every).copied().collect();
        let missing: Vec<_> = expected.difference(&names(&operation["responses"])).copied().collect();
        assert!(missing.is_empty(), "{method} {path} does not say that it answers {missing:?}");
    }
}
