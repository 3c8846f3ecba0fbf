use super::*;

const NOW: Time = Time(1_000_000_000);

fn node(index: u32, name: &str) -> Node {
    Node { index, name: name.to_owned(), ..Node::default() }
}

fn board(nodes: Vec<Node>) -> Board {
    let mut board = Board::new("Log digest");
    board.take(Glance { status: Status::Running, nodes });
    board
}

fn text(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| line.rendered(false)).collect()
}

fn shown(board: &Board, width: usize, height: usize) -> Vec<String> {
    text(&board.lines(NOW, Duration::from_secs(75), width, height))
}

#[test]
fn each_node_says_what_it_does_and_has_done() {
    let label = |label: &str| Some(label.to_owned());
    let board = board(vec![
        Node { done: 1, spent: 200, label: label("lines"), ..node(0, "AgentInputBlock") },
        Node { running: 2, done: 14, waiting: 3, since: Some(Time(997_900_000)), ..node(1, "FillTextTemplateBlock") },
        Node { failed: 1, spent: 1_234_000, label: label("upload"), ..node(2, "SendWebRequestBlock") },
        Node { in_review: 2, ..node(4, "HumanInTheLoopBlock") },
        Node {
            running: 1,
            since: Some(NOW),
            children: Some(Children {
                name: "Price of one seat".to_owned(),
                running: 2,
                in_review: 1,
                done: 12,
                failed: 1,
            }),
            ..node(5, "AgentExecutorBlock")
        },
        Node { stopped: 2, failed: 3, spent: 75_000_000, ..node(6, "WaitBlock") },
        node(7, "AgentOutputBlock"),
    ]);
    assert_eq!(
        shown(&board, 80, 24),
        [
            "Log digest  RUNNING  1 m 15 s  15 done, 4 failed",
            "  AgentInputBlock: lines       done  0 ms",
            "  FillTextTemplateBlock        2 running, done 14 times, 3 waiting  2 s",
            "  SendWebRequestBlock: upload  failed  1.2 s",
            "  HumanInTheLoopBlock          2 in review",
            "  AgentExecutorBlock           running  0 s",
            "    > Price of one seat: 1 in review, 1 running, 11 done, 1 failed",
            "  WaitBlock                    failed 3 times, stopped 2 times  1 m 15 s",
            "  AgentOutputBlock             waiting",
        ]
    );
}

#[test]
fn of_hundreds_of_nodes_those_are_shown_that_run_or_changed_last() {
    let mut board = board((0..300).map(|index| node(index, "StepBlock")).collect());
    for index in [7, 120, 3] {
        board.take(Glance { status: Status::Running, nodes: vec![Node { done: 1, ..node(index, "StepBlock") }] });
    }
    let running = Node { running: 1, since: Some(NOW), ..node(250, "SlowBlock") };
    board.nodes[250] = Seen { node: running, changed: 0 };
    let lines = shown(&board, 80, 6);
    let head = "Log digest  RUNNING  1 m 15 s  3 done";
    assert_eq!(
        lines,
        [
            head,
            "  StepBlock  done  0 ms",
            "  StepBlock  done  0 ms",
            "  SlowBlock  running  0 s",
            "  and 297 more: 1 done, 296 waiting",
        ]
    );
    assert!(
        board.choose(4).0.iter().map(|seen| seen.node.index).eq([3, 120, 250]),
        "the last ones, in the graph's order"
    );
    assert_eq!(shown(&board, 80, 1_000).len(), 1 + TALLEST, "no wall on a tall terminal");
}

#[test]
fn no_line_is_wider_or_block_taller_than_the_terminal() {
    let wide = "\u{6f22}\u{5b57}".repeat(40);
    let nodes = (0..60).map(|index| Node {
        label: Some(format!("{wide} {index}")),
        running: 3,
        done: 1_000_000,
        failed: 12_345,
        waiting: 99_999,
        since: Some(Time(0)),
        children: (index % 3 == 0).then(|| Children {
            name: wide.clone(),
            running: 5,
            in_review: 1,
            done: 9,
            failed: 2,
        }),
        ..node(index, "AVeryLongNameOfABlockThatSomebodyThoughtOfBlock")
    });
    let mut board = board(nodes.collect());
    board.name = "An agent with a name that goes on and on, as if nobody ever had to read it on a terminal".to_owned();
    for width in [1, 2, 5, 17, 40, 80, 81, 200] {
        for height in [1, 2, 3, 10, 24, 100] {
            let lines = board.lines(NOW, Duration::from_secs(360_000), width, height);
            assert!(lines.iter().all(|line| line.width() < width.max(1)), "{width} columns: {lines:?}");
            assert!(lines.len() < height.max(3), "{height} rows: {}", lines.len());
        }
        let lines = board.summary("COMPLETED", Duration::from_secs(1), 9, 9, width);
        assert!(lines.iter().all(|line| line.width() < width.max(1)), "{width} columns: {lines:?}");
    }
    assert!(shown(&board, 80, 24)[1].contains('\u{2026}'), "what was cut says so");
}

#[test]
fn what_would_move_the_cursor_is_not_printed() {
    let mut board = Board::new("\x1b[2Jevil\n");
    let children = Some(Children { name: "c\rd".to_owned(), ..Children::default() });
    let label = Some("a\x07b\u{202e}c".to_owned());
    let nodes = vec![Node { label, children, ..node(0, "Name\tBlock") }];
    board.take(Glance { status: Status::Running, nodes });
    for line in shown(&board, 80, 24) {
        assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
    }
}

#[test]
fn colours_are_only_where_they_are_wanted() {
    let board = board(vec![Node { done: 2, spent: 5_000_000, ..node(0, "StepBlock") }]);
    let line = &board.lines(NOW, Duration::ZERO, 80, 24)[1];
    assert_eq!(line.rendered(true), "  StepBlock  \x1b[32mdone 2 times\x1b[0m\x1b[2m  5.0 s\x1b[0m");
    assert_eq!(line.rendered(false), "  StepBlock  done 2 times  5.0 s");
    assert_eq!(line.width(), line.rendered(false).len());
}

#[test]
fn a_summary_names_what_failed() {
    let failing = |index| Node { failed: u64::from(index) + 1, ..node(index, "SendWebRequestBlock") };
    let mut board = board((0..7).map(failing).collect());
    let lines = text(&board.summary("FAILED", Duration::from_millis(1_250), 12, 7, 80));
    assert_eq!(lines[0], "Log digest: FAILED after 1.2 s, 12 node executions, 7 failed");
    assert_eq!(lines[1..3], ["  failed: SendWebRequestBlock", "  failed: SendWebRequestBlock (2 times)"]);
    assert_eq!((lines.len(), lines.last().unwrap().as_str()), (1 + NAMED + 1, "  and 2 more"));
    board.nodes.clear();
    assert_eq!(
        text(&board.summary("COMPLETED", Duration::from_millis(42), 3, 0, 80)),
        ["Log digest: COMPLETED after 42 ms, 3 node executions, 0 failed"]
    );
}
