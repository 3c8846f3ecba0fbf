#!/usr/bin/env python3
"""Line coverage of External API v1: its routes and all that a request for one of them goes through in this crate.

Needs cargo-tarpaulin (`cargo install cargo-tarpaulin`). Says the share of each part and which lines were not run; fails
when less than 95 % of the routes, or of all parts together, were run. Only the contract suite counts, which speaks HTTP:
the crate's unit tests are not asked. An argument names another folder for the build.
"""

import json
import os
import subprocess
import sys

LEAST = 0.95
PARTS = ["routes", "wire", "input", "validate", "json", "auth", "body", "call", "error", "ending"]
ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../.."))


def report(folder):
    command = [
        "cargo", "tarpaulin", "--engine", "llvm", "--skip-clean", "--target-dir", folder, "--package", "heddle-api",
        "--test", "contract", "--include-files", "crates/api/src/*", "--out", "Json", "--output-dir", folder,
        "--timeout", "600",
    ]
    subprocess.run(command, cwd=ROOT, check=True)
    with open(os.path.join(folder, "tarpaulin-report.json"), encoding="utf-8") as file:
        return json.load(file)["files"]


def parts(files):
    """Of each part: lines that were run, all lines, and where those are that were not."""
    found = {part: [0, 0, []] for part in PARTS}
    for file in files:
        path = "/".join(file["path"])
        name = path.split("crates/api/src/")[-1]
        part = name.split("/")[0].removesuffix(".rs")
        if part not in found or not file["coverable"]:
            continue
        found[part][0] += file["covered"]
        found[part][1] += file["coverable"]
        found[part][2] += [f"{name}:{line['line']}" for line in file["traces"] if not line["stats"].get("Line")]
    return found


def main():
    folder = os.path.realpath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "target/coverage"))
    os.makedirs(folder, exist_ok=True)
    found = parts(report(folder))
    for part, (run, lines, missing) in found.items():
        print(f"{part:10} {run:4} of {lines:4}  {100 * run / lines:5.1f} %  {' '.join(missing)}")
    run, lines = (sum(part[at] for part in found.values()) for at in (0, 1))
    print(f"{'all':10} {run:4} of {lines:4}  {100 * run / lines:5.1f} %")
    routes = found["routes"]
    if min(run / lines, routes[0] / routes[1]) < LEAST:
        sys.exit(f"less than {LEAST:.0%} was run")


if __name__ == "__main__":
    main()
