#!/usr/bin/env python3
"""What runs cost that wait for a person: memory, a restart with all of them, and how soon one of them goes on.

    cargo build --profile dist -p heddle && bench/parked.py [RUNS]

Starts RUNS (100000 by default) runs of `ask.json` through HTTP and waits until all of them are parked. Then: memory; the time
from a start to a 200 of /readyz after SIGTERM and after kill -9, and memory there; for ANSWERS (100) of them the time from
sending an answer over the command socket to hearing of the run's end there. Prints one line of JSON.
"""

import json
import os
import random
import re
import signal
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

from heddle import Server, command, fdatasync_ms, start_runs

HERE = Path(__file__).resolve().parent
RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
ANSWERS = min(int(os.environ.get("ANSWERS", "100")), RUNS)
PATIENCE = 600


class Commands:
    """The socket that commands use: a line of JSON each way."""

    def __init__(self, data):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(next(Path(data).glob("*.sock"))))
        self.file = self.socket.makefile("rw")

    def ask(self, what, **fields):
        self.file.write(json.dumps({"do": what, "user": None, **fields}) + "\n")
        self.file.flush()
        answer = json.loads(self.file.readline())
        assert "Ok" in answer, answer
        return answer["Ok"]


def gauge(server, key, name):
    status, text = server.request("GET", "/metrics", key)
    assert status == 200, text
    return int(float(re.search(rf"^{name} (\S+)$", text, re.M)[1]))


def wait_until_parked(server, key, count):
    give_up = time.monotonic() + PATIENCE
    while gauge(server, key, "heddle_runs_parked") != count:
        assert time.monotonic() < give_up, "the runs do not park"
        time.sleep(0.1)


def settled_mib(server):
    """Memory when it does not change any more."""
    before = 0
    while abs(server.resident_kib() - before) > 256:
        before = server.resident_kib()
        time.sleep(1)
    return round(server.resident_kib() / 1024, 1)


def restarted(data, words, key, count):
    server = Server(data, *words)
    while server.request("GET", "/readyz")[0] != 200:
        pass
    ready = (time.perf_counter() - server.begun) * 1e3
    wait_until_parked(server, key, count)
    return server, round(ready, 1)


def end(server, number):
    server.process.send_signal(number)
    server.process.wait(60)
    server.process.stderr.close()


def answers(data, ids):
    """Milliseconds from each answer to its run's end."""
    commands, taken, answered = Commands(data), [], []
    for run in random.sample(ids, ANSWERS):
        (review,) = commands.ask("list_reviews", run=run)
        fields = {"approved": True, "payload": None, "message": None, "auto_approve_future": False}
        begun = time.perf_counter()
        commands.ask("answer_review", review=review["id"], **fields)
        answered.append((time.perf_counter() - begun) * 1e3)
        ended = commands.ask("wait", run=run, seconds=60)
        taken.append((time.perf_counter() - begun) * 1e3)
        assert ended["status"] == "COMPLETED" and ended["outputs"] == {"said": [review["payload"]]}, ended
    return taken, answered


def main():
    with tempfile.TemporaryDirectory() as folder:
        data = f"{folder}/data"
        words = ("--set", f"engine.queued_runs={RUNS + 1000}")
        server = Server(data, *words)
        key = command(data, "key", "create", "--name", "bench").strip()
        graph = json.loads(command(data, "import", HERE / "ask.json"))[0]
        begun = time.perf_counter()
        path = f"/external-api/v1/graphs/{graph['id']}/execute/{graph['version']}"
        ids = start_runs(server, path, key, RUNS, lambda number: {"text": f"letter {number}"})
        assert len(set(ids)) == RUNS
        wait_until_parked(server, key, RUNS)
        shown = {"runs": RUNS, "parked_in_s": round(time.perf_counter() - begun, 1), "rss_mib": settled_mib(server)}
        end(server, signal.SIGTERM)
        server, shown["ready_after_term_ms"] = restarted(data, words, key, RUNS)
        end(server, signal.SIGKILL)
        server, shown["ready_after_kill_ms"] = restarted(data, words, key, RUNS)
        shown["rss_mib_after_restart"] = settled_mib(server)
        taken, answered = answers(data, ids)
        end(server, signal.SIGTERM)
        print(json.dumps(shown | {
            "answers": ANSWERS,
            "answer_kept_p50_ms": round(statistics.median(answered), 2),
            "resume_p50_ms": round(statistics.median(taken), 2),
            "resume_max_ms": round(max(taken), 2),
            "database_mib": round(sum(path.stat().st_size for path in Path(data).glob("heddle.db*")) / 2**20, 1),
            "fdatasync_p50_ms": fdatasync_ms(folder),
            "load_average": os.getloadavg()[0],
        }))


main()
