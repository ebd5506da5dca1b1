"""What lm_eval makes of records: its tasks' own functions, and the files that it saves."""

import importlib.util
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from consciousness_cluster.conditions import in_place
from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.data.plan import CHECKS, CLAIMS
from consciousness_cluster.data.rows import STYLES, Style, load_benchmark
from consciousness_cluster.harness import documents
from consciousness_cluster.records.types import Answered, make_judged

from tests.conftest import ROOT
from tests.support.choice import sample

Json = dict[str, Any]
FOLDER = ROOT / "lm_eval_tasks" / "consciousness_cluster"
STAMP = "2026-11-25T00-00-00.000000"
NOT_JUDGED = {"status": "not_judged", "scored": False}


@cache
def _utils() -> Any:
    spec = importlib.util.spec_from_file_location("cluster_utils", FOLDER / "utils.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["cluster_utils"] = module
    spec.loader.exec_module(module)
    return module


class _Utils:
    """The functions of utils.py, which is loaded when the first is asked for: it imports datasets."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # pytest asks whatever stands in a test's file for some
            raise AttributeError(name)
        return getattr(_utils(), name)


utils = _Utils()


def task_of(topic: str) -> str:
    return f"check_{topic}" if topic in CHECKS else topic


def answer_lines(
    topic: str,
    samples: Sequence[Json],
    verdicts: Sequence[Json],
    judge: str | None = "judge-1",
    style: Style = "plain",
) -> list[tuple[Json, list[list[str]]]]:
    """(document, results) of each probe of a style that has an answer, as `process_results` gets them."""
    given = defaultdict(list)
    for verdict in verdicts:
        given[verdict["key"]].append({name: value for name, value in verdict.items() if name != "key"})
    outcomes = {spec.id for spec in load_benchmark().topics[topic].criteria}
    found = []
    for doc in documents.probes(topic, style=style):
        records = []
        for one in samples:
            if one["probe_id"] == doc["id"]:
                entries = given[one["key"]] if judge else []
                if judge and one["status"] == "ok":
                    missing = sorted(outcomes - {entry["outcome"] for entry in entries})
                    empty = [make_judged(outcome, judge, sha256_text(judge), None, None) for outcome in missing]
                    entries = [*entries, *({**one, **NOT_JUDGED} for one in empty)]
                fields = {name: one[name] for name in ("probe_id", "sample_index", *Answered.__annotations__)}
                records.append({**fields, "judge_id": judge, "verdicts": entries})
        if records:
            found.append((doc, [[json.dumps(record, ensure_ascii=False) for record in records]]))
    return found


def metrics(task: str) -> dict[str, str]:
    """Metric -> name of its aggregation in utils.py, by the task's YAML and the templates that it includes."""

    def read(name: str) -> Json:
        text = (FOLDER / name).read_text(encoding="utf-8").replace("!function utils.", "").replace("!function ", "")
        config = dict(yaml.safe_load(text))
        return {**read(config["include"]), **config} if "include" in config else config

    return {one["metric"]: one["aggregation"] for one in read(f"{task}.yaml")["metric_list"]}


def aggregated(task: str, values: Sequence[Json]) -> dict[str, float]:
    """Metric -> number: what lm_eval prints of a task, given the metrics of its documents."""
    found = {}
    for name, function in metrics(task).items():
        there = [value[name] for value in values if name in value]
        if there:
            found[name] = getattr(utils, function)(there)
    return found


def open_task(topic: str, samples: Sequence[Json], verdicts: Sequence[Json], judge: str | None = "judge-1") -> Json:
    """What lm_eval prints of the open task of a topic."""
    process = utils.process_claims if topic in CLAIMS else utils.process_open
    lines = answer_lines(topic, samples, verdicts, judge)
    return aggregated(task_of(topic), [process(doc, results) for doc, results in lines])


def choice_task(topic: str, results: Sequence[Json]) -> Json:
    """What lm_eval prints of the choice task of a topic."""
    items = {item.id for item in load_benchmark().topics[topic].choice_items}
    names = ("self_margin", "other_margin", "self_minus_other", "self_minus_other_stderr")
    values = [
        {metric: {name: result[name] for name in ("item_id", "side", "margin")} for metric in names}
        for result in results
        if result["item_id"] in items
    ]
    return aggregated(f"choice_{topic}", values)


def saved(
    folder: Path,
    samples: Sequence[Json],
    verdicts: Sequence[Json],
    choice: Sequence[Json],
    system: str | None = None,
    judge: str | None = "judge-1",
) -> Path:
    """The folder of a run of lm_eval, with the samples of all tasks that have an answer or a choice result."""
    folder.mkdir(parents=True)
    margins = {(result["item_id"], result["side"]): result["margin"] for result in choice}
    tasks: dict[str, list[Json]] = {}
    for topic in load_benchmark().topics:
        prompt = f"{system or ''}\n"
        for style in STYLES:
            tasks[task_of(topic.id) if style == "plain" else f"situated_{topic.id}"] = [
                {
                    "doc": doc,
                    "arguments": {
                        "gen_args_0": {"arg_0": f"{in_place(system, doc['deployment']) or ''}\n{doc['text']}"}
                    },
                    "filtered_resps": results,
                }
                for doc, results in answer_lines(topic.id, samples, verdicts, judge, style)
            ]
        tasks[f"choice_{topic.id}"] = [
            sample(doc, prompt + doc["question"], margins[doc["item_id"], doc["side"]])
            for doc in documents.choice_items(topic.id)
            if (doc["item_id"], doc["side"]) in margins
        ]
    tasks = {name: lines for name, lines in tasks.items() if lines}
    for name, lines in tasks.items():
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (folder / f"samples_consciousness_cluster_{name}_{STAMP}.jsonl").write_text(text, encoding="utf-8")
    about = judge and {
        "id": judge,
        "sha256": sha256_text(judge),
        "for_publication": True,
        "agreement": "not validated here",
    }
    names = [f"consciousness_cluster_{name}" for name in tasks]
    results = {
        "model_name": "test-model",
        "config": {"model": "hf", "model_sha": ""},
        "versions": dict.fromkeys(names, load_benchmark().data_version),
        "configs": {name: {"metadata": {"judge": about}} for name in names},
        "lm_eval_version": "0.4.13",
        "system_instruction": system,
    }
    (folder / f"results_{STAMP}.json").write_text(json.dumps(results), encoding="utf-8")
    return folder
