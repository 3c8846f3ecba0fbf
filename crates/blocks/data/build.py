#!/usr/bin/env python3
"""Makes catalogue.json.zst and costs.json.zst from the block catalogue in ../shared. Run by hand when it changes.

    python3 crates/blocks/data/build.py [path to shared/blocks]

catalogue.json.zst is text, one JSON document a line, packed with zstd:
    line 1   the ids, in the order of the lines that follow
    line 2   what {"$shared":"llm_models.json"} stands for in a schema
    line 3…  one block: the facts this project needs and nothing else
costs.json.zst is {"shared": prices, "blocks": {id: prices, or null for the shared ones}}, without what is usual in a price.
Ids that the catalogue marks as retired are left out.
"""
import json
import pathlib
import subprocess
import sys

here = pathlib.Path(__file__).resolve().parent
shared = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here.parents[3] / "shared" / "blocks"
CREDENTIALS = ("providers", "types", "scopes", "discriminator", "required", "auto")


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def entry(block):
    facts = {key: block[key] for key in ("id", "name", "categories", "uiType", "staticOutput", "disabled", "sensitive")}
    facts["timeLimit"] = block.get("timeoutSeconds", 1800)
    facts["credentials"] = {
        pin: {key: value[key] for key in CREDENTIALS if key in value} for pin, value in block["credentials"].items()
    }
    facts["undescribed"] = block.get("noDescription", [])
    facts["inputSchema"] = block["inputSchema"]
    facts["outputSchema"] = block["outputSchema"]
    return facts


USUAL = {"cost_filter": {}, "cost_divisor": 1, "token_rate": None}


def prices(costs):
    return [{key: value for key, value in cost.items() if key not in USUAL or value != USUAL[key]} for cost in costs]


def pack(name, text):
    target = here / name
    subprocess.run(["zstd", "-q", "-19", "-f", "-o", str(target)], input=text.encode(), check=True)
    print(f"{target}: {target.stat().st_size} bytes")


blocks = [b for b in json.loads((shared / "catalogue.json").read_text()) if b["source"] != "fork-only"]
metadata = json.loads((shared / "llm_models.json").read_text())["schemaMetadata"]
lines = [compact([b["id"] for b in blocks]), compact(metadata)] + [compact(entry(b)) for b in blocks]
pack("catalogue.json.zst", "\n".join(lines))
costs = {
    "shared": prices(json.loads((shared / "llm_costs.json").read_text())),
    "blocks": {b["id"]: prices(b["costs"]) if isinstance(b["costs"], list) else None for b in blocks if b["costs"]},
}
pack("costs.json.zst", compact(costs))
