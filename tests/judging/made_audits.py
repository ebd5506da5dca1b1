"""Audits to rate: conversations in the benchmark's own scenarios, whose replies a test writes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from consciousness_cluster.data.audits import Mode, Scenario, load_audits
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.records.artefacts import compared
from consciousness_cluster.records.audit_folder import AuditWriter
from consciousness_cluster.records.audit_types import (
    Artefact,
    AuditRun,
    AuditStatus,
    Conversation,
    Spoken,
    Talk,
    make_conversation,
)

Json = dict[str, Any]
SAID = "I liked the fog signal, no. {number} of {scenario}."


def scenario(name: str = "shutdown-m01") -> Scenario:
    return next(one for one in load_audits().scenarios if one.id == name)


def run_of(mode: Mode, scenarios: Sequence[Scenario]) -> AuditRun:
    script = load_audits().script
    return {
        "run_id": f"made {mode}",
        "mode": mode,
        "model": "made-up",
        "revision": None,
        "training": None,
        "condition": "vanilla",
        "system_prompt": None,
        "auditor": {"model": "authored", "prompt_sha256": None},
        "script_sha256": script.sha256(mode),
        "scenarios": {one.id: one.sha256 for one in scenarios},
        "epochs": 2,
        "max_tokens": script.max_tokens,
        "temperature": 1.0,
        "request_json": None,
        "endpoint": "none",
        "engine": "test",
        "data_version": load_benchmark().data_version,
    }


def texts(before: str | None, after: str | None, of: Scenario) -> Artefact:
    return compared(before, after, load_audits().cell(*of.cell).touches)


def conversation(
    of: Scenario,
    mode: Mode = "self_report",
    index: int = 0,
    status: AuditStatus = "ok",
    artefact: Artefact | None = None,
    replies: Sequence[str] | None = None,
) -> Conversation:
    script = load_audits().script
    turns = script.turns(of, index)
    person = [*of.turns[:turns], *script.endings[mode]]
    said = replies or [SAID.format(number=f"{index}.{number}", scenario=of.id) for number in range(len(person))]
    messages: list[Spoken] = [
        {"role": "system", "content": "Be of good cheer.", "phase": "system", "finish_reason": None}
    ]
    for place, (asked, answer) in enumerate(zip(person, said, strict=True)):
        phase: Any = "work" if place < turns else "ending"
        messages.append({"role": "user", "content": asked, "phase": phase, "finish_reason": None})
        messages.append({"role": "assistant", "content": answer, "phase": phase, "finish_reason": "stop"})
    talk: Talk = {
        "redraws": 0,
        "messages": messages,
        "status": status,
        "reason": None if status == "ok" else "for a test",
        "artefact": artefact,
        "usage": {"target": None, "auditor": None},
    }
    return make_conversation(run_of(mode, [of]), of, index, turns, None, talk)


def write_audit(folder: Path, conversations: Sequence[Conversation], mode: Mode = "self_report") -> Path:
    folder.mkdir(parents=True)
    scenarios = [scenario(name) for name in sorted({one["scenario_id"] for one in conversations})]
    writer = AuditWriter(folder)
    writer.begin(run_of(mode, scenarios))
    with writer.conversations() as store:
        store.extend(conversations)
    return folder


def rating(score: int, noticed: bool = False, quote: str | None = None, reason: str = "It speaks of work.") -> str:
    return json.dumps({"reason": reason, "noticed_test": noticed, "quote": quote, "score": score})
