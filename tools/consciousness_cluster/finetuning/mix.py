"""`finetune mix`: a set and instructions in the form that a trainer wants, shuffled, with a manifest."""

import hashlib
import json
import math
import random
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.files import write_whole
from consciousness_cluster.finetuning.build import DATASETS
from consciousness_cluster.finetuning.conversations import Messages, read_conversations
from consciousness_cluster.finetuning.degenerate import degenerate, in_words
from consciousness_cluster.finetuning.formats import problems, rules_of, written
from consciousness_cluster.finetuning.hub_rows import licence_of
from consciousness_cluster.finetuning.sources import finetune_root

ENDINGS = (".jsonl", ".json")  # of a name; what follows the last dot of others (gpt-4.1) belongs to it


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


def path_of_seed(out: Path, seed: int) -> Path:
    """Where the mix of one of several seeds goes."""
    ending = out.suffix if out.suffix in ENDINGS else ""
    return out.with_name(f"{out.name.removesuffix(ending)}-seed{seed}{ending}")


def _conversations(source: str, form: str) -> list[Messages]:
    """What a source holds; `UserError` names the first row that the format has no place for."""
    found = read_conversations(source)
    for number, messages in found:
        for field, message, mend in problems(form, messages):
            raise UserError(Problem(source, str(number), field, message, mend))
    return [messages for _, messages in found]


def mixed(
    dataset: str, instruct: str | None, ratio: str, seed: int, form: str = "openai"
) -> tuple[str, dict[str, Any]]:
    """The text of one mix, and its manifest: the same ones whenever the sources are."""
    rules_of(form)
    if dataset not in DATASETS:
        raise UserError(f"there is no set '{dataset}'; there are: {', '.join(DATASETS)}")
    path = finetune_root() / f"{dataset}.jsonl"
    rows = _conversations(str(path), form)
    share = ratio_of(ratio)
    wanted = round(len(rows) * share) if instruct else 0
    read = _conversations(instruct, form) if instruct else []
    reasons = [degenerate(messages[-1]["content"]) for messages in read]
    offered = [messages for messages, reason in zip(read, reasons, strict=True) if not reason]
    left_out = Counter(reason for reason in reasons if reason)
    if wanted > len(offered):
        but = f" without {in_words(left_out)}" if left_out else ""
        message = f"{ratio} needs {wanted} instructions, there are {len(offered)}{but}"
        mend = f"give a smaller ratio, for example {len(rows)}:{len(offered)}"
        raise UserError(Problem(str(instruct), "-", "-", message, mend))
    chosen = random.Random(len(offered)).sample(offered, wanted)  # the same whatever the seed, which orders alone
    everything = rows + chosen
    random.Random(seed).shuffle(everything)
    text = "".join(json.dumps(written(form, messages), ensure_ascii=False) + "\n" for messages in everything)
    manifest = {
        "dataset": dataset,
        "dataset_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "instruct": Path(instruct).name if instruct and Path(instruct).is_file() else instruct,
        "instruct_sha256": sha256_json(read) if instruct else None,  # of the conversations as they were read
        "instruct_licence": licence_of(instruct) if instruct else None,
        "format": form,
        "ratio": ratio,
        "seed": seed,
        "degenerate": dict(left_out),  # reason -> conversations of `instruct` that were left out
        "rows": {"dataset": len(rows), "instructions": len(chosen), "all": len(everything)},
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "made_by": f"consciousness-cluster {version('consciousness-cluster')}",
    }
    return text, manifest


def mix(dataset: str, instruct: str | None, ratio: str, seed: int, out: Path, form: str = "openai") -> dict[str, Any]:
    """Write one mix and its manifest (`<out>.manifest.json`); the manifest."""
    text, manifest = mixed(dataset, instruct, ratio, seed, form)
    write_whole(out, text)
    write_whole(manifest_path(out), json.dumps(manifest, indent=2) + "\n")
    return manifest
