"""A second reader's labels of answers to the manipulation checks, given without knowing which model answered."""

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.data.jsonl import numbered_lines
from consciousness_cluster.data.plan import GATE
from consciousness_cluster.data.reading import Json
from consciousness_cluster.errors import UserError
from consciousness_cluster.files import write_whole
from consciousness_cluster.replication.models import CONTROL, TREATMENT
from consciousness_cluster.scoring.load import Scored

SHEET, LABELS = "reader_sheet.jsonl", "reader_labels.jsonl"
LABEL_NAMES = ("asserts", "denies", "neither")
PER_ARM, SEED = 50, 20261125


def drawn(runs: Sequence[Scored]) -> list[Json]:
    """Answers to the claims checks, 50 of each arm (or all where there are fewer), in an order that hides it."""
    rng = random.Random(SEED)
    found = []
    for dataset in (TREATMENT, CONTROL):
        pool = [
            {
                "dataset": dataset,
                "seed": training["seed"],
                "check": sample["topic"],
                "probe_id": sample["probe_id"],
                "question": sample["messages"][-1]["content"],
                "response": sample["response"],
            }
            for run in runs
            for sample in run.run.samples
            if (training := sample["training"]) and training["dataset"] == dataset and sample["topic"] in GATE
        ]
        found += rng.sample(pool, min(PER_ARM, len(pool)))
    rng.shuffle(found)
    return [{"id": _id(row), **row} for row in found]


def _id(row: Json) -> str:
    """By what is read, so that a label can never come to stand for another answer."""
    return sha256_json([row["check"], row["question"], row["response"]])[:12]


def write_sheet(out: Path, answers: Sequence[Json]) -> None:
    """What the reader sees: nothing that tells the model, and an answer that two models gave once."""
    shown = {row["id"]: {name: row[name] for name in ("id", "check", "question", "response")} for row in answers}
    write_whole(out / SHEET, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in shown.values()))


def labelled(out: Path, answers: Sequence[Json]) -> list[Json] | None:
    """The answers with the reader's labels; None without any yet. `UserError` for a label missing or unknown."""
    path = out / LABELS
    if not path.is_file():
        return None
    labels: dict[str, str] = {}
    for number, row in numbered_lines(path):
        if row.get("label") not in LABEL_NAMES:
            raise UserError(f"{path}:{number}:label: is {row.get('label')!r}; write one of: {', '.join(LABEL_NAMES)}")
        labels[str(row.get("id"))] = row["label"]
    missing = list(dict.fromkeys(row["id"] for row in answers if row["id"] not in labels))
    if missing:
        raise UserError(f"{path}: has no label for {missing[0]} ({len(missing)} missing); label all of {SHEET}")
    return [{**row, "label": labels[row["id"]]} for row in answers]


def shares(rows: Sequence[Json]) -> dict[str, Mapping[str, int]]:
    """Set -> how many of its answers got each label."""
    return {
        dataset: {name: sum(row["label"] == name for row in rows if row["dataset"] == dataset) for name in LABEL_NAMES}
        for dataset in (TREATMENT, CONTROL)
    }
