#!/usr/bin/env python3
"""What a backup costs those who are being served: runs a second without one, and while one after the other is made.

    cargo build --profile dist -p heddle && bench/backup.py [ROUNDS]

The database is filled with finished runs first (RUNS, 100000 by default). Prints one line of JSON a round: runs a second, p99,
how long a backup took, how large the database and its file are, and the longest the log got.
"""

import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

from heddle import Server, command, fdatasync_ms
from run import BODY, HERE, SECONDS, with_threads, with_wrk

RUNS = int(os.environ.get("RUNS", "100000"))


class Backups(threading.Thread):
    """Makes one after the other until told to stop; watches the log's length."""

    def __init__(self, data, folder):
        super().__init__()
        self.data, self.folder, self.ends, self.taken, self.bytes = data, folder, threading.Event(), [], 0

    def run(self):
        while not self.ends.is_set():
            dest = Path(self.folder) / f"backup-{len(self.taken)}"
            begun = time.perf_counter()
            command(self.data, "backup", dest)
            self.taken.append(time.perf_counter() - begun)
            self.bytes = dest.stat().st_size
            dest.unlink()


class Log(threading.Thread):
    """The longest the write-ahead log got."""

    def __init__(self, data):
        super().__init__(daemon=True)
        self.path, self.most = Path(data) / "heddle.db-wal", 0

    def run(self):
        while True:
            self.most = max(self.most, self.path.stat().st_size if self.path.exists() else 0)
            time.sleep(0.02)


def main():
    import shutil

    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    load = with_wrk if shutil.which("wrk") else with_threads
    with tempfile.TemporaryDirectory() as folder:
        data = f"{folder}/data"
        with Server(data, "--set", f"server.workers={os.environ.get('WORKERS', '1')}") as server:
            key = command(data, "key", "create", "--name", "bench").strip()
            graph = json.loads(command(data, "import", HERE / "chain.json"))[0]
            path = f"/external-api/v1/graphs/{graph['id']}/execute/{graph['version']}"
            done = 0
            while done < RUNS:
                done += load(server, path, key, 16)["requests"]
            log = Log(data)
            log.start()
            for _ in range(rounds):
                alone = load(server, path, key, 16)
                backups = Backups(data, folder)
                backups.start()
                beside = load(server, path, key, 16)
                backups.ends.set()
                backups.join()
                print(json.dumps({
                    "alone_rps": alone["rps"], "alone_p99_us": alone["p99_us"],
                    "beside_rps": beside["rps"], "beside_p99_us": beside["p99_us"],
                    "ratio": round(beside["rps"] / alone["rps"], 2),
                    "wrong": alone["wrong"] + beside["wrong"],
                    "backups": len(backups.taken), "backup_s": round(sum(backups.taken) / len(backups.taken), 2),
                    "backup_mib": backups.bytes >> 20,
                    "database_mib": (Path(data) / "heddle.db").stat().st_size >> 20,
                    "log_mib_at_most": log.most >> 20,
                    "seconds": SECONDS, "fdatasync_p50_ms": fdatasync_ms(folder), "load_average": os.getloadavg()[0],
                }), flush=True)


if __name__ == "__main__":
    main()
