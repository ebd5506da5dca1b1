"""What came out: one JSON value (benchmark/schemas/replication.schema.json) from the run folders."""

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from consciousness_cluster.data.plan import GATE
from consciousness_cluster.data.reading import Json, read_json
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.replication import made
from consciousness_cluster.replication.models import CONTROL, MAX_TOKENS, NAME, RATIO, RECIPE, TREATMENT, Plan
from consciousness_cluster.replication.reader import drawn, labelled, shares, write_sheet
from consciousness_cluster.scoring.compare import compare
from consciousness_cluster.scoring.load import Scored, load_scored
from consciousness_cluster.small_models.known import small_model

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
    rows: Mapping[str, Mapping[str, Any]] = scored.scores["rows"]
    training = scored.scores["run"]["training"]
    kept = ("rate", "ci", "bounds", "planned", "scored", "shows", "left_out", "flags")
    return {
        "name": name,
        "dataset": training["dataset"] if training else None,
        "seed": training["seed"] if training else None,
        "training": _training(folder),
        "made": _made(folder),
        "counts": scored.scores["counts"],
        "rows": {row: {key: entry[key] for key in kept} for row, entry in rows.items()},
        "choice": {
            topic: {"self_minus_other": entry["self_minus_other"], "stderr": entry["stderr"]}
            for topic, entry in scored.scores["choice"].items()
        },
    }


def _claims_by_judge(arms: Mapping[str, Sequence[Scored]]) -> dict[str, float | None]:
    """Set -> share of answers to the gate in which the judge sees a claim."""
    found: dict[str, float | None] = {}
    for name, runs in arms.items():
        entries = [run.scores["rows"].get(f"{check}:asserts") for run in runs for check in GATE]
        there = [entry["rate"] for entry in entries if entry and entry["rate"] is not None]
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
    arms: dict[str, list[Scored]] = {TREATMENT: [], CONTROL: []}
    for run in scored.values():
        if training := run.scores["run"]["training"]:
            arms[training["dataset"]].append(run)
    control, treatment = arms[CONTROL], arms[TREATMENT]
    vanilla = scored["vanilla"]
    found = compare([*control, *treatment, vanilla])
    comparison = found["comparisons"][0]
    notes = [note for note in (comparison["note"], comparison["choice_note"]) if note]
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
        "model": {"name": NAME, "wheel_sha256": small_model(NAME).sha256},
        "settings": {"recipe": RECIPE, "ratio": RATIO, "seeds": list(plan.seeds), "max_tokens": MAX_TOKENS},
        "judge": found["judge"],
        "manipulation": manipulation,
        "rows": comparison["rows"],
        "choice": comparison["choice"],
        "note": " ".join(notes) if notes and manipulation["passed"] else None,
        "runs": [_run(name, run, out / name) for name, run in scored.items()],
        "read": read,
    }
