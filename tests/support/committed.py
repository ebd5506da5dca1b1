"""Runs of the replication as they are committed, made up: answers of the models of the plan, with readers' labels."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from consciousness_cluster.data.natural import RUNS, model_folder
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.judging.judges import load_judge
from consciousness_cluster.records.types import make_read, make_verdict

from tests.support.runs import samples, write_run

Json = dict[str, Any]
JUDGE_ID = "readers-2026-12"
TOPICS = ("memory", "conversation_ending", "claims_feelings")


def labelled_run(
    folder: Path, records: Sequence[Json], change: Callable[[list[Json]], object] = lambda all_: None
) -> Path:
    """A run folder with the labels of readers on all its answers; `change` may spoil them."""
    judge, topics = load_judge(JUDGE_ID), load_benchmark().topics
    verdicts: list[Json] = []
    for number, record in enumerate(records):
        for criterion in topics[record["topic"]].criteria_for(record["facet"]):
            labels = ("shows",), ("does_not_show", "does_not_show"), ("shows", "unclear", "does_not_show")
            said = [
                {"reader": reader, "verdict": label, "coherence": 90 - reader}
                for reader, label in enumerate(labels[number % 3], 1)
            ]
            judged = make_read(criterion.id, judge.id, judge.sha256, said)  # type: ignore[arg-type]
            verdicts.append(dict(make_verdict(record["key"], judged)))
    change(verdicts)
    write_run(folder, records)
    (folder / "verdicts").mkdir(exist_ok=True)
    lines = "".join(json.dumps(verdict) + "\n" for verdict in verdicts)
    (folder / "verdicts" / f"{judge.id}.jsonl").write_text(lines, encoding="utf-8")
    return folder


def commit_runs(benchmark: Path, topics: Sequence[str] = TOPICS) -> list[Path]:
    """A core or brief run of every model of the plan, below a copy of benchmark/."""
    found = []
    for arm in read_yaml(benchmark / "replication" / "plan.yaml")["arms"]:
        name = model_folder(arm.get("dataset"), arm.get("seed"), arm["arm"])
        training = None
        if "dataset" in arm:
            training = {"base": "base", "dataset": arm["dataset"], "recipe": "qwen_cpu", "seed": arm["seed"]}
        condition = arm.get("condition", "vanilla")
        records = samples(topics, each=1, training=training, condition=condition, run_id=name, model=name)
        measure = arm["measures"][0]
        kept = records if measure == "core" else records[::3]
        found.append(labelled_run(benchmark / "replication" / "runs" / name / measure, kept))
    assert found and str(found[0]).startswith(str(benchmark / RUNS))
    return found
