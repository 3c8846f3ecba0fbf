//! A run at a glance, as it goes on.

use super::{INPUT, OUTPUT, TEMPLATE, Testbed, file, start};
use heddle_model::block::{AGENT_EXECUTOR, HUMAN_IN_THE_LOOP};
use heddle_model::{RunId, Status};
use heddle_platform::Principal;
use heddle_platform::runs::overview::{ChildGlance, Glance, NodeGlance, Overview};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const EACH: &str = "f66a3543-28d3-4ab5-8945-9b336371e2ce";

/// What is known of the nodes, glance by glance.
struct Seen {
    overview: Overview,
    status: Status,
    nodes: BTreeMap<u32, NodeGlance>,
}

impl Seen {
    async fn of(t: &Testbed, caller: &Principal, run: RunId) -> Self {
        let overview = t.platform.runs.overview(caller.user, run).await.unwrap();
        Self { overview, status: Status::Incomplete, nodes: BTreeMap::new() }
    }

    /// False at the end.
    async fn look(&mut self) -> bool {
        let next = tokio::time::timeout(super::LONG, self.overview.next()).await.expect("the run goes on");
        let Some(Glance { status, nodes }) = next else { return false };
        self.status = status;
        self.nodes.extend(nodes.into_iter().map(|node| (node.index, node)));
        true
    }

    async fn when(&mut self, wanted: impl Fn(&Self) -> bool) {
        while !wanted(self) {
            assert!(self.look().await, "over too early: {:?} {:#?}", self.status, self.nodes);
        }
    }

    /// Waiting, running, in review, done, failed, stopped.
    fn counts(&self, node: u32) -> [u64; 6] {
        let node = &self.nodes[&node];
        [node.waiting, node.running, node.in_review, node.done, node.failed, node.stopped]
    }
}

#[tokio::test]
async fn each_node_is_counted_by_where_its_executions_stand() {
    let t = Testbed::new().await;
    let ada = t.user("ada").await;
    let mut agent = file(
        &[
            ("in", INPUT, json!({"name": "items", "value": [{"n": 1}, {"n": 2}]})),
            ("each", EACH, json!({})),
            ("ask", HUMAN_IN_THE_LOOP, json!({"name": "Fine?"})),
            ("fill", TEMPLATE, json!({"format": "{{ n.", "values": {}})),
            ("out", OUTPUT, json!({"name": "yes"})),
        ],
        &[
            ("in", "result", "each", "items"),
            ("each", "item", "ask", "data"),
            ("each", "key", "fill", "values_#_n"),
            ("ask", "approved_data", "out", "value"),
        ],
    );
    agent["nodes"][3]["metadata"] = json!({"customized_name": "Broken\u{7}"});
    let graph = t.save(&ada, agent).await;
    let run = t.platform.runs.start(&ada, start(&graph, json!({}))).await.unwrap().id;
    let mut seen = Seen::of(&t, &ada, run).await;
    seen.when(|seen| seen.status == Status::Review).await;
    assert_eq!(
        (0..5).map(|node| seen.counts(node)).collect::<Vec<_>>(),
        [[0, 0, 0, 1, 0, 0], [0, 0, 0, 1, 0, 0], [0, 0, 2, 0, 0, 0], [0, 0, 0, 0, 2, 0], [0; 6],]
    );
    let named: Vec<_> = seen.nodes.values().map(|node| (node.name.as_str(), node.label.as_deref())).collect();
    assert_eq!((named[0], named[4]), (("AgentInputBlock", Some("items")), ("AgentOutputBlock", Some("yes"))));
    assert!(named[3].1.is_some_and(|label| label.starts_with("Broken")) && named[1].1.is_none(), "{named:?}");

    let reviews = t.platform.reviews.of_run(ada.user, &run.to_string()).await.unwrap();
    let yes: Vec<_> = reviews.iter().map(super::reviews::yes).collect();
    t.platform.reviews.answer(ada.user, None, &yes).await.unwrap();
    while seen.look().await {}
    assert_eq!(
        (seen.status, seen.counts(2), seen.counts(4)),
        (Status::Completed, [0, 0, 0, 2, 0, 0], [0, 0, 0, 2, 0, 0])
    );

    let mut late = Seen::of(&t, &ada, run).await;
    assert!(late.look().await && !late.look().await, "what is over is told at once");
    assert_eq!((late.status, &late.nodes), (seen.status, &seen.nodes));
}

#[tokio::test]
async fn a_child_run_is_told_of_at_its_node_and_a_stop_stops_all() {
    let t = Testbed::new().await;
    let ada = t.user("ada").await;
    let child = file(
        &[
            ("in", INPUT, json!({"name": "text", "value": "x"})),
            ("wait", super::TIMER, json!({"hours": 1})),
            ("out", OUTPUT, json!({"name": "late"})),
        ],
        &[("in", "result", "wait", "input_message"), ("wait", "output_message", "out", "value")],
    );
    let child = t.save(&ada, Value::Object(child.as_object().unwrap().clone())).await;
    let schema = json!({"type": "object", "properties": {}, "required": []});
    let call = json!({
        "graph_id": child, "graph_version": 1, "agent_name": "Slow one", "input_schema": schema,
        "output_schema": schema, "inputs": {}, "user_id": "",
    });
    let graph = t.save(&ada, file(&[("call", AGENT_EXECUTOR, call)], &[])).await;
    let run = t.platform.runs.start(&ada, start(&graph, json!({}))).await.unwrap().id;
    let mut seen = Seen::of(&t, &ada, run).await;
    let told = ChildGlance { name: "test".to_owned(), running: 1, in_review: 0, done: 1, failed: 0 };
    seen.when(|seen| seen.nodes.get(&0).is_some_and(|node| node.children.as_ref() == Some(&told))).await;
    assert_eq!((seen.counts(0), seen.nodes[&0].label.as_deref()), ([0, 1, 0, 0, 0, 0], Some("Slow one")));
    assert!(seen.nodes[&0].since.is_some());

    t.platform.runs.stop(ada.user, &graph, &run.to_string()).await.unwrap();
    while seen.look().await {}
    assert_eq!((seen.status, seen.counts(0)), (Status::Terminated, [0, 0, 0, 0, 0, 1]));
    assert_eq!(seen.nodes[&0].children.as_ref().unwrap().running, 0);
}

#[tokio::test]
async fn nobody_watches_anothers_run() {
    let t = Testbed::new().await;
    let (ada, bob) = (t.user("ada").await, t.user("bob").await);
    let graph = t.save(&ada, super::greeting()).await;
    let run = t.platform.runs.start(&ada, start(&graph, json!({}))).await.unwrap().id;
    let foreign = t.platform.runs.overview(bob.user, run).await.err().unwrap();
    assert_eq!(foreign, heddle_platform::Error::NotFound(format!("Graph execution #{run} not found.")));
}
