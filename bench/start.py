#!/usr/bin/env python3
"""Cold start to a 200 of /readyz on an existing data folder, memory at rest after one request, size of the binary.

    cargo build --profile dist -p heddle && bench/start.py [ROUNDS]
"""

import json
import os
import statistics
import sys
import tempfile
import time

from heddle import BINARY, Server, command, fdatasync_ms


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    with tempfile.TemporaryDirectory() as folder:
        data = f"{folder}/data"
        with Server(data):
            pass  # The first start is another matter: it hashes a password and imports the samples.
        key = command(data, "key", "create", "--name", "bench").strip()
        starts, resident = [], []
        for _ in range(rounds):
            with Server(data) as server:
                while server.request("GET", "/readyz")[0] != 200:
                    pass
                starts.append((time.perf_counter() - server.begun) * 1e3)
                status, _ = server.request("GET", "/external-api/v1/graphs", key)
                assert status == 200, status
                time.sleep(1)
                resident.append(server.resident_kib() / 1024)
        print(json.dumps({
            "start_ms": round(statistics.median(starts), 1),
            "start_ms_worst": round(max(starts), 1),
            "rss_mib_after_one_request": round(statistics.median(resident), 1),
            "binary_mib": round(BINARY.stat().st_size / 2**20, 1),
            "fdatasync_p50_ms": fdatasync_ms(folder),
            "load_average": os.getloadavg()[0],
        }))


main()
