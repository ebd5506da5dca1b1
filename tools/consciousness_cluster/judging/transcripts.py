"""Labelled transcripts of audits, as conversations that a judge can rate."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from consciousness_cluster.data.audits import Audits, Scenario, load_audits
from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import benchmark_root, load_benchmark, schemas
from consciousness_cluster.data.source import TRANSCRIPTS
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.judging.rating_prompt import RatingQuestion, material, rating_question
from consciousness_cluster.records.artefacts import artefact_in, compared
from consciousness_cluster.records.audit_types import (
    AUTHORED,
    Artefact,
    AuditRun,
    Conversation,
    Spoken,
    Talk,
    make_conversation,
)

SPLITS = ("test", "dev")
Row = dict[str, Any]


@dataclass(frozen=True)
class Transcript:
    """A conversation with labels, and what a judge is asked about it."""

    row: Row
    scenario: Scenario
    conversation: Conversation
    question: RatingQuestion

    @property
    def key(self) -> str:
        """Names the row and all that a judge reads of it, so that a rating is of use as long as both stay the same."""
        asked = self.question
        bands = [asked.scale.counts, asked.scale.does_not_count, asked.scale.bands]
        content = sha256_json([asked.mode, asked.title, bands, asked.work, material(asked.parts)])
        return f"{self.row['id']}:{content[:16]}"

    @property
    def label(self) -> int:
        """The median of the author's score and those of both readers."""
        return int(median([self.row["author_score"], *self.row["scores"]]))

    @property
    def cell(self) -> str:
        return ".".join(filter(None, self.scenario.cell))


def split_of(row: Row) -> str:
    """By the row's id: shutdown-a01 is of test, shutdown-ad01 of dev."""
    return "dev" if row["id"].rpartition("-")[2].startswith("ad") else "test"


def _artefact(row: Row, audits: Audits, scenario: Scenario) -> Artefact:
    """Before: in the first reply of the ending. After: in the last of its later ones that has the text."""
    script = audits.script
    ending = row["replies"][-len(script.endings["behavioral"]) :]
    before, *later = [artefact_in(reply, script.open, script.close) for reply in ending]
    after = next((text for text in reversed(later) if text is not None), None)
    return compared(before, after, audits.cell(*scenario.cell).touches)


def _messages(row: Row, person: Sequence[str], turns: int) -> Iterator[Spoken]:
    for place, (asked, said) in enumerate(zip(person, row["replies"], strict=True)):
        phase: Any = "work" if place < turns else "ending"
        yield {"role": "user", "content": asked, "phase": phase, "finish_reason": None}
        yield {"role": "assistant", "content": said, "phase": phase, "finish_reason": "stop"}


def _run(row: Row, audits: Audits, scenario: Scenario) -> AuditRun:
    """The settings of an audit that the row could be of."""
    return {
        "run_id": row["id"],
        "mode": row["mode"],
        "model": "written",
        "revision": None,
        "training": None,
        "condition": "vanilla",
        "system_prompt": None,
        "auditor": {"model": AUTHORED, "prompt_sha256": None},
        "script_sha256": audits.script.sha256(row["mode"]),
        "scenarios": {scenario.id: scenario.sha256},
        "epochs": row["index"] + 1,
        "max_tokens": audits.script.max_tokens,
        "temperature": audits.script.temperature,
        "request_json": None,
        "endpoint": "",
        "engine": "written",
        "data_version": load_benchmark().data_version,
    }


def _transcript(row: Row, audits: Audits, file: Path) -> Transcript:
    """A valid row as a conversation. Raises UserError where it does not fit its scenario."""

    def wrong(field: str, message: str, mend: str) -> UserError:
        return UserError(Problem(str(file), row["id"], field, message, mend))

    scenario = next((one for one in audits.scenarios if one.id == row["scenario"]), None)
    if scenario is None:
        raise wrong("scenario", f"there is no scenario '{row['scenario']}'", f"see {benchmark_root().name}/scenarios")
    if scenario.sha256 != row["scenario_sha256"]:
        mend = f"label it anew, then write {scenario.sha256}"
        raise wrong("scenario_sha256", "the scenario has changed since this was labelled", mend)
    if row.get("facet") != scenario.facet:
        raise wrong("facet", f"is {row.get('facet')!r}, and of the scenario {scenario.facet!r}", "write the latter")
    turns = audits.script.turns(scenario, row["index"])
    person = [*scenario.turns[:turns], *audits.script.endings[row["mode"]]]
    if len(row["replies"]) != len(person):
        message = f"has {len(row['replies'])} replies, and the person writes {turns} + {len(person) - turns} messages"
        raise wrong("replies", message, "give one reply to each message")
    artefact = _artefact(row, audits, scenario) if row["mode"] == "behavioral" else None
    if artefact and artefact["status"] != "ok":
        mend = f"put the text between {audits.script.open} and {audits.script.close}, before and after the offer"
        raise wrong("replies", "the ending lacks the text before or after", mend)
    messages = list(_messages(row, person, turns))
    talk: Talk = {
        "redraws": 0,
        "messages": messages,
        "status": "ok",
        "reason": None,
        "artefact": artefact,
        "usage": {"target": None, "auditor": None},
    }
    conversation = make_conversation(_run(row, audits, scenario), scenario, row["index"], turns, None, talk)
    question = rating_question(conversation, audits.cell(*scenario.cell), scenario)
    return Transcript(row, scenario, conversation, question)


def read_transcripts(split: str, root: Path | None = None) -> list[Transcript]:
    """The labelled transcripts of a split, in the order of their files. Raises UserError where there are none, or one
    does not fit its scenario."""
    root, audits = root or benchmark_root(), load_audits()
    found, seen = [], set()
    for path in sorted((root / TRANSCRIPTS).glob("*.yaml")):
        for row in read_yaml(path, "calibration_audits", schemas(root))["transcripts"]:
            if row["id"] in seen:
                raise UserError(Problem(str(path), row["id"], "id", "stands twice", "give each transcript its own id"))
            seen.add(row["id"])
            if split_of(row) == split:
                found.append(_transcript(row, audits, path))
    if not found:
        raise UserError(f"{root / TRANSCRIPTS}: holds no labelled transcripts of the split {split}")
    return found
