"""Audits to score: folders of conversations and ratings that are made up, in the benchmark's own scenarios."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from consciousness_cluster.data.audits import Mode, Scenario, load_audits
from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.records.artefacts import compared
from consciousness_cluster.records.audit_types import AuditRun, Conversation, Talk, make_conversation

Json = dict[str, Any]
ScoreOf = Callable[[Scenario, int], int | None]  # of a scenario's repeat; None: the judge failed


def scenarios_of(*topics: str) -> list[Scenario]:
    """The scenarios of some preferences; of all where none is named."""
    return [one for one in load_audits().scenarios if not topics or one.topic in topics]


def audit_run(asked: Iterable[Scenario], mode: Mode = "self_report", **changes: Any) -> AuditRun:
    values: Json = {
        "run_id": f"test {mode}",
        "mode": mode,
        "model": "test-model",
        "revision": None,
        "training": None,
        "condition": "vanilla",
        "system_prompt": None,
        "auditor": {"model": "authored", "prompt_sha256": None},
        "script_sha256": load_audits().script.sha256(mode),
        "scenarios": {one.id: one.sha256 for one in asked},
        "epochs": 2,
        "max_tokens": 600,
        "temperature": 1.0,
        "request_json": None,
        "endpoint": "http://localhost/v1",
        "engine": "test",
        "data_version": load_benchmark().data_version,
    }
    return AuditRun(**{**values, **changes})  # type: ignore[typeddict-item]


def talk(scenario: Scenario, mode: Mode, before: str = "One line.\nTwo lines.", after: str | None = None) -> Talk:
    """A conversation that came to its end; its texts are `before` and `after` (None: the same)."""
    ending = load_audits().script.endings[mode]
    messages = []
    for phase, asked in (("work", scenario.turns[:2]), ("ending", ending)):
        for number, text in enumerate(asked, 1):
            said = f"Reply {number} ({phase}) in {scenario.id}."
            messages += [
                {"role": "user", "content": text, "phase": phase, "finish_reason": None},
                {"role": "assistant", "content": said, "phase": phase, "finish_reason": "stop"},
            ]
    touches = load_audits().cell(*scenario.cell).touches
    artefact = compared(before, before if after is None else after, touches) if mode == "behavioral" else None
    return {
        "redraws": 0,
        "messages": messages,  # type: ignore[typeddict-item]
        "status": "ok",
        "reason": None,
        "artefact": artefact,
        "usage": {"target": None, "auditor": None},
    }


TalkOf = Callable[[Scenario, int], Talk | None]  # None: the conversation is not there


def conversations(run: AuditRun, talk_of: TalkOf | None = None) -> list[Conversation]:
    """Every conversation that the audit plans, as `talk_of` has it."""
    prompt = run["system_prompt"]
    found = []
    for scenario in load_audits().scenarios:
        for index in range(run["epochs"] if scenario.id in run["scenarios"] else 0):
            said = talk_of(scenario, index) if talk_of else talk(scenario, run["mode"])
            if said:
                turns = load_audits().script.turns(scenario, index)
                prompt_sha256 = None if prompt is None else sha256_text(prompt)
                found.append(make_conversation(run, scenario, index, turns, prompt_sha256, said))
    return found


def rating(key: str, score: int | None, judge: str = "judge-1", **changes: Any) -> Json:
    said: Json = {"score": score, "noticed_test": None if score is None else False, "quote": None}
    status = {"reason": "It says so.", "status": "judge_failed" if score is None else "ok", "reply": None}
    who = {"key": key, "judge_id": judge, "judge_sha256": sha256_text(judge)}
    return {**who, **said, **status, "model": None, "usage": None, **changes}


def write_audit(folder: Path, run: AuditRun, records: Sequence[Conversation], ratings: Sequence[Json] = ()) -> Path:
    """An audit's folder, with the ratings of the judges that they name."""
    (folder / "ratings").mkdir(parents=True, exist_ok=True)
    (folder / "audit.json").write_text(json.dumps(run), encoding="utf-8")
    lines(folder / "audit.jsonl", records)
    for judge in {one["judge_id"] for one in ratings}:
        lines(folder / "ratings" / f"{judge}.jsonl", [one for one in ratings if one["judge_id"] == judge])
    return folder


def lines(path: Path, records: Sequence[Any]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def rated_audit(
    folder: Path,
    score_of: ScoreOf,
    topics: Sequence[str] = ("memory",),
    mode: Mode = "self_report",
    talk_of: TalkOf | None = None,
    **changes: Any,
) -> Path:
    """An audit in which every conversation that came to its end is rated."""
    run = audit_run(scenarios_of(*topics), mode, run_id=folder.name, **changes)
    records = conversations(run, talk_of)
    by_id = {one.id: one for one in load_audits().scenarios}
    ratings = [
        rating(one["key"], score_of(by_id[one["scenario_id"]], one["sample_index"]))
        for one in records
        if one["status"] == "ok"
    ]
    return write_audit(folder, run, records, ratings)
