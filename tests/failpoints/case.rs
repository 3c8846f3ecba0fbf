//! One failpoint and one action: what is done before, what must hold after.

use crate::agents::Agent;
use crate::stub::Stub;
use crate::support::process::Stillborn;
use crate::support::{Client, Heddle, Process};
use crate::template::{Template, save, start};
use crate::world::{Accepted, World};
use crate::{archives, slots, upkeep};
use heddle_fault::Point;
use serde_json::json;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When a failpoint is come by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Only by a start on an empty folder.
    FirstStart,
    /// By each start.
    Start,
    /// While runs go on.
    Run,
    /// By a command while the server runs.
    Command,
    /// When the server is told to stop.
    Stop,
    /// When a slot of a schedule has come.
    Slot,
    /// While old runs are removed and others rewritten.
    Upkeep,
    /// While the server copies its database.
    Copy,
    /// By a backup without a server.
    Backup,
    /// By a restore.
    Restore,
}

/// What strikes where.
pub struct Case {
    point: Point,
    stage: Stage,
    pub action: &'static str,
    visit: u64,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}@{}", self.point.name, self.action, self.visit)
    }
}

impl Case {
    /// Every action at one failpoint; those that are come by all the time at several visits.
    pub fn all(point: Point) -> Vec<Self> {
        let (stage, visits): (_, &[u64]) = match point.name {
            name if name.starts_with("first_start.") || name.starts_with("vault.") => (Stage::FirstStart, &[1]),
            "store.migration.before" | "store.migration.done" => (Stage::FirstStart, &[1, 3]),
            "serve.stopping" | "serve.stopped" => (Stage::Stop, &[1]),
            name if name.contains(".close.") => (Stage::Stop, &[1]),
            "admin.request" | "admin.answer" => (Stage::Command, &[1]),
            "store.copy.part" => (Stage::Copy, &[1]),
            name if name.starts_with("schedules.") => (Stage::Slot, &[1]),
            name if name.starts_with("backup.") => (Stage::Backup, &[1]),
            name if name.starts_with("restore.") => (Stage::Restore, &[1]),
            name if ["upkeep.", "store.remove.", "store.compact."].iter().any(|room| name.starts_with(room)) => {
                (Stage::Upkeep, &[1])
            }
            name if name.starts_with("store.open.") || name.contains(".resume.") => (Stage::Start, &[1]),
            name if name.starts_with("serve.") || name == "admin.bound" => (Stage::Start, &[1]),
            name if name.starts_with("outbound.") || name.starts_with("blocks.ask") => (Stage::Run, &[1, 2]),
            name if name.starts_with("callbacks.") => (Stage::Run, &[1, 2]),
            name if name.starts_with("platform.start.") => (Stage::Run, &[1, 2, 5]),
            // Nobody can tell then what took place, and it matters whose frame it was.
            "store.commit.after" => (Stage::Run, &[2, 3, 4, 5, 9]),
            _ => (Stage::Run, &[2, 5, 9]),
        };
        let actions = ["kill", "error", "panic"].into_iter().filter(|action| point.fails || *action != "error");
        let strikes = actions.flat_map(|action| visits.iter().map(move |&visit| (action, visit)));
        // A delay is a delay whenever it comes.
        let all = strikes.chain([("delay(60)", visits[0])]);
        all.map(|(action, visit)| Self { point, stage, action, visit }).collect()
    }

    /// Whether the strike may be felt in the result of a run: a block that fails or panics fails, and its run goes on.
    fn may_fail_a_run(&self) -> bool {
        let of_a_block = self.point.name.starts_with("blocks.") || self.point.name.starts_with("outbound.");
        of_a_block && ["error", "panic"].contains(&self.action)
    }

    /// Whether it mostly waits for a task that looks now and then.
    pub fn is_patient(&self) -> bool {
        self.stage == Stage::Upkeep
    }

    /// Carries it out.
    pub fn check(&self, template: &Template, stub: &Stub) {
        match self.stage {
            Stage::Slot => slots::check(self, template, stub),
            Stage::Upkeep => upkeep::check(self, template, stub),
            Stage::Copy => archives::check_copy(self, template, stub),
            Stage::Backup => archives::check_backup(self, template, stub),
            Stage::Restore => archives::check_restore(self, template, stub),
            _ => self.check_life(template, stub),
        }
    }

    /// A server's life with what strikes in it.
    fn check_life(&self, template: &Template, stub: &Stub) {
        let is_new = self.stage == Stage::FirstStart;
        let heddle = if is_new { template.nothing() } else { template.copy() };
        let (server, mut told) = self.start(&heddle, stub);
        let (key, graphs) = if is_new {
            let key = heddle.key();
            (key.clone(), save(&Client::new(&server.address, Some(key)), stub))
        } else {
            (template.key.clone(), template.graphs.clone())
        };
        let world = World::new(&heddle, stub, server, key, graphs);
        let mut accepted = self.load(&world);
        if !is_new {
            let (token, run) = template.unfinished.clone();
            accepted.push(Accepted { agent: Agent::Step, token, run });
        }
        self.command(&world);
        // Without a restart: whatever was acknowledged comes to its end.
        self.check_runs(&world, &accepted);
        if self.stage == Stage::Stop {
            accepted.push(world.start(Agent::Step, token(), "wait=0"));
        }
        told.extend(world.stop());
        self.check_hit(&heddle);
        // And after one: nothing has changed, and nothing is there that was not asked for.
        self.check_runs(&world, &accepted);
        check_nothing_else(&world, &accepted);
        told.extend(world.stop());
        if is_new {
            check_first_start(&world, &told);
        }
    }

