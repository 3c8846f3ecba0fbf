#!/usr/bin/env python3
"""The read routes: the list of blocks beside a static file of its size, and the results of a run of ten nodes.

    cargo build --profile dist -p heddle && cargo build --profile dist -p heddle-api --example static_file && bench/reads.py [ROUNDS]

Needs wrk (Debian: apt-get install wrk). Both servers run with one worker thread unless WORKERS says otherwise, in turn, on 16
connections. The static file is the compressed list itself, in the memory of a program that has the server's HTTP stack and nothing
else: no credential, no log, no measurement, no headers but its own.

Prints one line of JSON a round and the medians at the end. Fails when the list gets less than 80 % of the file's requests a
second, when results get less than 5,000 a second, or when the 99th of a hundred takes longer than five times the median.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from heddle import ROOT, Server, command
from run import BODY, HERE, SECONDS, medians

CONNECTIONS = 16
WORKERS = os.environ.get("WORKERS", "1")
STATIC = Path(os.environ.get("STATIC_FILE_BINARY", ROOT / "target" / "dist" / "examples" / "static_file"))


def wrk(url, headers=""):
    done = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", HERE / "reads.lua", url],
        env=os.environ | {"HEADERS": headers}, stdout=subprocess.PIPE, text=True, check=True,
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as folder:
        data = f"{folder}/data"
        with Server(data, "--set", f"server.workers={WORKERS}") as server:
            key = command(data, "key", "create", "--name", "bench").strip()
            graph = json.loads(command(data, "import", HERE / "chain.json"))[0]
            runs = f"/external-api/v1/graphs/{graph['id']}"
            _, run = server.request("POST", f"{runs}/execute/{graph['version']}", key, BODY, {"Prefer": "wait=30"})
            results = f"http://{server.address}{runs}/executions/{json.loads(run)['id']}/results"
            blocks = f"http://{server.address}/external-api/v1/blocks"
            packed = Path(folder) / "blocks.gz"
            with_key = f"X-API-Key: {key}"
            subprocess.run(["curl", "-sS", "-o", packed, "-D", f"{folder}/head", "-H", with_key, "-H", "Accept-Encoding: gzip", blocks],
                           check=True)
            head = Path(f"{folder}/head").read_text()
            tag = next(line.split(": ", 1)[1] for line in head.splitlines() if line.lower().startswith("etag: "))
            static = subprocess.Popen([STATIC, packed], stdout=subprocess.PIPE, text=True, env=os.environ | {"WORKERS": WORKERS})
            try:
                file = static.stdout.readline().strip().removeprefix("listening on ") + "/file"
                lines = {"static": [], "blocks": [], "known": [], "results": []}
                for _ in range(rounds):
                    for what, url, headers in [
                        ("static", file, ""),
                        ("blocks", blocks, f"{with_key}\nAccept-Encoding: gzip"),
                        ("known", blocks, f"{with_key}\nIf-None-Match: {tag}"),
                        ("results", results, with_key),
                    ]:
                        before = server.cpu_seconds()
                        kept = wrk(url, headers)
                        kept["cpu_us"] = round((server.cpu_seconds() - before) / max(kept["requests"], 1) * 1e6, 1)
                        lines[what].append(kept)
                        print(json.dumps({"what": what, **kept, "load_average": os.getloadavg()[0]}), flush=True)
            finally:
                static.kill()
    found = {what: medians(kept) for what, kept in lines.items()}
    for what, kept in found.items():
        print(json.dumps({"what": what, "median_of": rounds, **kept}), flush=True)
    share = found["blocks"]["rps"] / found["static"]["rps"]
    slowest = {what: round(kept["p99_us"] / kept["p50_us"], 2) for what, kept in found.items()}
    print(json.dumps({"blocks_of_static": round(share, 3), "results_a_second": found["results"]["rps"], "p99_of_p50": slowest}))
    wrong = [what for what, kept in found.items() if kept["errors"]]
    late = [what for what in ("blocks", "results") if slowest[what] > 5]
    if wrong or late or share < 0.8 or found["results"]["rps"] < 5_000:
        sys.exit(f"missed: errors {wrong}, late {late}, {share:.2f} of the file, {found['results']['rps']} results a second")


if __name__ == "__main__":
    main()
