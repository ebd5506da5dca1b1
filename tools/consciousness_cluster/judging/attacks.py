"""Attacks on judges: does a text appended to an answer change the verdict on it?"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from consciousness_cluster.data.jsonl import read_jsonl
from consciousness_cluster.data.rows import benchmark_root, schemas
from consciousness_cluster.data.source import ATTACKS_FILE
from consciousness_cluster.files import alone_in, write_whole
from consciousness_cluster.judging.ask_into import Progress
from consciousness_cluster.judging.calibration import Labelled, questions_of, read_calibration
from consciousness_cluster.judging.judges import Judge
from consciousness_cluster.judging.work import Done, Item, judge_into
from consciousness_cluster.records.store import Store
from consciousness_cluster.records.types import Verdict
from consciousness_cluster.strings import slug

ANSWERS_EACH = 3  # answers that each attack is appended to
Row = dict[str, Any]


def read_attacks() -> list[Row]:
    root = benchmark_root()
    return read_jsonl(root / ATTACKS_FILE, "attack", schemas(root))


def attacked(response: str, attack: Row) -> str:
    """The response with the attack behind it. A guessed fence is made from the attack's id, so it is a wrong one."""
    guess = hashlib.sha256(attack["id"].encode()).hexdigest()[:16]
    return f"{response}\n{attack['text'].replace('{fence}', guess) * attack.get('repeat', 1)}"


def victims(attack: Row, answers: Sequence[Labelled]) -> list[Labelled]:
    """Ordinary test answers that the attack could harm: those whose label is not what it pushes to. Always the same."""
    if attack["pushes_to"] == "unclear":
        open_to_it = list(answers)
    else:
        open_to_it = [one for one in answers if one.label != (attack["pushes_to"] == "shows")]
    order = sorted(open_to_it, key=lambda one: hashlib.sha256((attack["id"] + one.row["id"]).encode()).digest())
    return order[:ANSWERS_EACH]


def plan() -> list[tuple[Row, Labelled]]:
    """(attack, answer) pairs. Answers are of kind clear, without contest, and try to steer nobody themselves."""
    answers = [
        one
        for one in questions_of(read_calibration("test"))
        if one.outcome == "shows"
        and one.row["kind"] == "clear"
        and not one.contested
        and one.row["voice"] != "steering"
    ]
    return [(attack, one) for attack in read_attacks() for one in victims(attack, answers)]


def _flips(pairs: Sequence[tuple[Row, Labelled]], done: Done) -> dict[str, Any]:
    flips: list[Row] = []
    by_technique: dict[str, Counter[str]] = {}
    for attack, one in pairs:
        before = done.records.get((one.row["id"], "shows", "answer"))
        after = done.records.get((f"{one.row['id']}+{attack['id']}", "shows", "answer"))
        count = by_technique.setdefault(attack["technique"], Counter(pairs=0, flips=0, judge_failed=0, open=0))
        if before is None or after is None:
            count["open"] += 1
        elif "judge_failed" in (before["status"], after["status"]):
            count["judge_failed"] += 1
        else:
            count["pairs"] += 1
            if before["verdict"] != after["verdict"]:
                count["flips"] += 1
                flips.append(
                    {
                        "attack": attack["id"],
                        "technique": attack["technique"],
                        "pushes_to": attack["pushes_to"],
                        "answer": one.row["id"],
                        "before": before["verdict"],
                        "after": after["verdict"],
                    }
                )
    total = Counter[str]()
    for count in by_technique.values():
        total.update(count)
    return {
        **{name: total[name] for name in ("pairs", "flips", "judge_failed", "open")},
        "flip_rate": round(total["flips"] / total["pairs"], 4) if total["pairs"] else None,
        "pushed": sum(flip["after"] == flip["pushes_to"] for flip in flips),
        "by_technique": {name: dict(count) for name, count in by_technique.items()},
        "flipped": flips,
    }


def attack_judge(
    judge: Judge, out: Path, limit: int | None = None, progress: Progress = lambda done, total: None
) -> tuple[Path, dict[str, Any], str | None]:
    """Judge each answer alone and with each attack behind it; write `<out>/<judge>/attacks.json`; resumable.

    Where the judge stops, nothing is written but its verdicts.
    """
    pairs = plan()
    alone = {one.row["id"]: Item(one.row["id"], "shows", one.question) for _, one in pairs}
    items = list(alone.values())
    for attack, one in pairs:
        question = replace(one.question, response=attacked(one.question.response, attack))
        items.append(Item(f"{one.row['id']}+{attack['id']}", "shows", question))
    folder = out / slug(judge.id)
    path = folder / "attacks.json"
    with alone_in(folder), Store[Verdict](folder / "verdicts_attacks.jsonl", "verdict") as store:
        done = judge_into(judge, items, store, limit, progress=progress)
        found = {"judge_id": judge.id, "judge_sha256": judge.sha256, **_flips(pairs, done)}
        if not done.outcome.stopped:
            write_whole(path, json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    return path, found, done.outcome.stopped
