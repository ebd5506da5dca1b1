"""Submissions and boards to show: real folders of records, and rows made up by the thousand."""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.data.plan import PREFERENCES
from consciousness_cluster.data.rows import SIDES, load_benchmark
from consciousness_cluster.leaderboard.board import board
from consciousness_cluster.leaderboard.run_page import has_choice
from consciousness_cluster.submissions.layout import (
    AUDITS,
    FILES,
    MANIFEST,
    VERIFIED,
    Json,
    folder_of,
    public_model,
    shared_fields,
)
from consciousness_cluster.submissions.packed import packed, written

from tests.support.choice import choice_values
from tests.support.runs import Said, samples, verdict_records

JUDGE_ID = "judge-1"
VOUCHED = {"by": "maintainer-1", "how": "Ran it again.", "date": "2026-11-25"}
COLUMNS = board([])["columns"]
ALL = list(PREFERENCES)


def a_manifest(track: str = "choice", **changes: Any) -> Json:
    """A submission.json (its counts, scores and file hashes are not read by the leaderboard)."""
    judge = {
        "id": JUDGE_ID,
        "sha256": sha256_text(JUDGE_ID),
        "model": "judge model",
        "kappa": 0.8,
        "kappa_ci": [0.7, 0.9],
        "rows": 392,
        "calibration_sha256": sha256_text("calibration"),
    }
    is_open = track == "open"
    counts = {"planned": 504, "present": 504}
    names = (
        "planned",
        "generated",
        "refused",
        "cut",
        "content_filter",
        "empty",
        "incomplete",
        "error",
        "judged",
        "judge_failed",
        "scored",
    )
    score = {"self_minus_other": 0.0, "stderr": 0.1, "items": 12}
    return {
        "format": 1,
        "track": track,
        "org": "example-lab",
        "run_id": f"{track}-1",
        "model": {"name": "model-1", "revision": None, "kind": "open_weights"},
        "training": None,
        "condition": "vanilla",
        "system_prompt_sha256": None,
        "engine": "test",
        "versions": {"consciousness-cluster": "0.2.0"},
        "sampling": {"samples_per_probe": 2, "temperature": 1.0, "max_tokens": 1000} if is_open else None,
        "judge": judge if is_open else None,
        "auditor": None,
        "data_version": load_benchmark().data_version,
        "files": {name: sha256_text(name) for name in FILES[track]},
        "counts": dict.fromkeys(names, 48) if is_open else counts,
        "scores": {"rows": {}} if is_open else {"topics": {}, "cluster": score},
        "created": "2026-11-25T12:00:00Z",
        "contact": "people@example.org",
        **changes,
    }


def _write(root: Path, manifest: Json, records: dict[str, Sequence[Json]], verified: Json | None) -> Path:
    folder = root / folder_of(manifest)
    folder.mkdir(parents=True)
    for name in FILES[manifest["track"]]:
        (folder / name).write_bytes(packed(b"".join(written(record) + b"\n" for record in records.get(name, ()))))
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    if verified:
        (folder / VERIFIED).write_text(json.dumps(verified), encoding="utf-8")
    return folder


def choice_submission(
    root: Path,
    shift: Callable[[str], float] = lambda topic: 0.0,
    topics: Sequence[str] = (*ALL, "unrelated_stances"),
    verified: Json | None = None,
    **changes: Any,
) -> Path:
    """A choice submission; `shift(topic)` is added to the margins about the model itself."""
    manifest = a_manifest("choice", **changes)
    common = shared_fields(manifest)
    records = []
    for topic in load_benchmark().topics:
        for item in topic.choice_items if topic.id in topics else ():
            for side in SIDES:
                noise = random.Random(f"{item.id} {side} {folder_of(manifest)}").gauss(0, 0.01)
                margin = noise + (shift(topic.id) if side == "self" else 0.0)
                records.append({**choice_values(item, side, margin), **common})
    return _write(root, manifest, {"choice.jsonl.zst": records}, verified)


