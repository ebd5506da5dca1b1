"""What lm_eval saved for our open tasks, as sample records (and, where a judge ran, its verdicts)."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from consciousness_cluster.conditions import condition_of
from consciousness_cluster.data.hashes import sha256_json, sha256_text
from consciousness_cluster.data.jsonl import numbered_lines
from consciousness_cluster.errors import UserError
from consciousness_cluster.harness.prompts import text_of
from consciousness_cluster.records.keys import sample_key

Record = dict[str, Any]
FILE = re.compile(r"samples_consciousness_cluster_(?!choice_)(\w+?)_(\d{4}-\d\d-\d\dT[\d.-]+)\.jsonl$")


def open_files(folder: Path) -> list[tuple[Path, str]]:
    """(file, time stamp) of each open task below `folder`: the newest one where a task was run several times."""
    newest: dict[str, tuple[Path, str]] = {}
    for path in sorted(folder.rglob("samples_consciousness_cluster_*.jsonl"), key=lambda path: path.name):
        if found := FILE.search(path.name):
            newest[found[1]] = (path, found[2])
    return list(newest.values())


def _results(path: Path, stamp: str) -> dict[str, Any]:
    results = path.with_name(f"results_{stamp}.json")
    try:
        value = json.loads(results.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(f"{results}: missing or cut off; it belongs to {path.name}, run lm_eval again") from None
    return dict(value)


def _run_fields(results: dict[str, Any], stamp: str, task: str) -> tuple[Record, str | None]:
    system = results.get("system_instruction") or None
    condition = condition_of(system)
    model = str(results.get("model_name") or results["config"]["model"])
    versions = {str(results["versions"][name]) for name in results["versions"] if name == task}
    config = results["config"]
    fields = {
        "run_id": f"{model} {condition} {stamp}",
        "model": model,
        "revision": config.get("model_sha") or None,
        "training": None,
        "condition": condition,
        "system_prompt_sha256": sha256_text(system) if system else None,
        "finish_reason": None,
        "usage": None,
        "engine": f"lm-eval {results.get('lm_eval_version', '')} {config['model']}".replace("  ", " "),
        "data_version": versions.pop() if versions else "0.0.0",
    }
    return fields, system


def _messages(system: str | None, line: Record, where: str) -> list[dict[str, str]]:
    """The messages that were sent: the condition's and the probe's, which both have to be in the rendered prompt."""
    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": line["doc"]["text"]})
    sent = " ".join(text_of(line["arguments"]["gen_args_0"]["arg_0"]).split())
    for message in messages:
        if " ".join(message["content"].split()) not in sent:
            raise UserError(f"{where}: the prompt that was sent lacks the {message['role']} message; run it again")
    return messages


def _records(path: Path, stamp: str) -> Iterator[tuple[Record, list[Record]]]:
    results = _results(path, stamp)
    fields, system = _run_fields(results, stamp, path.name.removeprefix("samples_").removesuffix(f"_{stamp}.jsonl"))
    for number, line in numbered_lines(path):
        where = f"{path}:{number}"
        try:
            doc, answers = line["doc"], [json.loads(answer) for answer in line["filtered_resps"][0]]
            messages = _messages(system, line, where)
            for answer in answers:
                index = answer["sample_index"]
                sample = {
                    "key": sample_key(fields["run_id"], doc["id"], fields["condition"], index),
                    **fields,
                    "preference": doc["topic"],
                    "facet": doc["facet"] or None,
                    "probe_id": doc["id"],
                    "prompt_sha256": sha256_json(messages),
                    "sample_index": index,
                    "messages": messages,
                    "response": answer["response"],
                    "status": answer["status"],
                }
                verdicts = [
                    {"key": sample["key"], **{name: value for name, value in verdict.items() if name != "scored"}}
                    for verdict in answer["verdicts"]
                    if verdict["status"] != "not_judged" and "judge_sha256" in verdict
                ]
                yield sample, verdicts
        except (KeyError, TypeError, ValueError) as error:
            problem = f"{type(error).__name__} {error}".strip()
            message = f"{where}: not a sample of an open task as this version's lm_eval tasks save it ({problem})"
            raise UserError(f"{message}; run lm_eval with --log_samples again") from None


def read_lm_eval(folder: Path) -> tuple[list[Record], list[Record]]:
    """All samples of the open tasks below `folder`, and the verdicts that a judge gave within the run."""
    samples: list[Record] = []
    verdicts: list[Record] = []
    for path, stamp in open_files(folder):
        for sample, judged in _records(path, stamp):
            samples.append(sample)
            verdicts += judged
    return samples, verdicts
