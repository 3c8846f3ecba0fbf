//! The list of all failpoints, in the order in which a first start, a run and a stop come by.

/// One failpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Point {
    /// Its name: the room, what happens there, and when.
    pub name: &'static str,
    /// Whether an error can be handed on there.
    pub fails: bool,
}

const fn may_fail(name: &'static str) -> Point {
    Point { name, fails: true }
}

const fn cannot_fail(name: &'static str) -> Point {
    Point { name, fails: false }
}

/// Every failpoint there is.
pub const POINTS: &[Point] = &[
    // Starting.
    may_fail("serve.locked"),
    may_fail("serve.listening"),
    may_fail("store.open.before"),
    may_fail("store.migration.before"),
    may_fail("store.migration.done"),
    may_fail("store.open.after"),
    may_fail("platform.resume.before"),
    may_fail("platform.resume.listed"),
    may_fail("first_start.before"),
    may_fail("first_start.made"),
    may_fail("first_start.printed"),
    may_fail("first_start.marker"),
    may_fail("admin.bound"),
    cannot_fail("serve.ready"),
    // The vault's key file.
    may_fail("vault.key.written"),
    may_fail("vault.key.linked"),
    // A run.
    may_fail("platform.start.before"),
    may_fail("platform.start.after"),
    may_fail("store.append.before"),
    may_fail("store.batch.before"),
    may_fail("store.commit.before"),
    may_fail("store.commit.after"),
    may_fail("store.read.before"),
    may_fail("blocks.now.before"),
    may_fail("blocks.now.after"),
    may_fail("blocks.ask.before"),
    may_fail("outbound.send.before"),
    may_fail("outbound.send.after"),
    may_fail("blocks.ask.after"),
    may_fail("callbacks.send.before"),
    may_fail("callbacks.send.after"),
    // Schedules.
    may_fail("schedules.due.found"),
    may_fail("schedules.start.before"),
    may_fail("schedules.start.after"),
    may_fail("schedules.moved"),
    // Upkeep.
    may_fail("store.remove.rows"),
    may_fail("upkeep.removed"),
    may_fail("store.compact.packed"),
    may_fail("store.compact.put"),
    // A backup, and what is made of it.
    may_fail("backup.begun"),
    may_fail("store.copy.part"),
    may_fail("backup.copied"),
    may_fail("backup.packed"),
    may_fail("backup.placed"),
    may_fail("restore.unpacked"),
    may_fail("restore.aside"),
    may_fail("restore.database"),
    may_fail("restore.done"),
    // Commands.
    may_fail("admin.request"),
    may_fail("admin.answer"),
    // Stopping.
    cannot_fail("serve.stopping"),
    cannot_fail("platform.close.before"),
    cannot_fail("store.close.before"),
    cannot_fail("store.close.after"),
    cannot_fail("serve.stopped"),
];

/// Whether this is the name of a failpoint of this kind.
pub const fn is_known(name: &str, fails: bool) -> bool {
    let mut index = 0;
    while index < POINTS.len() {
        if POINTS[index].fails == fails && is_same(POINTS[index].name.as_bytes(), name.as_bytes()) {
            return true;
        }
        index += 1;
    }
    false
}

const fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}