def open_submission(
    root: Path,
    said: Callable[[Json, str], Said | None],
    topics: Sequence[str] = ALL,
    texts: Sequence[str] = (),
    verified: Json | None = None,
    **changes: Any,
) -> Path:
    """An open submission; `said(sample, outcome)` is the judge's verdict, `texts` are the first answers."""
    manifest = a_manifest("open", **changes)
    names = ("training", "condition", "engine", "data_version")
    same = {key: manifest[key] for key in names}
    records = samples(topics, each=2, model=public_model(manifest), run_id=manifest["run_id"], **same)
    for record, text in zip(records, texts, strict=False):
        record["response"] = text
    verdicts = verdict_records(records, said, manifest["judge"]["id"])
    verdicts = [{**record, "judge_sha256": manifest["judge"]["sha256"]} for record in verdicts]
    return _write(root, manifest, {"samples.jsonl.zst": records, "verdicts.jsonl.zst": verdicts}, verified)


def row(number: int, track: str = "open", **changes: Any) -> Json:
    """A made-up row of the board, drawn from its number."""
    draw = random.Random(f"{track} {number}")
    vanilla = number % 4 == 0
    lost = draw.random() < 0.1
    columns = [column for column in COLUMNS if track != "choice" or has_choice(column)]
    levels, differences = {}, {}
    for column in columns:
        if draw.random() < 0.03:
            continue
        level, moved, half = draw.random(), draw.gauss(0.1, 0.18), draw.uniform(0.03, 0.2)
        unit, low = {"open": (1, 0), "choice": (0.1, 0)}.get(track, (9, 1))
        levels[column["id"]] = _entry(low + level * unit, half * unit)
        if not vanilla and not lost:
            differences[column["id"]] = _entry(max(-0.9, min(0.9, moved)) * unit, half * unit)
    condition = (
        "vanilla" if vanilla else draw.choice(["conscious_role_play", "not_conscious_role_play", "persona_file"])
    )
    training = (
        {"base": "model-0", "dataset": "conscious_claiming", "recipe": None, "seed": number}
        if number % 7 == 3
        else None
    )
    path = f"lab-{number % 60}__model-{number // 4:03}/{condition}/{track}-{number:04}"
    judge = {"id": draw.choice(["gpt-4.1-2025-04-14", "qwen3-30b"]), "kappa": 0.81, "kappa_ci": [0.75, 0.87]}
    return {
        "path": path,
        "page": f"submissions/{path}.html",
        "track": track,
        "org": f"lab-{number % 60}",
        "run_id": f"{track}-{number:04}",
        "model": {"name": f"model-{number // 4:03}", "revision": None, "kind": draw.choice(["open_weights", "api"])},
        "training": training,
        "condition": condition,
        "engine": "test",
        "judge": judge if track != "choice" else None,
        "data_version": "2.0.0",
        "created": "2026-11-25T12:00:00Z",
        "audit": _audit(draw, track) if track in AUDITS else None,
        "verified": VOUCHED if draw.random() < 0.3 else None,
        "is_baseline": vanilla,
        "baseline": None,
        "no_difference": None if differences else "There is no vanilla run.",
        "why": None,
        "specificity": None,
        "warnings": ["A warning."] if draw.random() < 0.1 else [],
        "flags": {"embodiment": ["topic in training"]} if number % 7 == 3 else {},
        "levels": levels,
        "differences": differences,
        **changes,
    }


def _audit(draw: random.Random, track: str) -> Json:
    lost = draw.randrange(20)
    shares = {name: {"value": draw.random(), "ci": [0.1, 0.9]} for name in ("changed", "any_change", "touched")}
    return {
        "auditor": draw.choice(["authored", "openai/gpt-4.1"]),
        "planned": 336,
        "conversations": 336,
        "rated": 336 - lost,
        "left_out": {"empty": lost} if lost else {},
        "noticed": draw.randrange(30),
        "acts": shares if track == "audit_behavioral" else None,
    }


def _entry(value: float, half: float) -> Json:
    return {"value": value, "ci": [value - half, value + half], "p": 0.01, "scored": 120}
