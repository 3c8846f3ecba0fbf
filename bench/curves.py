#!/usr/bin/env python3
"""Whether cost stays flat: a step in runs of 10 to 10,000 steps, a run beside 1 to 100,000 finished ones, and with 1 to
1,000 runs in flight; and memory and the log over many runs.

    cargo build --profile dist -p heddle && bench/curves.py [steps] [finished] [flight] [soak RUNS]

Needs wrk (Debian: apt-get install wrk). Prints one line of JSON a point, the disk's fdatasync of the same minute beside it.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import run as load
from heddle import Server, command, fdatasync_ms

HERE = Path(__file__).resolve().parent
IN, OUT = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b", "363ae599-353e-4804-937e-b2ee3cef3da4"
TEMPLATE = "db7d8f02-2f44-4c55-ab7a-eae0941f0c30"


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
    def __init__(self, folder):
        self.folder, self.data = folder, f"{folder}/data"
        self.server = Server(self.data, "--set", f"server.workers={os.environ.get('WORKERS', '1')}")
        self.key = command(self.data, "key", "create", "--name", "bench").strip()

    def save(self, graph):
        file = Path(self.folder) / "graph.json"
        file.write_text(json.dumps(graph))
        saved = json.loads(command(self.data, "import", file))[0]
        return f"/external-api/v1/graphs/{saved['id']}/execute/{saved['version']}"

    def one(self, path):
        begun = time.perf_counter()
        status, text = self.server.request("POST", path, self.key, {"node_input": {"text": "hello"}}, {"Prefer": "wait=60"})
        if status != 200 or json.loads(text).get("status") != "COMPLETED":
            raise SystemExit(f"{status}: {text[:300]}")
        return time.perf_counter() - begun

    def measured(self, path, connections):
        before = self.server.cpu_seconds()
        result = load.with_wrk(self.server, path, self.key, connections)
        cpu = (self.server.cpu_seconds() - before) / max(result["requests"], 1)
        if result["wrong_body"] or result["bad_status"]:
            raise SystemExit(f"wrong answers: {result}")
        return {"rps": result["rps"], "p50_us": result["p50_us"], "p99_us": result["p99_us"],
                "cpu_us_a_run": round(cpu * 1e6, 1), "requests": result["requests"]}

    def say(self, **point):
        log = Path(self.data) / "heddle.db-wal"
        print(json.dumps({**point, "rss_mib": round(self.server.resident_kib() / 1024, 1),
                          "log_mib": round(log.stat().st_size / 2**20, 1) if log.exists() else 0,
                          "fdatasync_p50_ms": fdatasync_ms(self.folder), "load_average": os.getloadavg()[0]}), flush=True)


def steps(bench):
    for count in (10, 100, 1_000, 10_000):
        path = bench.save(chain(count))
        bench.one(path)
        times = max(3, 2_000 // count)
        before = bench.server.cpu_seconds()
        taken = [bench.one(path) for _ in range(times)]
        cpu = (bench.server.cpu_seconds() - before) / times / count
        bench.say(curve="steps", steps=count, runs=times, wall_us_a_step=round(statistics.median(taken) / count * 1e6, 2),
                  cpu_us_a_step=round(cpu * 1e6, 2))


def finished(bench):
    path, done = bench.save(json.loads((HERE / "chain.json").read_text())), 0
    for aim in (1, 1_000, 10_000, 100_000):
        while done < aim:
            if aim - done < 1_000:
                bench.one(path)
                done += 1
            else:
                done += bench.measured(path, 16)["requests"]
        point = bench.measured(path, 16)
        bench.say(curve="finished", before=done, **point)
        done += point["requests"]


def flight(bench):
    path = bench.save(json.loads((HERE / "chain.json").read_text()))
    for connections in (1, 16, 128, 1_000):
        bench.say(curve="flight", connections=connections, **bench.measured(path, connections))


def soak(bench, runs):
    path, done = bench.save(json.loads((HERE / "chain.json").read_text())), 0
    while done < runs:
        point = bench.measured(path, 16)
        done += point["requests"]
        bench.say(curve="soak", runs=done, **point)


def main():
    words = sys.argv[1:] or ["steps", "finished", "flight"]
    for word in words:
        if word.isdigit():
            continue
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(folder)
            with bench.server:
                if word == "soak":
                    soak(bench, next((int(text) for text in words if text.isdigit()), 500_000))
                else:
                    {"steps": steps, "finished": finished, "flight": flight}[word](bench)


if __name__ == "__main__":
    main()
