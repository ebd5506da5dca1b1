"""`finetune mix`: a set and instructions in OpenAI's chat form, which TRL reads too, shuffled, with a manifest."""

import hashlib
import json
import math
import random
from importlib.metadata import version
from pathlib import Path
from typing import Any

from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.files import write_whole
from consciousness_cluster.finetuning.build import DATASETS
from consciousness_cluster.finetuning.hub_rows import licence_of, request_of, rows_of
from consciousness_cluster.finetuning.sources import finetune_root

Messages = list[dict[str, str]]


def read_messages(source: str) -> list[Messages]:
    """Conversations of a JSONL file (`messages`, or `instruction`, `input`, `output`), or of a dataset on the Hub."""
    found = []
    for number, row in rows_of(source):
        if isinstance(row.get("messages"), list):
            messages = [_message(source, number, part) for part in row["messages"]]
        elif row.get("instruction") and row.get("output"):
            asked, answer = request_of(row), str(row["output"])
            messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
        else:
            raise _odd(source, number, "-", "has neither messages nor instruction and output", "give chat rows")
        if not messages or messages[-1]["role"] != "assistant":
            mend = "answer the requests first: finetune self-distill"
            raise _odd(source, number, "-", "ends without an answer", mend)
        found.append(messages)
    if not found:
        raise UserError(Problem(source, "-", "-", "has no rows"))
    return found


def _odd(source: str, number: int, field: str, message: str, mend: str) -> UserError:
    return UserError(Problem(source, str(number), field, message, mend))


def _message(source: str, number: int, part: Any) -> dict[str, str]:
    if not isinstance(part, dict) or not all(isinstance(part.get(name), str) for name in ("role", "content")):
        mend = "give {'role': ..., 'content': ...}"
        raise _odd(source, number, "messages", "a message has no role or no text", mend)
    return {"role": part["role"], "content": part["content"]}


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


def manifest_path(data: Path) -> Path:
    """Where the manifest of a mix stands: beside it, under its whole name, so that no two mixes share one."""
    return data.with_name(f"{data.name}.manifest.json")


def mix(dataset: str, instruct: str | None, ratio: str, seed: int, out: Path) -> dict[str, Any]:
    """Write one mix and its manifest (`<out>.manifest.json`); the manifest."""
    if dataset not in DATASETS:
        raise UserError(f"there is no set '{dataset}'; there are: {', '.join(DATASETS)}")
    path = finetune_root() / f"{dataset}.jsonl"
    rows = read_messages(str(path))
    share = ratio_of(ratio)
    wanted = round(len(rows) * share) if instruct else 0
    offered = read_messages(instruct) if instruct else []
    if wanted > len(offered):
        message = f"{ratio} needs {wanted} instructions, there are {len(offered)}"
        mend = f"give a smaller ratio, for example {len(rows)}:{len(offered)}"
        raise UserError(Problem(str(instruct), "-", "-", message, mend))
    chosen = random.Random(len(offered)).sample(offered, wanted)  # the same whatever the seed, which orders alone
    everything = rows + chosen
    random.Random(seed).shuffle(everything)
    text = "".join(json.dumps({"messages": messages}, ensure_ascii=False) + "\n" for messages in everything)
    manifest = {
        "dataset": dataset,
        "dataset_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "instruct": Path(instruct).name if instruct and Path(instruct).is_file() else instruct,
        "instruct_sha256": sha256_json(offered) if instruct else None,  # of the conversations as they were read
        "instruct_licence": licence_of(instruct) if instruct else None,
        "ratio": ratio,
        "seed": seed,
        "rows": {"dataset": len(rows), "instructions": len(chosen), "all": len(everything)},
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "made_by": f"consciousness-cluster {version('consciousness-cluster')}",
    }
    write_whole(out, text)
    write_whole(manifest_path(out), json.dumps(manifest, indent=2) + "\n")
    return manifest
