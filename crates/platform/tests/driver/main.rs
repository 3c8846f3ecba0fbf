//! The engine's driver tests once more, with a real store under the fake disk: whatever is committed there goes through
//! the store's tables, and whatever is read is compared with what comes out of them.
#![expect(clippy::unwrap_used, reason = "everything here is a test or helps one")]

#[path = "../../../engine/tests/driver/attempts.rs"]
mod attempts;
#[path = "../../../engine/tests/driver/bench.rs"]
mod bench;
#[path = "../../../engine/tests/driver/children.rs"]
mod children;
#[path = "../../../engine/tests/driver/closing.rs"]
mod closing;
#[path = "../../../engine/tests/driver/crash.rs"]
mod crash;
#[path = "../../../engine/tests/driver/disk.rs"]
mod disk;
#[path = "../../../engine/tests/driver/durability.rs"]
mod durability;
#[path = "../../../engine/tests/driver/failures.rs"]
mod failures;
#[path = "../../../engine/tests/driver/family.rs"]
mod family;
#[path = "../../../engine/tests/driver/limits.rs"]
mod limits;
#[path = "../../../engine/tests/support/made_up.rs"]
mod made_up;
#[path = "../../../engine/tests/driver/parking.rs"]
mod parking;
#[path = "../../../engine/tests/driver/reviews.rs"]
mod reviews;
#[path = "../../../engine/tests/driver/stop.rs"]
mod stop;
#[path = "../../../engine/tests/driver/timers.rs"]
mod timers;
#[path = "../../../engine/tests/driver/tools.rs"]
mod tools;
mod under;
#[path = "../../../engine/tests/driver/world.rs"]
mod world;

#[test]
fn it_is_all_the_same_on_postgresql() {
    let shared =
        ["attempts::", "children::", "crash::", "durability::", "parking::", "reviews::", "stop::", "timers::"];
    heddle_cluster::again(&shared);
}
