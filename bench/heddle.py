"""A server to measure: started on a folder of its own, and what the system knows about it."""

import http.client
import json
import os
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BINARY = Path(os.environ.get("HEDDLE_BINARY", ROOT / "target" / "dist" / "heddle"))


def environment():
    """Nothing of this shell's settings; log lines would be work that nobody asked for."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEDDLE_")}
    return kept | {"HEDDLE_LOG__LEVEL": "warn"}


def command(data, *words):
    """Runs a command to its end and gives its output."""
    done = subprocess.run(
        [BINARY, *words, "--data", data], env=environment(), stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


class Server:
    """A running server; `with` ends it."""

    def __init__(self, data, *words):
        self.begun = time.perf_counter()
        self.process = subprocess.Popen(
            [BINARY, "serve", "--data", data, "--listen", "127.0.0.1:0", *words],
            env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for line in self.process.stderr:
            if line.startswith("listening on http://"):
                self.address = line.strip().removeprefix("listening on http://")
                return
        raise SystemExit("the server ended before it listened")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.process.stderr.close()

    def request(self, method, path, key=None, body=None, headers=()):
        """One request on a connection of its own: status and JSON or text."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        sent = dict(headers)
        if key:
            sent["X-API-Key"] = key
        if body is not None:
            sent["Content-Type"] = "application/json"
        connection.request(method, path, body and json.dumps(body), sent)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def resident_kib(self):
        """Memory that is really there."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    def cpu_seconds(self):
        """User and system time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fdatasync_ms(folder, times=200):
    """The median time of a 4 KiB write that must reach the disk, beside the data that is measured."""
    path = Path(folder) / "sync-probe"
    taken = []
    with open(path, "wb", buffering=0) as file:
        for _ in range(times):
            begun = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - begun)
    path.unlink()
    return round(sorted(taken)[len(taken) // 2] * 1e3, 3)
