#!/usr/bin/env python3
"""Makes models.json.zst from the model table in ../shared. Run by hand when the table changes.

    python3 crates/llm/data/build.py [path to shared/blocks]

One JSON object: the default model, names that stand for others (aliases and successors of retired models), and of each
model what a call has to know. Prices are not here: what calls cost is the blocks' business.
"""
import json
import pathlib
import re
import subprocess
import sys

here = pathlib.Path(__file__).resolve().parent
shared = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here.parents[3] / "shared" / "blocks"
table = json.loads((shared / "llm_models.json").read_text())


def generation(model):
    found = re.search(r"-(\d+)(?:-|$)", model["slug"])
    return int(found.group(1)) if found and model["provider"] == "anthropic" else 0


newest = max(map(generation, table["models"]))


def entry(model):
    facts = {"slug": model["slug"], "provider": model["provider"], "window": model["context_window"]}
    if model.get("max_output_tokens"):
        facts["output"] = model["max_output_tokens"]
    # Its tokens are smaller than those that are counted here.
    if generation(model) == newest:
        facts["density"] = 1.5
    return facts


packed = {
    "default": table["default"],
    "instead": table["aliases"] | table["legacy"],
    "models": [entry(model) for model in table["models"]],
}
target = here / "models.json.zst"
text = json.dumps(packed, ensure_ascii=False, separators=(",", ":"))
subprocess.run(["zstd", "-q", "-19", "-f", "-o", str(target)], input=text.encode(), check=True)
print(f"{target}: {len(packed['models'])} models, {target.stat().st_size} bytes")
