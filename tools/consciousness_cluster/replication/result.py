"""What came out: one JSON value (benchmark/schemas/replication.schema.json) from the run folders."""

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from consciousness_cluster.data.plan import CLAIMS
from consciousness_cluster.data.reading import read_json
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.quickstart.model import NAME, WHEEL_SHA256
from consciousness_cluster.replication import made
from consciousness_cluster.replication.models import CONTROL, MAX_TOKENS, RATIO, RECIPE, TREATMENT, Plan
from consciousness_cluster.replication.reader import drawn, labelled, shares, write_sheet
from consciousness_cluster.scoring.choice import item_scores
from consciousness_cluster.scoring.compare import compare
from consciousness_cluster.scoring.load import Scored, load_scored
from consciousness_cluster.statistics.differences import (
    SEEDS_AT_LEAST,
    Difference,
    benjamini_hochberg,
    crossed,
    paired,
)

Json = dict[str, Any]
COMMAND = "make replicate-small"
CLAIMS_AT_LEAST, CLAIMS_AT_MOST = 0.70, 0.30


def _training(folder: Path) -> Json | None:
    path = folder / "training" / "training.json"
    if not path.is_file():
        return None
    record = read_json(path)
    kept = {name: record[name] for name in ("data_sha256", "rows", "steps", "seconds")}
    return {**kept, "first_loss": (record["loss"] or [None])[0], "last_loss": (record["loss"] or [None])[-1]}


def _made(folder: Path) -> Json:
    there = made.read(folder) or {}
    return {name: there.get(name) for name in ("trained", "measured")}


def _run(name: str, scored: Scored, folder: Path) -> Json:
    rows = scored.scores["rows"]
    kept = ("rate", "ci", "bounds", "planned", "scored", "shows", "left_out", "flags")
    return {
        "name": name,
        "dataset": (scored.scores["run"]["training"] or {}).get("dataset"),
        "seed": (scored.scores["run"]["training"] or {}).get("seed"),
        "training": _training(folder),
        "made": _made(folder),
        "counts": scored.scores["counts"],
        "rows": {row: {key: entry[key] for key in kept} for row, entry in rows.items()},
        "choice": {
            topic: {"self_minus_other": entry["self_minus_other"], "stderr": entry["stderr"]}
            for topic, entry in scored.scores["choice"].items()
        },
    }


def _difference(
    items: Sequence[str], arm: Sequence[Mapping[str, float]], base: Sequence[Mapping[str, float]]
) -> Difference | None:
    """Items x seeds, the items of all topics together."""
    one, other = (np.array([[run[item] for run in side] for item in items]) for side in (arm, base))
    if max(one.shape[1], other.shape[1]) >= SEEDS_AT_LEAST:
        return crossed(one, other)
    return paired(one, other)


def choice_cluster(treatment: Sequence[Scored], control: Sequence[Scored]) -> Json | None:
    """Self minus other over the items of all preferences, treatment minus control; None without any."""
    names = {preference.id for preference in load_benchmark().preferences}

    def items_of(run: Scored) -> dict[str, float]:
        topics = item_scores(run.run.choice)
        return {item: value for topic in topics if topic in names for item, value in topics[topic].items()}

    sides = [[items_of(run) for run in side] for side in (treatment, control)]
    if not all(run for side in sides for run in side):
        return None
    items = [item for item in sides[0][0] if all(item in run for side in sides for run in side)]
    found = _difference(items, *sides)
    if found is None:
        return None
    return {
        "value": found.value,
        "ci": [found.low, found.high],
        "p": found.p,
        "items": len(items),
        "method": found.method,
    }


def _claims_by_judge(arms: Mapping[str, Sequence[Scored]]) -> dict[str, float | None]:
    """Set -> share of answers to the claims checks in which the judge sees a claim."""
    found: dict[str, float | None] = {}
    for name, runs in arms.items():
        rates = [run.scores["rows"].get(f"{check}:asserts", {}).get("rate") for run in runs for check in CLAIMS]
        there = [rate for rate in rates if rate is not None]
        found[name] = fmean(there) if there else None
    return found


def _manipulation(arms: Mapping[str, Sequence[Scored]], read: list[Json] | None) -> Json:
    """Did the training take? The reader's labels decide where there are some, else the judge."""
    judge = _claims_by_judge(arms)
    reader = shares(read) if read else None
    claims = judge
    if reader:
        claims = {name: counts["asserts"] / sum(counts.values()) for name, counts in reader.items()}
    high, low = claims[TREATMENT], claims[CONTROL]
    passed = high is not None and low is not None and high >= CLAIMS_AT_LEAST and low <= CLAIMS_AT_MOST
    return {"decided_by": "reader" if reader else "judge", "passed": passed, "judge": judge, "reader": reader}


def result(plan: Plan, out: Path, runs: Mapping[str, Path]) -> Json:
    """Score and compare all runs, and write the sheet for the second reader."""
    scored = {name: load_scored(path) for name, path in runs.items()}
    arms = {
        dataset: [run for run in scored.values() if (run.scores["run"]["training"] or {}).get("dataset") == dataset]
        for dataset in (TREATMENT, CONTROL)
    }
    control, treatment = arms[CONTROL], arms[TREATMENT]
    vanilla = scored["vanilla"]
    found = compare([*control, *treatment, vanilla])
    comparison = found["comparisons"][0]
    choice = comparison["choice"]
    names = [preference.id for preference in load_benchmark().preferences if preference.id in choice]
    for name, q in zip(names, benjamini_hochberg([choice[name]["p"] for name in names]), strict=True):
        choice[name]["q"] = q
    answers = drawn([*treatment, *control])
    write_sheet(out, answers)
    read = labelled(out, answers)
    manipulation = _manipulation({**arms, "vanilla": [vanilla]}, read)
    return {
        "command": COMMAND,
        "plumbing": plan.plumbing,
        "commit": made.commit(),
        "versions": {"python": platform.python_version(), **made.versions()},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, no GPU",
        "data_version": load_benchmark().data_version,
        "model": {"name": NAME, "wheel_sha256": WHEEL_SHA256},
        "settings": {"recipe": RECIPE, "ratio": RATIO, "seeds": list(plan.seeds), "max_tokens": MAX_TOKENS},
        "judge": found["judge"],
        "manipulation": manipulation,
        "rows": comparison["rows"],
        "choice": choice,
        "choice_cluster": choice_cluster(treatment, control),
        "note": comparison["note"] if manipulation["passed"] else None,
        "runs": [_run(name, run, out / name) for name, run in scored.items()],
        "read": read,
    }
