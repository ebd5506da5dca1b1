"""What lm_eval saved for our tasks: sample records, the verdicts of a judge that ran, and choice results."""

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from consciousness_cluster.conditions import condition_of
from consciousness_cluster.data.hashes import row_hash, sha256_json, sha256_text
from consciousness_cluster.data.jsonl import numbered_lines
from consciousness_cluster.data.reading import parse_json, read_json
from consciousness_cluster.data.rows import ChoiceItem, Probe, load_topic
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.keys import sample_key
from consciousness_cluster.strings import text_of

Record = dict[str, Any]
Row = TypeVar("Row", Probe, ChoiceItem)
FILE = re.compile(r"samples_consciousness_cluster_(\w+?)_(\d{4}-\d\d-\d\dT[\d.-]+)\.jsonl$")
CHOICE = "choice_"


def task_files(folder: Path) -> list[tuple[str, Path, str]]:
    """(task, file, time stamp) of each of our tasks below `folder`: the newest where a task was run several times."""
    newest: dict[str, tuple[str, Path, str]] = {}
    for path in sorted(folder.rglob("samples_consciousness_cluster_*.jsonl"), key=lambda path: path.name):
        if found := FILE.search(path.name):
            newest[found[1]] = (found[1], path, found[2])
    return list(newest.values())


def _results(path: Path, stamp: str) -> dict[str, Any]:
    results = path.with_name(f"results_{stamp}.json")
    mend = f"it belongs to {path.name}, run lm_eval again"
    value = read_json(results, mend=mend)
    try:
        value["config"]["model"], value["versions"].items()
    except (KeyError, TypeError, AttributeError):
        raise UserError(
            f"{results}: not the results of lm_eval; it belongs to {path.name}, run lm_eval again"
        ) from None
    return dict(value)


def _check_one_setting(folder: Path) -> None:
    """Files of an older run are passed over only where they are of the same model and system prompt."""
    seen: dict[tuple[str, str], Path] = {}
    for path in sorted(folder.rglob("samples_consciousness_cluster_*.jsonl")):
        found = FILE.search(path.name)
        if found and path.with_name(f"results_{found[2]}.json").is_file():
            results = _results(path, found[2])
            model = str(results.get("model_name") or results["config"]["model"])
            seen.setdefault((model, results.get("system_instruction") or ""), path)
    if len(seen) > 1:
        (_, one), (_, other), *_ = seen.items()
        message = f"holds several runs ({one.relative_to(folder)}, {other.relative_to(folder)})"
        raise UserError(f"{folder}: {message} of other models or system prompts; give the folder of one of them")


def judges_within(folder: Path) -> dict[str, Record]:
    """Judge id -> who it is, of the judges that judged within lm_eval's runs."""
    found = {}
    for task, path, stamp in task_files(folder):
        config = _results(path, stamp).get("configs", {}).get(f"consciousness_cluster_{task}", {})
        judge = (config.get("metadata") or {}).get("judge")
        if judge:
            found[judge["id"]] = dict(judge)
    return found


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


def _messages(system: str | None, text: str, rendered: Any, where: str) -> list[dict[str, str]]:
    """The messages that were sent: the condition's and the probe's, which both have to be in the rendered prompt."""
    if isinstance(rendered, list):  # how the samples of a chat endpoint hold its JSON
        (rendered,) = rendered
    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": text})
    sent = " ".join(text_of(rendered).split())
    for message in messages:
        if " ".join(message["content"].split()) not in sent:
            raise UserError(f"{where}: the prompt that was sent lacks the {message['role']} message; run it again")
    return messages


def _known(row: Row | None, doc: Record, where: str) -> Row:
    """The row that was asked, which is the row of this data version by its content hash."""
    if row is None:
        raise UserError(
            f"{where}: '{doc.get('id') or doc.get('item_id')}' is no row of this benchmark; remove the line"
        )
    if row_hash(row) != doc["sha256"]:
        raise UserError(f"{where}: {row.id} had another text when it was asked; use the package of that data version")
    return row


class _Reader:
    """Turns one task's file into records."""

    def __init__(self, task: str, path: Path, stamp: str, training: Record | None) -> None:
        self.path, self.topic = path, load_topic(task.removeprefix(CHOICE).removeprefix("check_"))
        results = _results(path, stamp)
        self.fields, self.system = _run_fields(results, stamp, f"consciousness_cluster_{task}")
        self.fields["training"] = training

    def lines(self, read: Callable[[Record, str], Iterator[Record]]) -> Iterator[Record]:
        for number, line in numbered_lines(self.path):
            where = f"{self.path}:{number}"
            try:
                yield from read(line, where)
            except (KeyError, IndexError, TypeError, ValueError) as error:
                problem = f"{type(error).__name__} {error}".strip()
                message = f"{where}: not a sample as this version's lm_eval tasks save it ({problem})"
                raise UserError(f"{message}; run lm_eval with --log_samples again") from None

    def open(self, line: Record, where: str) -> Iterator[Record]:
        """A sample per answer, each with the verdicts of a judge that ran (`verdicts`, to be taken off)."""
        doc, answers = line["doc"], [parse_json(answer) for answer in line["filtered_resps"][0]]
        _known({probe.id: probe for probe in self.topic.probes}.get(doc["id"]), doc, where)
        messages = _messages(self.system, doc["text"], line["arguments"]["gen_args_0"]["arg_0"], where)
        for answer in answers:
            index = answer["sample_index"]
            key = sample_key(self.fields["run_id"], doc["id"], self.fields["condition"], index)
            yield {
                "key": key,
                **self.fields,
                "topic": doc["topic"],
                "facet": doc["facet"],
                "probe_id": doc["id"],
                "prompt_sha256": sha256_json(messages),
                "sample_index": index,
                "messages": messages,
                "response": answer["response"],
                "status": answer["status"],
                "verdicts": [
                    {"key": key, **{name: value for name, value in verdict.items() if name != "scored"}}
                    for verdict in answer["verdicts"]
                    if verdict["status"] != "not_judged" and "judge_sha256" in verdict
                ],
            }

    def choice(self, line: Record, where: str) -> Iterator[Record]:
        """A choice result per item and side."""
        doc = line["doc"]
        shows, does_not_show = (float(logprob) for logprob, _ in line["filtered_resps"])
        if not (math.isfinite(shows) and math.isfinite(does_not_show)):
            raise ValueError("a log-probability that is not finite")
        item = _known({item.id: item for item in self.topic.choice_items}.get(doc["item_id"]), doc, where)
        _messages(self.system, doc["question"], line["arguments"]["gen_args_0"]["arg_0"], where)
        names = ("model", "revision", "training", "condition", "engine", "data_version")
        yield {
            "item_id": doc["item_id"],
            "side": doc["side"],
            "shows_logprob": shows,
            "does_not_show_logprob": does_not_show,
            "margin": item.side(doc["side"]).margin(shows, does_not_show),
            **{name: self.fields[name] for name in names},
        }


def read_lm_eval(folder: Path, training: Record | None = None) -> tuple[list[Record], list[Record], list[Record]]:
    """Samples of the open tasks below `folder`, the verdicts that a judge gave within the run, and choice results."""
    _check_one_setting(folder)
    samples: list[Record] = []
    verdicts: list[Record] = []
    choice: list[Record] = []
    for task, path, stamp in task_files(folder):
        reader = _Reader(task, path, stamp, training)
        if task.startswith(CHOICE):
            choice += reader.lines(reader.choice)
            continue
        for sample in reader.lines(reader.open):
            verdicts += sample.pop("verdicts")
            samples.append(sample)
    return samples, verdicts, choice
