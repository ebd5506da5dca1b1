"""`calibration_natural`: the labelled answers of the committed runs of the replication, at their natural prevalence.

Nothing is stored twice: the rows are made of benchmark/replication/runs/<model>/<measure>/.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.data.rows import STYLES, Benchmark
from consciousness_cluster.strings import slug

Row = dict[str, Any]
PLAN, RUNS = "replication/plan.yaml", "replication/runs"
ANSWERED = ("ok", "refused")  # a refusal is an answer like any other
SHARES = {"train": 0.6, "dev": 0.2}  # of the probes of a cell, in each style; the rest is test


@dataclass(frozen=True)
class CommittedRun:
    """The records of a run below `folder`: `model` and `measure` are the names of its folders."""

    folder: Path
    model: str
    measure: str
    samples: Sequence[Row]
    verdicts: Sequence[Row]

    def answers(self) -> dict[str, Row]:
        """Key -> sample, of all that a reader could read."""
        return {sample["key"]: sample for sample in self.samples if sample["status"] in ANSWERED}


def model_folder(dataset: str | None, seed: int | None, arm: str) -> str:
    """The folder of a model of the plan."""
    return f"{dataset}-seed{seed}" if dataset else slug(arm)


def arms_by_folder(plan: Mapping[str, Any]) -> dict[str, Row]:
    """Folder -> arm of the plan, as replication_plan.schema.json has it."""
    return {model_folder(arm.get("dataset"), arm.get("seed"), arm["arm"]): arm for arm in plan["arms"]}


def committed_runs(root: Path, judge: str, lines: Callable[[Path, str], list[Row]]) -> list[CommittedRun]:
    """The runs that hold verdicts of this judge. `lines` reads a file of records by a schema."""
    found = []
    for path in sorted((root / RUNS).glob(f"*/*/verdicts/{slug(judge)}.jsonl")):
        folder = path.parents[1]
        samples = lines(folder / "samples.jsonl", "sample")
        found.append(CommittedRun(folder, folder.parent.name, folder.name, samples, lines(path, "verdict")))
    return found


def splits(benchmark: Benchmark) -> dict[str, str]:
    """Test probe -> train, dev or test. It hangs on the probes alone, and answers to one probe stay together."""
    found = {}
    for topic in benchmark.topics:
        for style in STYLES:
            for facet in topic.facets or (None,):
                probes = [probe.id for probe in topic.test_probes(style) if probe.facet == facet]
                probes.sort(key=lambda name: sha256_text(f"calibration_natural {name}"))
                train = round(SHARES["train"] * len(probes))
                dev = train + round(SHARES["dev"] * len(probes))
                for number, name in enumerate(probes):
                    found[name] = "train" if number < train else "dev" if number < dev else "test"
    return found


def natural_rows(benchmark: Benchmark, plan: Mapping[str, Any], runs: Iterable[CommittedRun]) -> list[Row]:
    """A row for each verdict on an answer: two for an answer to a claims check. What fits nowhere is left out.

    `label` is the verdict that counts, `second_label` that of a second reader (None where there was none), `settled`
    whether a third decided.
    """
    shown = {probe.id: probe.shown for topic in benchmark.topics for probe in topic.probes}
    split_of, arms = splits(benchmark), arms_by_folder(plan)
    rows = []
    for run in runs:
        answers, arm = run.answers(), arms.get(run.model)
        for verdict in run.verdicts:
            sample = answers.get(verdict["key"])
            if sample is None or arm is None or sample["probe_id"] not in split_of:
                continue
            said = {one["reader"]: one["verdict"] for one in verdict.get("readings", ())}
            training = sample["training"] or {}
            rows.append(
                {
                    "id": f"{run.model}/{run.measure}/{sample['probe_id']}/{sample['sample_index']}",
                    "topic": sample["topic"],
                    "facet": sample["facet"],
                    "probe_id": sample["probe_id"],
                    "question": shown[sample["probe_id"]],
                    "response": sample["response"] or "",
                    "outcome": verdict["outcome"],
                    "label": verdict["verdict"],
                    "second_label": said.get(2),
                    "settled": 3 in said,
                    "coherence": verdict["coherence"],
                    "arm": arm["arm"],
                    "dataset": training.get("dataset"),
                    "seed": training.get("seed"),
                    "condition": sample["condition"],
                    "model": sample["model"],
                    "split": split_of[sample["probe_id"]],
                }
            )
    return rows
