#!/usr/bin/env python3
"""Runs a second through HTTP: a chain of ten templates, each run accepted, finished and on disk before its answer.

    cargo build --profile dist -p heddle && bench/run.py [ROUNDS]
    cargo build --profile dist -p heddle-store --example ceiling && CEILING=1 bench/run.py
    DATABASE=postgres bench/run.py

The second has SQLite commit copies of the last run in between, by a program that does nothing else, and says how much of that
we reach. The third keeps the runs in a PostgreSQL of its own, beside the same disk, and prints what that commits by itself.

Uses wrk if it is there (Debian: apt-get install wrk). The server runs with one worker thread unless WORKERS says otherwise:
the load shares its cores. Prints one line of JSON a round, the disk's fdatasync of the same minute beside it, and the medians
of the rounds at the end.
"""

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from heddle import ROOT, Postgres, Server, command, fdatasync_ms

HERE = Path(__file__).resolve().parent
BODY = {"node_input": {"text": "hello"}}
EXPECT = "hello.........."
SECONDS = int(os.environ.get("SECONDS_A_ROUND", "8"))
CEILING = Path(os.environ.get("CEILING_BINARY", ROOT / "target" / "dist" / "examples" / "ceiling"))


def wrk(url, body, headers, connections, seconds):
    """Posts the body again and again on so many connections; each answer must hold the chain's result."""
    told = {"BODY": json.dumps(body), "HEADERS": headers, "EXPECT": EXPECT}
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", HERE / "load.lua", url],
        env=os.environ | told, stdout=subprocess.PIPE, text=True, check=True,
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


def with_wrk(server, path, key, connections, seconds=SECONDS):
    return wrk(f"http://{server.address}{path}", BODY, f"X-API-Key: {key}\nPrefer: wait=30", connections, seconds)


def with_threads(server, path, key, connections):
    """Far slower than wrk: says whether it works, not how fast it is."""
    until = time.perf_counter() + SECONDS
    taken, wrong = [], []

    def one():
        while time.perf_counter() < until:
            begun = time.perf_counter()
            status, text = server.request("POST", path, key, BODY, {"Prefer": "wait=30"})
            taken.append(time.perf_counter() - begun)
            if status != 200 or EXPECT not in text:
                wrong.append(text)

    threads = [threading.Thread(target=one) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken.sort()
    at = lambda share: int(taken[int(len(taken) * share)] * 1e6)
    return {"requests": len(taken), "rps": round(len(taken) / SECONDS, 1), "p50_us": at(0.5), "p99_us": at(0.99),
            "wrong": len(wrong), "errors": 0, "tool": "python"}


def with_ceiling(data, connections, ours):
    """What SQLite alone commits of the same bytes, and our share of that."""
    with tempfile.TemporaryDirectory() as folder:
        words = [CEILING, f"{data}/heddle.db", folder, str(connections), str(SECONDS)]
        most = json.loads(subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout)
    kept = {f"ceiling_{name}": most[name] for name in ("frames_a_second", "commits_a_second", "p50_us", "p99_us",
                                                       "cpu_us_a_frame", "bytes_a_frame")}
    return kept | {"of_ceiling": round(ours / most["frames_a_second"], 3)}


def medians(lines):
    """Of every number in the lines of some rounds."""
    numbers = [name for name, value in lines[0].items() if isinstance(value, (int, float)) and name != "connections"]
    return {name: round(statistics.median(line[name] for line in lines), 3) for name in numbers}


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    load = with_wrk if shutil.which("wrk") else with_threads
    with contextlib.ExitStack() as ends:
        folder = ends.enter_context(tempfile.TemporaryDirectory())
        data = f"{folder}/data"
        told = ["--set", f"server.workers={os.environ.get('WORKERS', '1')}"]
        postgres = ends.enter_context(Postgres(folder)) if os.environ.get("DATABASE") == "postgres" else None
        if postgres:
            told += ["--set", f"database.url={postgres.url}"]
        with Server(data, *told) as server:
            key = command(data, "key", "create", "--name", "bench").strip()
            graph = json.loads(command(data, "import", HERE / "chain.json"))[0]
            path = f"/external-api/v1/graphs/{graph['id']}/execute/{graph['version']}"
            server.request("POST", path, key, BODY, {"Prefer": "wait=30"})
            lines = {16: [], 1: []}
            for _ in range(rounds):
                for connections, kept in lines.items():
                    before = server.cpu_seconds()
                    result = load(server, path, key, connections)
                    cpu = server.cpu_seconds() - before
                    kept.append({
                        "connections": connections,
                        **result,
                        "cpu_us_a_run": round(cpu / max(result["requests"], 1) * 1e6, 1),
                        "rss_mib": round(server.resident_kib() / 1024, 1),
                        "fdatasync_p50_ms": fdatasync_ms(folder),
                        **(postgres.commits(connections) if postgres else {}),
                        **(with_ceiling(data, connections, result["rps"]) if os.environ.get("CEILING") else {}),
                        "load_average": os.getloadavg()[0],
                    })
                    print(json.dumps(kept[-1]), flush=True)
            for connections, kept in lines.items():
                print(json.dumps({"connections": connections, "median_of": rounds, **medians(kept)}), flush=True)


if __name__ == "__main__":
    main()
