"""A server to measure: started on a folder of its own, and what the system knows about it."""

import http.client
import json
import os
import pwd
import re
import signal
import subprocess
import threading
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


class Postgres:
    """A PostgreSQL of our own that keeps what it commits, as it would for real; `with` ends it.

    Its programs come from the newest installation. It does not run as root, so root lends it a user."""

    def __init__(self, folder):
        self.programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        self.folder = Path(folder) / "postgres"
        self.folder.mkdir(mode=0o755)
        self.lent = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            self.lent = {"user": user.pw_uid, "group": user.pw_gid}
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            # The way to it belongs to root, who alone may enter a new temporary folder.
            Path(folder).chmod(0o755)
        self.run("initdb", "--auth=trust", "--username=heddle", "--encoding=UTF8", "--locale=C", "-D", "data")
        settings = f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\nshared_buffers = 256MB\n"
        (self.folder / "data" / "postgresql.auto.conf").write_text(settings)
        self.run("pg_ctl", "-D", "data", "-w", "-l", "log", "start")
        self.url = f"postgres:///postgres?user=heddle&host={self.folder}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.run("pg_ctl", "-D", "data", "-m", "fast", "stop")

    def run(self, program, *words):
        done = subprocess.run(
            [self.programs / program, *words], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=True, **self.lent,
        )
        return done.stdout

    def commits(self, connections, seconds=3):
        """What it commits by itself: rows of a frame's size, each in its own transaction."""
        script = self.folder / "commit.sql"
        script.write_text("INSERT INTO bench VALUES (decode(repeat('ab', 1500), 'hex'));\n")
        place = ("-h", self.folder, "-U", "heddle")
        self.run("psql", *place, "-q", "-c", "CREATE TABLE IF NOT EXISTS bench (body bytea)", "postgres")
        said = self.run("pgbench", *place, "-n", "-M", "prepared", "-c", str(connections), "-T", str(seconds), "-f",
                        script, "postgres")
        return {"commits_a_second": round(float(re.search(r"tps = ([0-9.]+)", said)[1])),
                "commit_ms": float(re.search(r"latency average = ([0-9.]+)", said)[1])}


def days_ago(days):
    """The environment of a server whose clock is late; `None` without Debian's faketime. Durations pass as ever."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    return library and {"LD_PRELOAD": str(library), "FAKETIME": f"-{days}d", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                        "NO_FAKE_STAT": "1"}


class Server:
    """A running server; `with` ends it."""

    def __init__(self, data, *words, more={}):
        self.begun = time.perf_counter()
        self.process = subprocess.Popen(
            [BINARY, "serve", "--data", data, "--listen", "127.0.0.1:0", *words],
            env=environment() | more, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
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
        return resident_kib(self.process)

    def cpu_seconds(self):
        return cpu_seconds(self.process)


def resident_kib(process):
    """Memory that is really there."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def cpu_seconds(process):
    """User and system time so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
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


def start_runs(server, path, key, count, node_input, connections=16):
    """Starts `count` runs over some connections at once, each with what `node_input` makes of its number there; their ids."""
    ids, failures = [], []

    def work(share):
        try:
            connection = http.client.HTTPConnection(server.address, timeout=60)
            headers = {"X-API-Key": key, "Content-Type": "application/json"}
            for number in range(share):
                connection.request("POST", path, json.dumps({"node_input": node_input(number)}), headers)
                answer = connection.getresponse()
                body = answer.read()
                assert answer.status == 200, body
                ids.append(json.loads(body)["id"])
        except Exception as failure:
            failures.append(failure)

    shares = [count // connections + (at < count % connections) for at in range(connections)]
    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return ids
