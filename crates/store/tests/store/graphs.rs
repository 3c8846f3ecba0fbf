use crate::bed::{Bed, graph, graph_id, noon_and, person};
use heddle_model::{Graph, Link, Node, Object};
use heddle_store::{Error, Page, Paging};
use serde_json::json;

const FIRST: Paging = Paging { page: 1, page_size: 10 };

fn full_graph() -> Graph {
    let node = Node {
        id: "n".into(),
        block_id: "b".into(),
        input_default: json!({"z": 1.5, "a": [null]}).as_object().unwrap().clone(),
        metadata: json!({"position": {"x": 1, "y": 2}}).as_object().unwrap().clone(),
        input_links: Vec::new(),
        output_links: Vec::new(),
    };
    let link = Link {
        id: "l".into(),
        source_id: "n".into(),
        sink_id: "n".into(),
        source_name: "out".to_owned(),
        sink_name: "in".to_owned(),
        is_static: true,
    };
    Graph {
        instructions: Some("do".to_owned()),
        recommended_schedule_cron: Some("* * * * *".to_owned()),
        forked_from_id: Some("other".to_owned()),
        forked_from_version: Some(4),
        nodes: vec![node],
        links: vec![link],
        ..graph(graph_id(1), 1, "full")
    }
}

#[tokio::test]
async fn a_graph_comes_back_as_it_was_saved() {
    for bed in Bed::each() {
        let ada = person(1);
        let saved = full_graph();
        bed.store.save_graphs(ada.id, ada.organization, std::slice::from_ref(&saved), noon_and(1)).await.unwrap();
        for version in [None, Some(1)] {
            let found = bed.store.graph(ada.id, saved.id, version).await.unwrap().unwrap();
            assert_eq!(found.graph, saved);
            assert_eq!((found.created_at, found.organization), (noon_and(1), ada.organization));
            assert_eq!((found.in_library, found.parent), (true, None));
        }
        assert_eq!(bed.store.graph(ada.id, saved.id, Some(2)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn without_a_number_the_highest_version_is_found_and_the_newest_active_one_is_alone() {
    for bed in Bed::each() {
        let ada = person(1);
        let passive = Graph { is_active: false, ..graph(graph_id(1), 3, "third") };
        for version in [graph(graph_id(1), 1, "first"), graph(graph_id(1), 2, "second"), passive] {
            let at = noon_and(version.version);
            bed.store.save_graphs(ada.id, ada.organization, &[version], at).await.unwrap();
        }
        assert_eq!(bed.store.graph(ada.id, graph_id(1), None).await.unwrap().unwrap().graph.name, "third");
        for (version, active) in [(1, false), (2, true), (3, false)] {
            let found = bed.store.graph(ada.id, graph_id(1), Some(version)).await.unwrap().unwrap();
            assert_eq!(found.graph.is_active, active, "version {version}");
        }
    }
}

#[tokio::test]
async fn contained_graphs_are_saved_with_the_main_one_but_not_listed() {
    for bed in Bed::each() {
        let ada = person(1);
        let graphs = [graph(graph_id(1), 1, "main"), graph(graph_id(2), 1, "inner")];
        bed.store.save_graphs(ada.id, ada.organization, &graphs, noon_and(1)).await.unwrap();
        let inner = bed.store.graph(ada.id, graph_id(2), None).await.unwrap().unwrap();
        assert_eq!((inner.in_library, inner.parent), (false, Some(graph_id(1))));
        let page = bed.store.graphs(ada.id, FIRST).await.unwrap();
        assert_eq!((page.items.len(), page.total), (1, 1));
        assert_eq!(page.items[0].name, "main");
    }
}

#[tokio::test]
async fn graphs_are_listed_newest_first_in_their_highest_version_page_by_page() {
    for bed in Bed::each() {
        let ada = person(1);
        for number in 1..=5u8 {
            let new = graph(graph_id(number), 1, &format!("graph {number}"));
            bed.store.save_graphs(ada.id, ada.organization, &[new], noon_and(i64::from(number))).await.unwrap();
        }
        let second = graph(graph_id(2), 2, "graph 2");
        bed.store.save_graphs(ada.id, ada.organization, &[second], noon_and(60)).await.unwrap();
        let mut listed = Vec::new();
        for page in 1..=4 {
            let page = bed.store.graphs(ada.id, Paging { page, page_size: 2 }).await.unwrap();
            assert_eq!(page.total, 5);
            listed.extend(page.items.into_iter().map(|graph| (graph.name, graph.version)));
        }
        let listed: Vec<_> = listed.iter().map(|(name, version)| (name.as_str(), *version)).collect();
        assert_eq!(listed, [("graph 2", 2), ("graph 5", 1), ("graph 4", 1), ("graph 3", 1), ("graph 1", 1)]);
    }
}

#[tokio::test]
async fn a_version_that_exists_is_not_replaced_and_none_of_its_company_is_saved() {
    for bed in Bed::each() {
        let ada = person(1);
        bed.store.save_graphs(ada.id, ada.organization, &[graph(graph_id(2), 1, "old")], noon_and(1)).await.unwrap();
        let both = [graph(graph_id(1), 1, "main"), graph(graph_id(2), 1, "new")];
        assert_eq!(bed.store.save_graphs(ada.id, ada.organization, &both, noon_and(2)).await, Err(Error::Exists));
        assert_eq!(bed.store.graph(ada.id, graph_id(1), None).await.unwrap(), None);
        let old = bed.store.graph(ada.id, graph_id(2), None).await.unwrap().unwrap().graph;
        assert_eq!((old.name.as_str(), old.is_active), ("old", true));
    }
}

#[tokio::test]
async fn another_users_graph_looks_missing_and_cannot_be_continued() {
    for bed in Bed::each() {
        let (ada, bob) = (person(1), person(2));
        bed.store.save_graphs(ada.id, ada.organization, &[graph(graph_id(1), 1, "ada's")], noon_and(1)).await.unwrap();
        for version in [None, Some(1)] {
            assert_eq!(bed.store.graph(bob.id, graph_id(1), version).await.unwrap(), None);
        }
        assert_eq!(bed.store.graphs(bob.id, FIRST).await.unwrap(), Page { items: Vec::new(), total: 0 });
        assert_eq!(bed.store.library_settings(bob.id, graph_id(1)).await.unwrap(), None);
        assert_eq!(bed.store.set_library_settings(bob.id, graph_id(1), Object::new()).await, Err(Error::NotFound));
        let second = [graph(graph_id(1), 2, "bob's")];
        assert_eq!(bed.store.save_graphs(bob.id, bob.organization, &second, noon_and(2)).await, Err(Error::NotFound));
        assert_eq!(bed.store.graph(ada.id, graph_id(1), None).await.unwrap().unwrap().graph.version, 1);
    }
}

#[tokio::test]
async fn library_settings_survive_new_versions() {
    for bed in Bed::each() {
        let ada = person(1);
        assert_eq!(bed.store.library_settings(ada.id, graph_id(1)).await.unwrap(), None);
        bed.store.save_graphs(ada.id, ada.organization, &[graph(graph_id(1), 1, "g")], noon_and(1)).await.unwrap();
        assert_eq!(bed.store.library_settings(ada.id, graph_id(1)).await.unwrap(), Some(Object::new()));
        let settings = json!({"human_in_the_loop_safe_mode": false}).as_object().unwrap().clone();
        bed.store.set_library_settings(ada.id, graph_id(1), settings.clone()).await.unwrap();
        bed.store.save_graphs(ada.id, ada.organization, &[graph(graph_id(1), 2, "g")], noon_and(2)).await.unwrap();
        assert_eq!(bed.store.library_settings(ada.id, graph_id(1)).await.unwrap(), Some(settings));
    }
}

#[tokio::test]
async fn a_library_is_listed_by_change_and_searched_in_any_case() {
    for bed in Bed::each() {
        let (ada, bob) = (person(1), person(2));
        for (number, name) in [(1, "Ebb"), (2, "Ödland"), (3, "Tides")] {
            let saved = graph(graph_id(number), 1, name);
            bed.store.save_graphs(ada.id, ada.organization, &[saved], noon_and(number.into())).await.unwrap();
        }
        let again = graph(graph_id(1), 2, "Ebb and flow");
        bed.store.save_graphs(ada.id, ada.organization, &[again], noon_and(4)).await.unwrap();
        bed.store.save_graphs(bob.id, bob.organization, &[graph(graph_id(9), 1, "Ebb")], noon_and(5)).await.unwrap();
        for (text, paging, names, total) in [
            ("", FIRST, &["Ebb and flow", "Tides", "Ödland"][..], 3),
            ("", Paging { page: 2, page_size: 2 }, &["Ödland"], 3),
            ("", Paging { page: u32::MAX, page_size: 100 }, &[], 3),
            ("ÖDL", FIRST, &["Ödland"], 1),
            ("EBB", FIRST, &["Ebb and flow"], 1),
            ("%", FIRST, &[], 0),
        ] {
            let found = bed.store.library(ada.id, text, paging).await.unwrap();
            let listed: Vec<_> = found.items.iter().map(|entry| entry.name.as_str()).collect();
            assert_eq!((listed.as_slice(), found.total), (names, total), "{text:?} {paging:?}");
        }
        let first = &bed.store.library(ada.id, "", FIRST).await.unwrap().items[0];
        assert_eq!((first.graph, first.version, first.is_archived), (graph_id(1), 2, false));
        assert_eq!(bed.store.library_item(ada.id, first.id).await.unwrap().as_ref(), Some(first));
        assert_eq!(bed.store.library_item(bob.id, first.id).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_name_may_hold_any_character() {
    for bed in Bed::each() {
        let ada = person(1);
        let saved = graph(graph_id(1), 1, "zero \0, one \u{1}, \u{10ffff}");
        bed.store.save_graphs(ada.id, ada.organization, std::slice::from_ref(&saved), noon_and(1)).await.unwrap();
        assert_eq!(bed.store.graphs(ada.id, FIRST).await.unwrap().items[0].name, saved.name);
    }
}
