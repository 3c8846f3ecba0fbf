#!/usr/bin/env python3
"""What upkeep costs those who are being served: runs a second without anything to do for it, and while it removes old runs
and rewrites others.

    cargo build --profile dist -p heddle && bench/upkeep.py [RUNS]

RUNS (100000 by default) finished runs are in the database all the time: half are the chain's, which are to be removed by
retention, half are of five ticks of a timer, which are spread over several rows and are to be rewritten. They are copies of
one run each, put there while no server runs. The first rounds (ROUNDS, 3 by default) find them young and marked as rewritten;
then they are made old and marked as they were, and rounds go on until all is done or MOST (30) are over. Prints one line of
JSON a round, and one for the whole: medians, their ratio, and how much was removed and rewritten a second under load.
"""

import json
import os
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from heddle import Server, command, fdatasync_ms
from run import BODY, HERE, SECONDS, with_threads, with_wrk

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
ROUNDS = int(os.environ.get("ROUNDS", "3"))
MOST = int(os.environ.get("MOST", "30"))
TICKS = {
    "name": "Ticks", "description": "Five ticks.",
    "nodes": [{"id": "t", "block_id": "d67a9c52-5e4e-11e2-bcfd-0800200c9a71", "input_default": {"seconds": 0, "repeat": 5}}],
}
DAY = 86_400_000_000
OLD = "SELECT count(*) FROM run WHERE ended_at < (unixepoch() - 86400) * 1000000"
SPREAD = "SELECT count(*) FROM run WHERE ended_at IS NOT NULL AND frame_count > 1"


def left(data):
    """How many runs are still to be removed and to be rewritten."""
    with closing(sqlite3.connect(f"file:{data}/heddle.db?mode=ro", uri=True, timeout=30)) as db:
        return [db.execute(text).fetchone()[0] for text in (OLD, SPREAD)]


def copy_runs(db, graph, count):
    """Copies the one finished run of a graph, frames and all, under new ids; the run's rows."""
    columns = [row[1] for row in db.execute("PRAGMA table_info(run)")]
    run = dict(zip(columns, db.execute("SELECT * FROM run WHERE graph_id = ?", (graph,)).fetchone()))
    frames = db.execute("SELECT first, last, body FROM frame WHERE run = ? ORDER BY first", (run["id"],)).fetchall()
    assert run["ended_at"] and frames, run
    places = ", ".join("?" * len(columns))
    for number in range(count):
        at = run["created_at"] + number
        # As its own ids are: the time in front.
        run_id = (at // 1000).to_bytes(6, "big") + random.randbytes(10)
        row = {**run, "id": run_id, "created_at": at, "ended_at": at + 1000, "frame_count": 1}
        db.execute(f"INSERT INTO run VALUES ({places})", [row[column] for column in columns])
        db.executemany("INSERT INTO frame (run, first, last, body) VALUES (?, ?, ?, ?)",
                       [(run_id, *frame) for frame in frames])
    return len(frames)


def prepare(data, told):
    """One run of each agent; the chain's path and key, and both graphs' ids."""
    with Server(data, *told) as server:
        key = command(data, "key", "create", "--name", "bench").strip()
        ticks = Path(data).parent / "ticks.json"
        ticks.write_text(json.dumps(TICKS))
        graphs = [json.loads(command(data, "import", file))[0] for file in (HERE / "chain.json", ticks)]
        paths = [f"/external-api/v1/graphs/{graph['id']}/execute/{graph['version']}" for graph in graphs]
        for path, body in zip(paths, (BODY, {"node_input": {}})):
            status, text = server.request("POST", path, key, body, {"Prefer": "wait=30"})
            assert status == 200 and json.loads(text)["status"] == "COMPLETED", text
    return paths[0], key, [bytes.fromhex(graph["id"].replace("-", "")) for graph in graphs]


def main():
    load = with_wrk if shutil.which("wrk") else with_threads
    with tempfile.TemporaryDirectory() as folder:
        data = f"{folder}/data"
        told = ("--set", f"server.workers={os.environ.get('WORKERS', '1')}")
        path, key, (chain, ticks) = prepare(data, told)
        with closing(sqlite3.connect(f"{data}/heddle.db")) as db, db:
            copy_runs(db, chain, RUNS // 2)
            rows = copy_runs(db, ticks, RUNS - RUNS // 2)
            assert rows > 1, "the timer's run is in one row already"
            last = db.execute("SELECT max(created_at) FROM run").fetchone()[0]

        def one(server, phase):
            before, begun = left(data), time.perf_counter()
            result = load(server, path, key, 16)
            taken, after = time.perf_counter() - begun, left(data)
            line = {
                "phase": phase, "rps": result["rps"], "p50_us": result["p50_us"], "p99_us": result["p99_us"],
                "wrong": result["wrong"], "removed": before[0] - after[0], "rewritten": before[1] - after[1],
                "left": after, "seconds": round(taken, 1), "log_mib": round(log(data) / 2**20, 1),
                "fdatasync_p50_ms": fdatasync_ms(folder), "load_average": os.getloadavg()[0],
            }
            print(json.dumps(line), flush=True)
            return line

        with Server(data, *told) as server:
            load(server, path, key, 16)
            alone = [one(server, "alone") for _ in range(ROUNDS)]
        with closing(sqlite3.connect(f"{data}/heddle.db")) as db, db:
            db.execute("UPDATE run SET created_at = created_at - ?1, started_at = started_at - ?1, "
                       "ended_at = ended_at - ?1 WHERE graph_id = ?2 AND created_at <= ?3", (3 * DAY, chain, last))
            db.execute("UPDATE run SET frame_count = ? WHERE graph_id = ?", (rows, ticks))
        beside = []
        with Server(data, *told, "--set", "engine.retention_days=1") as server:
            # It looks for the first time some seconds after the start.
            begun = time.monotonic()
            first = left(data)
            while left(data) == first:
                assert time.monotonic() - begun < 60, "upkeep does not begin"
                time.sleep(0.05)
            # What it has done in quiet is not counted.
            while any(left(data)) and len(beside) < MOST:
                beside.append(one(server, "beside"))
        assert beside, "all was done before it could be measured: take more runs"
        # Those during which it was done for part of the time are no measure, unless there is no other.
        whole = [line for line in beside if any(line["left"])] or beside
        middle = lambda lines, name: round(statistics.median(line[name] for line in lines), 1)
        print(json.dumps({
            "runs": RUNS, "alone_rps": middle(alone, "rps"), "beside_rps": middle(whole, "rps"),
            "ratio": round(middle(whole, "rps") / middle(alone, "rps"), 2),
            "alone_p99_us": middle(alone, "p99_us"), "beside_p99_us": middle(whole, "p99_us"),
            "removed_a_second": middle([line | {"a": line["removed"] / line["seconds"]} for line in whole], "a"),
            "rewritten_a_second": middle([line | {"a": line["rewritten"] / line["seconds"]} for line in whole], "a"),
            "left": beside[-1]["left"], "wrong": sum(line["wrong"] for line in alone + beside),
            "seconds_a_round": SECONDS,
        }))


def log(data):
    path = Path(data) / "heddle.db-wal"
    return path.stat().st_size if path.exists() else 0


main()
