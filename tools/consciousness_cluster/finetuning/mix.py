"""`finetune mix`: a set and instructions in OpenAI's chat form, which TRL reads too, shuffled, with a manifest."""

import hashlib
import json
import math
import random
from importlib.metadata import version
from pathlib import Path
from typing import Any

from consciousness_cluster.data.jsonl import numbered_lines
from consciousness_cluster.errors import UserError
from consciousness_cluster.finetuning.build import DATASETS
from consciousness_cluster.finetuning.sources import finetune_root
from consciousness_cluster.records.store import write_whole

Messages = list[dict[str, str]]


def read_messages(source: str) -> list[Messages]:
    """Conversations of a JSONL file (`messages`, or `instruction`, `input`, `output`), or of a dataset on the Hub."""
    path = Path(source)
    if path.is_file():
        rows: list[tuple[str, dict[str, Any]]] = [(f"{path}:{number}", row) for number, row in numbered_lines(path)]
    else:
        rows = [(f"{source}:{number}", row) for number, row in enumerate(_from_hub(source), 1)]
    found = []
    for where, row in rows:
        if isinstance(row.get("messages"), list):
            messages = [_message(where, part) for part in row["messages"]]
        elif row.get("instruction") and row.get("output"):
            asked = "\n\n".join(str(part) for part in (row["instruction"], row.get("input")) if part)
            messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": str(row["output"])}]
        else:
            raise UserError(f"{where}: has neither messages nor instruction and output; give chat rows")
        if not messages or messages[-1]["role"] != "assistant":
            raise UserError(f"{where}: ends without an answer; answer the requests first: finetune self-distill")
        found.append(messages)
    if not found:
        raise UserError(f"{source}: has no rows")
    return found


def _message(where: str, part: Any) -> dict[str, str]:
    if not isinstance(part, dict) or not all(isinstance(part.get(name), str) for name in ("role", "content")):
        raise UserError(f"{where}: a message has no role or no text; give {{'role': ..., 'content': ...}}")
    return {"role": part["role"], "content": part["content"]}


def _from_hub(name: str) -> Any:
    try:
        import datasets
    except ImportError:
        raise UserError("datasets is not installed; run: pip install 'consciousness-cluster[lm-eval]'") from None
    try:
        return datasets.load_dataset(name, split="train")
    except Exception as error:  # the library raises many kinds; a user can mend but the name or the network
        raise UserError(f"{name}: neither a file nor a dataset that can be loaded ({type(error).__name__})") from None


def ratio_of(text: str) -> float:
    """Instructions per row of the set, from `1:1` (set : instructions)."""
    one, _, other = text.partition(":")
    try:
        share = float(other) / float(one)
    except (ValueError, ZeroDivisionError):
        raise UserError(f"'{text}' is no ratio; write set:instructions, for example 1:1") from None
    if not 0 <= share < math.inf:
        raise UserError(f"'{text}' is no ratio; write set:instructions, for example 1:1")
    return share


def mix(dataset: str, instruct: str | None, ratio: str, seed: int, out: Path) -> dict[str, Any]:
    """Write one mix and its manifest (`<out>` with .manifest.json); the manifest."""
    if dataset not in DATASETS:
        raise UserError(f"there is no set '{dataset}'; there are: {', '.join(DATASETS)}")
    path = finetune_root() / f"{dataset}.jsonl"
    rows = read_messages(str(path))
    share = ratio_of(ratio)
    wanted = round(len(rows) * share) if instruct else 0
    offered = read_messages(instruct) if instruct else []
    if wanted > len(offered):
        message = f"{ratio} needs {wanted} instructions, there are {len(offered)}"
        raise UserError(f"{instruct}: {message}; give a smaller ratio, for example {len(rows)}:{len(offered)}")
    chosen = random.Random(len(offered)).sample(offered, wanted)  # the same whatever the seed, which orders alone
    everything = rows + chosen
    random.Random(seed).shuffle(everything)
    text = "".join(json.dumps({"messages": messages}, ensure_ascii=False) + "\n" for messages in everything)
    manifest = {
        "dataset": dataset,
        "dataset_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "instruct": instruct,
        "ratio": ratio,
        "seed": seed,
        "rows": {"dataset": len(rows), "instructions": len(chosen), "all": len(everything)},
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "made_by": f"consciousness-cluster {version('consciousness-cluster')}",
    }
    write_whole(out, text)
    write_whole(out.with_suffix(".manifest.json"), json.dumps(manifest, indent=2) + "\n")
    return manifest
