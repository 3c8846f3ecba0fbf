//! Blocks against their cases: those recorded from upstream, and our own.

#[tokio::test(start_paused = true)]
async fn blocks_do_what_upstream_does() {
    crate::common::check(include_str!("../cases/vectors.jsonl")).await;
}

#[tokio::test(start_paused = true)]
async fn blocks_do_what_we_say() {
    crate::common::check(include_str!("../cases/own.jsonl")).await;
}
