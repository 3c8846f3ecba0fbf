//! The agents of `examples/` do what their cases say, from the files as they are.

use crate::support::{Case, Heddle, Server, check, json_of, root};
use serde_json::{Value, json};

fn slugs() -> Vec<String> {
    let names = std::fs::read_dir(root().join("examples")).unwrap();
    let mut slugs: Vec<_> = names
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".cases.json").map(str::to_owned))
        .collect();
    slugs.sort();
    slugs
}

/// Cases of an example: what they say beside outputs is what every good run says.
pub fn cases(slug: &str) -> Vec<Case> {
    let agent = json_of(&root().join(format!("examples/{slug}.json")));
    let Value::Array(cases) = json_of(&root().join(format!("examples/{slug}.cases.json"))) else {
        panic!("{slug}: cases are a list");
    };
    let case = |case: Value| Case {
        name: format!("{slug}: {}", case["name"].as_str().unwrap()),
        agent: agent.clone(),
        inputs: case["inputs"].clone(),
        expect: case,
    };
    cases.into_iter().map(case).collect()
}

#[test]
fn every_example_gives_the_outputs_of_its_cases() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    let slugs = slugs();
    assert_eq!(slugs.len(), 6);
    for case in slugs.iter().flat_map(|slug| cases(slug)) {
        check(&heddle, &client, &case);
    }
}

#[test]
fn computed_schemas_are_those_in_the_files() {
    let heddle = Heddle::new();
    let server = Server::start(&heddle);
    let client = server.client(&heddle);
    for slug in slugs() {
        let agent = json_of(&root().join(format!("examples/{slug}.json")));
        let saved = client.save(&agent);
        for schema in ["input_schema", "output_schema"] {
            assert_eq!(json!(saved[schema]), agent[schema], "{slug}: {schema}");
        }
    }
}
