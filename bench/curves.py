#!/usr/bin/env python3
"""Whether cost stays flat: a step in runs of 10 to 10,000 steps, a run beside 1 to 100,000 finished ones, and with 1 to
1,000 runs in flight; and memory and the log over many runs.

    cargo build --profile dist -p heddle && bench/curves.py [steps] [finished] [flight] [soak [RUNS]]

A soak is 2,000,000 runs unless told otherwise: an hour at 555 runs a second, that is 6,700 node executions a second. Old runs
are removed meanwhile (`engine.retention_days`): with Debian's faketime a tenth as many are made two days ago before it begins.

Needs wrk (Debian: apt-get install wrk). Prints one line of JSON a point, the disk's fdatasync of the same minute beside it, and
at the end of each curve how much dearer its last point is than the cheapest before it. Points that can be taken in turn are
medians of ROUNDS (3) rounds.
"""

import http.client
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import run as load
from heddle import Server, command, days_ago, fdatasync_ms

HERE = Path(__file__).resolve().parent
IN, OUT = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b", "363ae599-353e-4804-937e-b2ee3cef3da4"
TEMPLATE = "db7d8f02-2f44-4c55-ab7a-eae0941f0c30"
ROUNDS = int(os.environ.get("ROUNDS", "3"))
# Past this a curve rises; below it is what two measurements of the same differ by on a machine that is not quite idle.
FLAT = 1.25


def chain(steps):
    """Templates in a row that hand the text on as it is, so that every step has as much to do."""
    step = lambda n: {"id": f"s{n}", "block_id": TEMPLATE, "input_default": {"format": "{{ text }}"}}
    link = lambda a, b, out, pin: {"id": f"{a}-{b}", "source_id": a, "sink_id": b, "source_name": out, "sink_name": pin}
    nodes = [{"id": "in", "block_id": IN, "input_default": {"name": "text"}}, *map(step, range(steps)),
             {"id": "out", "block_id": OUT, "input_default": {"name": "text"}}]
    links = [link("in", "s0", "result", "values_#_text")]
    links += [link(f"s{n}", f"s{n + 1}", "output", "values_#_text") for n in range(steps - 1)]
    links.append(link(f"s{steps - 1}", "out", "output", "value"))
    return {"name": f"Chain of {steps}", "description": "Templates in a row.", "nodes": nodes, "links": links}


class Bench:
    """A server with a key of its own, and what its runs cost."""

    def __init__(self, folder, *words, more={}):
        self.folder, self.data = folder, f"{folder}/data"
        workers = f"server.workers={os.environ.get('WORKERS', '1')}"
        self.server = Server(self.data, "--set", workers, *words, more=more)
        self.key = command(self.data, "key", "create", "--name", "bench").strip()

    def save(self, graph):
        file = Path(self.folder) / "graph.json"
        file.write_text(json.dumps(graph))
        saved = json.loads(command(self.data, "import", file))[0]
        return f"/external-api/v1/graphs/{saved['id']}/execute/{saved['version']}"

    def save_chain(self):
        return self.save(json.loads((HERE / "chain.json").read_text()))

    def in_turn(self, path, count):
        """So many runs one after the other on one connection: seconds each, and of processor time for one."""
        headers = {"X-API-Key": self.key, "Content-Type": "application/json", "Prefer": "wait=60"}
        connection, taken = http.client.HTTPConnection(self.server.address, timeout=600), []
        before = self.server.cpu_seconds()
        for _ in range(count):
            begun = time.perf_counter()
            connection.request("POST", path, json.dumps(load.BODY), headers)
            answer = connection.getresponse()
            text = answer.read()
            taken.append(time.perf_counter() - begun)
            if answer.status != 200 or json.loads(text).get("status") != "COMPLETED":
                raise SystemExit(f"{answer.status}: {text[:300]}")
        connection.close()
        return taken, (self.server.cpu_seconds() - before) / count

    def at_once(self, path, connections, seconds):
        """Runs on so many connections for a time."""
        before = self.server.cpu_seconds()
        result = load.with_wrk(self.server, path, self.key, connections, seconds)
        cpu = (self.server.cpu_seconds() - before) / max(result["requests"], 1)
        if result["wrong"] or result["errors"]:
            raise SystemExit(f"wrong answers: {result}")
        return {"rps": result["rps"], "p50_us": result["p50_us"], "p99_us": result["p99_us"],
                "cpu_us_a_run": round(cpu * 1e6, 1), "requests": result["requests"]}

    def log_mib(self):
        log = Path(self.data) / "heddle.db-wal"
        return round(log.stat().st_size / 2**20, 1) if log.exists() else 0

    def database_mib(self):
        return round((Path(self.data) / "heddle.db").stat().st_size / 2**20, 1)

    def say(self, **point):
        print(json.dumps({**point, "rss_mib": round(self.server.resident_kib() / 1024, 1), "log_mib": self.log_mib(),
                          "fdatasync_p50_ms": fdatasync_ms(self.folder), "load_average": os.getloadavg()[0]}), flush=True)


def verdict(curve, of, costs):
    """Whether the last point is no dearer than the cheapest before it."""
    growth = round(costs[-1] / min(costs[:-1]), 2)
    print(json.dumps({"curve": curve, "of": of, "costs": costs, "last_over_cheapest_before": growth,
                      "flat": growth <= FLAT}), flush=True)


