#!/usr/bin/env python3
"""Faults of the engine made by hand, each of which the simulation must find; without one it must find nothing.

    crates/engine/tests/mutations.py [--seeds 300] [--first] [NAME ...]

Each fault is put into a copy of the source under the target folder, which is built and simulated there. `--first` tries
only the first one, which is enough to see that a fault is noticed at all. The text that a fault takes the place of has
to occur exactly once; where the engine has moved on, this says so and fails.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "mutations"
TREE = TARGET / "tree"
ENGINE = Path("crates/engine/src")
# Seconds after which a simulation that makes no end counts as one that hangs.
PATIENCE = 900

# Name: file, what is there, what takes its place.
FAULTS = {
    "an-effect-starts-before-its-frame-is-durable": (
        "driver/start.rs",
        "if self.durable < self.next {\n            self.held.push_back((self.next, exec));",
        "if self.durable > self.next {\n            self.held.push_back((self.next, exec));",
    ),
    "a-resume-skips-an-execution": (
        "driver/start.rs",
        "for exec in self.machine.running() {\n            if self.machine.execs[exec as usize].is_call {",
        "for exec in self.machine.running().into_iter().skip(1) {\n"
        "            if self.machine.execs[exec as usize].is_call {",
    ),
    "a-child-ends-twice": (
        "driver/child.rs",
        "        self.end_counting(exec, outcome, Some(end.counts));",
        "        self.end_counting(exec, outcome.clone(), Some(end.counts));\n"
        "        self.end_counting(exec, outcome, Some(end.counts));",
    ),
    "a-child-is-heard-twice-after-a-restart": (
        "driver/child.rs",
        "let is_new = self.read >= self.accounted;",
        "let is_new = self.read + 1 >= self.accounted.min(1);",
    ),
    "a-timer-begins-its-round-anew-at-a-restart": (
        "driver/start.rs",
        "self.arm_timer(exec, self.machine.execs[exec as usize].wake_at);",
        "self.arm_timer(exec, None);",
    ),
    "a-parked-timer-is-lost": (
        "host/timers.rs",
        "if at.0 < self.timers.next.fetch_min(at.0, Ordering::Relaxed) {",
        "if at.0 < self.timers.next.load(Ordering::Relaxed) {",
    ),
    "a-stop-misses-a-parked-child": (
        "host/stop.rs",
        "Some(standing) if !standing.ended => {}",
        "Some(standing) if !standing.ended && !(standing.parked && standing.is_child) => {}",
    ),
    "an-answer-is-taken-twice": (
        "driver/review.rs",
        "if self.machine.is_reviewing(exec) {",
        "if self.machine.status == Status::Review {",
    ),
    "an-answer-is-confirmed-before-its-commit": (
        "driver/review.rs",
        "match self.next <= self.durable {",
        "match self.durable > 0 {",
    ),
    "a-lasting-answer-is-forgotten": (
        "machine/review.rs",
        "if answer.future && answer.approved {",
        "if answer.future && !answer.approved {",
    ),
    "a-changed-input-is-dropped": (
        "machine/review.rs",
        "filter(|_| answer.approved && !is_node)",
        "filter(|_| answer.approved && is_node)",
    ),
    "a-place-is-never-given-back": (
        "turns.rs",
        "        state.taken -= 1;\n        if let Some(account)",
        "        if let Some(account)",
    ),
    "a-run-leaves-although-it-was-told-something": (
        "host/live.rs",
        "        if let Ok(control) = channels.control.try_recv() {\n            channels.first = Some(control);\n"
        "            return false;\n        }\n",
        "",
    ),
    "a-parked-parent-is-not-told-of-its-childs-end": (
        "driver/frame.rs",
        "parent.filter(|_| news)",
        "parent.filter(|_| news && !self.machine.has_ended())",
    ),
    "a-result-is-taken-after-the-stop": (
        "driver.rs",
        "                if !self.tasks.contains_key(&exec) => {}\n            Message::ChildNews",
        "                if exec == u32::MAX => {}\n            Message::ChildNews",
    ),
    "a-dead-attempts-outputs-stay": (
        "driver/start.rs",
        "let was_cut = state.attempts > 0",
        "let was_cut = state.attempts > 9",
    ),
    "a-repeated-value-is-routed-twice": (
        "driver.rs",
        "if !self.machine.has_emitted(exec, position, &pin, &value) {",
        "if position > 0 || !self.machine.has_emitted(exec, position, &pin, &value) {",
    ),
    "a-lost-charge-is-not-given-back": (
        "host/carry.rs",
        "credits.correct(owner, taken.cast_signed() - kept.cast_signed());",
        "credits.correct(owner, taken.cast_signed() - taken.cast_signed());",
    ),
    "a-charge-is-taken-with-two-frames": (
        "driver/frame.rs",
        "charge: self.charge.take(),",
        "charge: self.charge,",
    ),
    "runs-spend-the-same-credit-twice": (
        "credits.rs",
        "let before = purse.balance;\n        purse.balance -= signed(amount);",
        "let before = purse.balance;\n        purse.balance -= signed(amount / 2);",
    ),
    "what-was-used-is-paid-for-again-by-a-repeat": (
        "driver/pay.rs",
        "self.record_at(at, Event::Charged { exec, cost });",
        "for _ in 0..self.machine.execs[exec as usize].attempts + 1 {\n"
        "            self.record_at(at, Event::Charged { exec, cost });\n        }",
    ),
}


def mutated(name):
    """The file with the fault in it, and its text."""
    file, old, new = FAULTS[name]
    text = (ROOT / ENGINE / file).read_text()
    if text.count(old) != 1:
        sys.exit(f"{name} no longer applies: {file} has this {text.count(old)} times, not once:\n{old}")
    return TREE / ENGINE / file, text.replace(old, new)


def copy():
    shutil.rmtree(TREE, ignore_errors=True)
    ignored = shutil.ignore_patterns(".git", "target", "node_modules")
    # Times are kept, so that only what a fault has touched is built again.
    for part in ROOT.iterdir():
        if part.name in ("Cargo.toml", "Cargo.lock", "clippy.toml", "rustfmt.toml"):
            TREE.mkdir(parents=True, exist_ok=True)
            shutil.copy2(part, TREE / part.name)
        elif part.name in ("crates", "tests", "fuzz", "web", "examples", "docs"):
            shutil.copytree(part, TREE / part.name, ignore=ignored, symlinks=True)


def simulate(seeds):
    """The first seed that failed and what it says, or None."""
    cargo = ["cargo", "test", "--locked", "--package", "heddle-engine", "--test", "sim"]
    target = os.environ | {"CARGO_TARGET_DIR": str(TARGET / "build"), "RUST_BACKTRACE": "0"}
    built = subprocess.run([*cargo, "--no-run"], cwd=TREE, env=target, capture_output=True, text=True)
    if built.returncode != 0:
        sys.exit(f"this does not build:\n{built.stderr}")
    words = [*cargo, "whatever", "--", "--nocapture"]
    environment = target | {"SIMULATE_SEEDS": str(seeds), "SIMULATE_FIRST": "1"}
    pipe = subprocess.PIPE
    run = subprocess.Popen(words, cwd=TREE, env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True,
                           errors="replace", start_new_session=True)
    try:
        said, _ = run.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        return 0, f"no end after {PATIENCE} seconds"
    failed = sorted((int(seed), text) for seed, text in re.findall(r"^seed (\d+): (.*)$", said, re.MULTILINE))
    if not failed and run.returncode != 0:
        sys.exit(f"the simulation did not run:\n{said}")
    return failed[0] if failed else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--first", action="store_true")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in FAULTS]
    if unknown:
        sys.exit(f"there is no fault named {unknown[0]}; there are:\n" + "\n".join(FAULTS))
    names = options.names or list(FAULTS)[: 1 if options.first else None]
    # All of them first: that one no longer applies is not said only after an hour.
    faults = [(name, *mutated(name)) for name in names]
    copy()
    if not options.first and (found := simulate(options.seeds)):
        sys.exit(f"without any fault seed {found[0]} fails: {found[1]}")
    missed = 0
    for name, file, text in faults:
        sound, began = file.read_text(), time.monotonic()
        file.write_text(text)
        found = simulate(options.seeds)
        file.write_text(sound)
        missed += found is None
        how = f"seed {found[0]}: {found[1][:160]}" if found else f"NOT FOUND in {options.seeds} seeds"
        print(f"{name}: {how} ({time.monotonic() - began:.0f} s)", flush=True)
    if missed:
        sys.exit(f"{missed} of {len(faults)} faults were not found")


if __name__ == "__main__":
    main()
