#!/usr/bin/env python3
"""What it costs to wait for many models at once: memory, and how far from the ideal the last answer is.

    cargo build --profile dist -p heddle && bench/models.py [CALLS]

Starts CALLS (1000 by default) runs of `ask-model.json` through HTTP; each asks a model that answers after DELAY (2) seconds. The
model is a server of this script's own, which tells how many it was asked at once. `engine.provider_calls` is set to CALLS, as
its default of 64 would have the others wait for their turn. Ideally the last run ends DELAY seconds after the last was
accepted. Prints one line of JSON; fails when the last answer is more than 3 s late or memory passes 250 MiB.
"""

import asyncio
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

from heddle import Server, command, fdatasync_ms, start_runs

HERE = Path(__file__).resolve().parent
CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
DELAY = float(os.environ.get("DELAY", "2"))
LATE_S, MEMORY_MIB = 3.0, 250.0
ANSWER = json.dumps({
    "output": [{"type": "message", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": "forty-two", "annotations": []}]}],
    "usage": {"input_tokens": 11, "output_tokens": 7},
}).encode()


class Model:
    """A slow model, on a thread of its own."""

    def __init__(self):
        self.asked, self.now, self.most = 0, 0, 0
        ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.run(ready)), daemon=True).start()
        ready.wait()

    async def run(self, ready):
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=4096)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await asyncio.Event().wait()

    async def serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length"))
                await reader.readexactly(length)
                self.asked, self.now = self.asked + 1, self.now + 1
                self.most = max(self.most, self.now)
                await asyncio.sleep(DELAY)
                self.now -= 1
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
                             % (len(ANSWER), ANSWER))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def unfinished(server, key):
    status, text = server.request("GET", "/metrics", key)
    assert status == 200, text
    names = ("heddle_runs_live", "heddle_runs_queued", "heddle_runs_parked")
    return sum(int(float(line.split()[1])) for line in text.splitlines() if line.split(" ")[0] in names)


def peak_mib(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return round(int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024, 1)


def main():
    model = Model()
    with tempfile.TemporaryDirectory() as folder:
        data = f"{folder}/data"
        words = []
        for setting in (
            f"engine.provider_calls={CALLS}", f"engine.account_runs={CALLS}", f"outbound.allow=127.0.0.1:{model.port}",
            f"providers.openai.base_url=http://127.0.0.1:{model.port}/v1", "providers.openai.api_key=sk-bench",
        ):
            words += ["--set", setting]
        with Server(data, *words) as server:
            key = command(data, "key", "create", "--name", "bench").strip()
            graph = json.loads(command(data, "import", HERE / "ask-model.json"))[0]
            path = f"/external-api/v1/graphs/{graph['id']}/execute/{graph['version']}"
            begun = time.perf_counter()
            ids = start_runs(server, path, key, CALLS, lambda number: {"question": f"What is {number}?"})
            accepted = time.perf_counter()
            while unfinished(server, key):
                assert time.perf_counter() - accepted < DELAY + 60, "the runs do not end"
                time.sleep(0.05)
            done = time.perf_counter()
            peak = peak_mib(server.process)
            status, text = server.request("GET", f"/external-api/v1/graphs/{graph['id']}/executions/{ids[-1]}/results", key)
            assert status == 200 and json.loads(text)["output"] == [{"answer": "forty-two"}], text
        late = done - begun - DELAY
        print(json.dumps({
            "calls": CALLS, "asked": model.asked, "at_once": model.most, "delay_s": DELAY, "provider_calls": CALLS,
            "accepted_in_s": round(accepted - begun, 2), "done_in_s": round(done - begun, 2), "late_s": round(late, 2),
            "peak_rss_mib": peak, "fdatasync_p50_ms": fdatasync_ms(folder), "load_average": os.getloadavg()[0],
        }))
    if late > LATE_S or peak > MEMORY_MIB or model.asked != CALLS:
        sys.exit(f"wanted: {CALLS} calls, at most {LATE_S} s late, at most {MEMORY_MIB} MiB")


main()