def steps(folder):
    bench, costs = Bench(folder), []
    with bench.server:
        for count in (10, 100, 1_000, 10_000):
            path = bench.save(chain(count))
            bench.in_turn(path, 1)
            times = max(5, 20_000 // count)
            taken, cpu = bench.in_turn(path, times)
            costs.append(round(cpu / count * 1e6, 2))
            bench.say(curve="steps", steps=count, runs=times, cpu_us_a_step=costs[-1],
                      wall_us_a_step=round(statistics.median(taken) / count * 1e6, 2))
        verdict("steps", "cpu_us_a_step", costs)


def finished(folder):
    """One connection adds a thousand runs to what is there; sixteen would add more than that in a moment."""
    bench, costs, done = Bench(folder), [], 0
    with bench.server:
        path = bench.save_chain()
        warm = bench.save(chain(10))
        bench.in_turn(warm, 200)
        for aim in (1, 1_000, 10_000, 100_000):
            while aim - done > 5_000:
                done += bench.at_once(path, 16, 1)["requests"]
            if aim > done:
                bench.in_turn(path, aim - done)
                done = aim
            taken, cpu = bench.in_turn(path, 1_000)
            costs.append(round(cpu * 1e6, 1))
            bench.say(curve="finished", before=done, p50_us=round(statistics.median(taken) * 1e6), cpu_us_a_run=costs[-1],
                      database_mib=bench.database_mib())
            done += 1_000
        verdict("finished", "cpu_us_a_run", costs)


def flight(folder):
    bench, points = Bench(folder), {1: [], 16: [], 128: [], 1_000: []}
    with bench.server:
        path = bench.save_chain()
        bench.at_once(path, 16, 1)
        for _ in range(ROUNDS):
            for connections, taken in points.items():
                taken.append(bench.at_once(path, connections, 4))
        points = {connections: load.medians(taken) for connections, taken in points.items()}
        for connections, point in points.items():
            bench.say(curve="flight", connections=connections, **point)
        verdict("flight", "cpu_us_a_run", [point["cpu_us_a_run"] for point in points.values()])


class Watch(threading.Thread):
    """Memory and the log, four times a second."""

    def __init__(self, bench):
        super().__init__(daemon=True)
        self.bench, self.ends, self.seen = bench, threading.Event(), []

    def run(self):
        while not self.ends.wait(0.25):
            self.seen.append((self.bench.server.resident_kib() / 1024, self.bench.log_mib()))

    def end(self):
        self.ends.set()
        self.join()


def soak(folder, runs):
    words = ("--set", "engine.retention_days=1", "--set", "engine.queued_runs=1000000")
    old, late = 0, days_ago(2)
    if late:
        bench = Bench(folder, *words, more=late)
        with bench.server:
            path = bench.save_chain()
            while old < runs // 10:
                old += bench.at_once(path, 16, 2)["requests"]
    bench, done, points = Bench(folder, *words), 0, []
    with bench.server:
        path = bench.save_chain()
        bench.at_once(path, 16, 2)
        watch = Watch(bench)
        watch.start()
        while done < runs:
            point = bench.at_once(path, 16, 5)
            done += point["requests"]
            points.append((done, bench.server.resident_kib() / 1024, point["cpu_us_a_run"]))
            bench.say(curve="soak", runs=done, database_mib=bench.database_mib(), **point)
        watch.end()
    # The first third fills caches and the allocator's reserves.
    settled = [point for point in points if point[0] >= done / 3] if len(points) > 5 else points
    slope = statistics.linear_regression([at for at, _, _ in settled], [mib for _, mib, _ in settled]).slope * 1e6
    grown = slope * (settled[-1][0] - settled[0][0]) / 1e6
    half = len(settled) // 2
    costs = [round(statistics.median(cpu for _, _, cpu in some), 1) for some in (settled[:half], settled[half:])]
    memory, log = [max(values) for values in zip(*watch.seen)]
    with sqlite3.connect(f"file:{folder}/data/heddle.db?mode=ro", uri=True) as database:
        yesterday = int((time.time() - 86_400) * 1e6)
        left = database.execute("SELECT count(*) FROM run WHERE created_at < ?", (yesterday,)).fetchone()[0]
    print(json.dumps({
        "curve": "soak", "runs": done, "rss_mib_at_most": round(memory, 1), "rss_mib_a_million_runs": round(slope, 2),
        "log_mib_at_most": log, "cpu_us_a_run_by_half": costs, "old_runs": old, "old_runs_left": left,
        # A leak of ten bytes a run would be 9.5 MiB a million; an allocator breathes by a few. The log is bounded at 64 MiB,
        # and readers that keep it from starting anew may let it past that for a moment.
        "flat": (slope < 10 or grown < 4) and log < 96 and costs[1] <= costs[0] * FLAT,
    }), flush=True)


def main():
    words = sys.argv[1:] or ["steps", "finished", "flight"]
    curves = {"steps": steps, "finished": finished, "flight": flight}
    for word in words:
        if word.isdigit():
            continue
        with tempfile.TemporaryDirectory() as folder:
            if word == "soak":
                soak(folder, next((int(text) for text in words if text.isdigit()), 2_000_000))
            else:
                curves[word](folder)


if __name__ == "__main__":
    main()