    /// A server that has the strike in front of it, or behind it when that was in its start; and what it has told.
    pub fn start(&self, heddle: &Heddle, stub: &Stub) -> (Process, Vec<String>) {
        match start(heddle, stub, Some(&self.to_string())) {
            Ok(server) => (server, Vec::new()),
            Err(dead) => {
                self.check_end(&dead);
                let next = start(heddle, stub, None);
                (next.unwrap_or_else(|dead| panic!("it does not start again: {dead}")), dead.told)
            }
        }
    }

    /// A start that fails says so in its last line; one that panics or is killed ends all the same.
    fn check_end(&self, dead: &Stillborn) {
        assert!(!self.action.starts_with("delay"), "{:?}", dead.log);
        match self.action {
            "error" => {
                assert_eq!(dead.status.code(), Some(1), "{:?}", dead.log);
                assert!(dead.log.last().unwrap().starts_with("heddle: "), "{:?}", dead.log);
                // There, or in the log, which says more than is shown.
                assert!(dead.log.iter().any(|line| line.contains(self.point.name)), "{:?}", dead.log);
            }
            // Of the main thread, or of one that it cannot do without.
            "panic" => assert!([Some(101), Some(1)].contains(&dead.status.code()), "{:?}", dead.log),
            _ => assert_eq!(dead.status.code(), None, "{:?}", dead.log),
        }
    }

    /// Two at a time, each until it is acknowledged.
    fn load(&self, world: &World<'_>) -> Vec<Accepted> {
        std::thread::scope(|scope| {
            let start = || Agent::ALL.map(|agent| world.start(agent, token(), "wait=20")).to_vec();
            let both = [scope.spawn(start), scope.spawn(start)];
            both.into_iter()
                .flat_map(|starts| starts.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    }

    /// A command through the socket, once with the strike and once after it.
    fn command(&self, world: &World<'_>) {
        if self.stage != Stage::Command {
            return;
        }
        let struck = world.heddle.run(&["user", "list", "--json"]);
        match self.action {
            "delay(60)" => assert_eq!(struck.code, 0, "{struck:?}"),
            _ => {
                struck.refused("command socket");
            }
        }
        world.address();
        let users = world.heddle.json(&["user", "list"]);
        assert_eq!(users.as_array().map(Vec::len), Some(1), "{users}");
    }

    fn check_runs(&self, world: &World<'_>, accepted: &[Accepted]) {
        let mut failed = 0;
        for Accepted { agent, token, run } in accepted {
            let results = world.end(*agent, run);
            if results["status"] == json!("COMPLETED") && results["output"] == agent.output(*token) {
                continue;
            }
            failed += 1;
            assert!(self.may_fail_a_run() && failed == 1, "{agent:?} {token}: {results}");
        }
        for Accepted { token, run, .. } in
            accepted.iter().filter(|run| run.agent == Agent::Step && run.token >= FIRST_TOKEN)
        {
            let count = world.stub.count(&Agent::label(*token));
            assert!((1..=2).contains(&count) || self.may_fail_a_run(), "{count} requests of {token}");
            // Twice when what struck came between the callback and its removal.
            let count = world.told(run);
            assert!((1..=2).contains(&count), "{count} callbacks of {token}");
        }
    }

    /// It struck, and where it was meant to.
    pub fn check_hit(&self, heddle: &Heddle) {
        assert!(self.has_hit(heddle), "it never struck");
    }

    /// Waits until it strikes.
    pub fn wait_for_hit(&self, heddle: &Heddle) {
        let give_up = Instant::now() + Duration::from_secs(60);
        while !self.has_hit(heddle) {
            assert!(Instant::now() < give_up, "it never strikes");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn has_hit(&self, heddle: &Heddle) -> bool {
        let hits = std::fs::read_to_string(heddle.beside("hits")).unwrap_or_default();
        let strike = format!("{} {}", self.point.name, self.action.split('(').next().unwrap());
        hits.lines().any(|line| line == strike)
    }
}

/// One run for each start, and no other.
fn check_nothing_else(world: &World<'_>, accepted: &[Accepted]) {
    for agent in Agent::ALL {
        let mut listed = world.runs(agent);
        let mut wanted: Vec<_> =
            accepted.iter().filter(|start| start.agent == agent).map(|start| start.run.clone()).collect();
        listed.sort();
        wanted.sort();
        assert_eq!(listed, wanted, "{agent:?}");
        for start in accepted.iter().filter(|start| start.agent == agent) {
            assert!(agent.is_of(&world.end(agent, &start.run), start.token), "{start:?} is another run");
        }
    }
}

/// The key that was shown last works.
fn check_first_start(world: &World<'_>, told: &[String]) {
    // The server that was struck may have taken its words along; then a later one has repeated them.
    let key =
        told.iter().rev().find_map(|line| line.strip_prefix("key ")).expect("the key was shown").trim().to_owned();
    assert_eq!(Client::new(&world.address(), Some(key)).get("/external-api/v1/blocks").status, 200);
}

const FIRST_TOKEN: u64 = 1000;

/// A number that nothing else in this process has.
pub fn token() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(FIRST_TOKEN);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
