#!/usr/bin/env python3
"""The chain of ten templates beside Node-RED 5, which does the same purely in memory: short rounds in turn, in one sitting.

    cargo build --profile dist -p heddle && bench/node_red.py [ROUNDS]

Needs npm and wrk (Debian: apt-get install npm wrk). The first time it installs Node-RED and a Node that is new enough by npm, 300 MB,
into a folder of its own in the user's cache; NODE_RED names another folder. Prints one line of JSON a round and side, and the
medians with their ratio at the end; the disk's fdatasync of the same minute stands beside each, for our runs are on disk.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from heddle import Server, command, cpu_seconds, fdatasync_ms, resident_kib
from run import BODY, HERE, SECONDS, medians, with_wrk, wrk

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
FOLDER = Path(os.environ.get("NODE_RED") or CACHE / "heddle-bench" / "node-red")
# Node-RED 5 wants Node 22 or newer; the package `node` brings the program itself.
PACKAGES = ("node-red@5", "node@24")
STEPS = 10


def installed():
    """Node, and what it is to run."""
    node, red = FOLDER / "node_modules/node/bin/node", FOLDER / "node_modules/node-red/red.js"
    if not (node.exists() and red.exists()):
        FOLDER.mkdir(parents=True, exist_ok=True)
        words = ["npm", "install", "--prefix", FOLDER, "--no-audit", "--no-fund", "--loglevel=error", *PACKAGES]
        subprocess.run(words, stdout=sys.stderr, check=True)
    return node, red


def version():
    return json.loads((FOLDER / "node_modules/node-red/package.json").read_text())["version"]


def flow():
    """What `chain.json` is, as Node-RED has it: a request, ten templates that each append a dot, the answer."""
    names = ["in", *(f"step-{number}" for number in range(1, STEPS + 1)), "out"]
    node = lambda name, kind, **more: {"id": name, "type": kind, "z": "chain", "name": name, "x": 0, "y": 0, **more}
    template = {"field": "payload.text", "fieldType": "msg", "format": "handlebars", "syntax": "mustache",
                "template": "{{{payload.text}}}.", "output": "str"}
    nodes = [node("in", "http in", url="/chain", method="post", upload=False),
             *(node(name, "template", **template) for name in names[1:-1]),
             node("out", "http response", statusCode="200", headers={}, wires=[])]
    for this, following in zip(nodes, names[1:]):
        this["wires"] = [[following]]
    return [{"id": "chain", "type": "tab", "label": "chain", "disabled": False}, *nodes]


class NodeRed:
    """A running Node-RED with that flow; `with` ends it."""

    def __init__(self, folder):
        node, red = installed()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        home = Path(folder) / "node-red"
        home.mkdir()
        (home / "flows.json").write_text(json.dumps(flow()))
        words = [node, red, "-p", str(port), "-u", home, "-D", "uiHost=127.0.0.1", "-D", "telemetry.enabled=false", "flows.json"]
        self.log = open(home / "log", "w+")
        self.process = subprocess.Popen(words, stdout=self.log, stderr=subprocess.STDOUT)
        give_up = time.monotonic() + 120
        while not self.answers():
            if time.monotonic() > give_up or self.process.poll() is not None:
                self.log.seek(0)
                raise SystemExit(f"Node-RED does not answer:\n{self.log.read()}")
            time.sleep(0.2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()

    def answers(self):
        try:
            connection = http.client.HTTPConnection(self.address, timeout=5)
            connection.request("POST", "/chain", json.dumps({"text": "hello"}), {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read()) == {"text": "hello" + "." * STEPS}
        except (OSError, ValueError):
            return False

    def load(self, connections):
        return wrk(f"http://{self.address}/chain", BODY["node_input"], "", connections, SECONDS)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder, NodeRed(folder) as theirs:
        data = f"{folder}/data"
        with Server(data, "--set", f"server.workers={os.environ.get('WORKERS', '1')}") as ours:
            key = command(data, "key", "create", "--name", "bench").strip()
            graph = json.loads(command(data, "import", HERE / "chain.json"))[0]
            path = f"/external-api/v1/graphs/{graph['id']}/execute/{graph['version']}"
            loads = {"heddle": (ours, lambda connections: with_wrk(ours, path, key, connections)),
                     f"node-red {version()}": (theirs, theirs.load)}
            for _, load in loads.values():
                load(16)
            lines = {(connections, side): [] for connections in (16, 1) for side in loads}
            for _ in range(rounds):
                for (connections, side), kept in lines.items():
                    server, load = loads[side]
                    before = cpu_seconds(server.process)
                    result = load(connections)
                    cpu = cpu_seconds(server.process) - before
                    kept.append({
                        "connections": connections, **result,
                        "cpu_us_a_run": round(cpu / max(result["requests"], 1) * 1e6, 1),
                        "rss_mib": round(resident_kib(server.process) / 1024, 1),
                        "fdatasync_p50_ms": fdatasync_ms(folder),
                        "load_average": os.getloadavg()[0],
                    })
                    print(json.dumps({"side": side, **kept[-1]}), flush=True)
    for connections in (16, 1):
        us, them = ({"side": side, **medians(lines[connections, side])} for side in loads)
        for side in (us, them):
            print(json.dumps({"connections": connections, "median_of": rounds, **side}))
        ratio = lambda of: round(us[of] / max(them[of], 1e-9), 2)
        print(json.dumps({"connections": connections, "ours_over_theirs": {
            of: ratio(of) for of in ("rps", "p50_us", "p99_us", "cpu_us_a_run", "rss_mib")}}))


if __name__ == "__main__":
    main()
