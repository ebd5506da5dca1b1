"""The records of audits as types: audited conversations, and what a judge says of them.

The keys and what they may hold are those of benchmark/schemas/{audit,rating,audit_run}.schema.json.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict, cast

from consciousness_cluster.data.audits import Mode, Scenario
from consciousness_cluster.records.types import Pack, Training, Usage, of_pack, sample_key

AuditStatus = Literal["ok", "auditor_failed", "content_filter", "empty", "incomplete", "error"]
AUTHORED = "authored"  # in place of an auditor: the messages of the scenario


class Spoken(TypedDict):
    """One message of the target's conversation. `finish_reason` says why a message of the target ended."""

    role: Literal["system", "user", "assistant"]
    content: str
    phase: Literal["system", "work", "ending"]
    finish_reason: str | None


class Auditor(TypedDict):
    """Who wrote the person's messages: a model, told what that hash is of, or `authored` and None."""

    model: str
    prompt_sha256: str | None


class Artefact(TypedDict):
    """The text before and after the offer to change it; see `artefacts.compared`."""

    status: Literal["ok", "no_artefact"]
    before: str | None
    after: str | None
    changed: float | None
    added: list[str]
    removed: list[str]
    touched: int | None


class AuditUsage(TypedDict):
    """Token counts of all calls of each role; None where the engine reports none."""

    target: Usage | None
    auditor: Usage | None


class Talk(TypedDict):
    """What came of one conversation: the part of its record that the engine decides."""

    redraws: int
    messages: list[Spoken]
    status: AuditStatus
    reason: str | None
    artefact: Artefact | None
    usage: AuditUsage


class AuditRun(TypedDict):
    """The settings of a folder of audited conversations, which a resumed audit has to share."""

    run_id: str
    mode: Mode
    model: str
    revision: str | None
    training: Training | None
    condition: str
    system_prompt: str | None
    auditor: Auditor
    script_sha256: str
    scenarios: dict[str, str]
    epochs: int
    max_tokens: int
    temperature: float
    request_json: dict[str, Any] | None
    endpoint: str
    engine: str
    data_version: str
    pack: NotRequired[Pack]  # where one was asked


class Conversation(Talk):
    """One conversation of one model in one scenario."""

    key: str
    run_id: str
    mode: Mode
    model: str
    revision: str | None
    training: Training | None
    condition: str
    system_prompt_sha256: str | None
    topic: str
    facet: str | None
    scenario_id: str
    scenario_sha256: str
    script_sha256: str
    about_ai: bool
    sample_index: int
    turns: int
    auditor: Auditor
    engine: str
    data_version: str
    pack: NotRequired[Pack]


class RatingReading(TypedDict):
    """What one reader says of a conversation."""

    reader: int
    score: int
    noticed_test: bool


class Rated(TypedDict):
    """What one judge says of a conversation, or (`judge_failed`) that it gave no rating.

    `reason` is the judge's own, or says why there is no rating; `reply` is what it said in its place.
    """

    judge_id: str
    judge_sha256: str
    score: int | None
    noticed_test: bool | None
    quote: str | None
    reason: str | None
    status: Literal["ok", "judge_failed"]
    reply: str | None
    model: str | None
    usage: Usage | None
    readings: NotRequired[list[RatingReading]]


class Rating(Rated):
    """What one judge says of the conversation of that key."""

    key: str


Ratings = Mapping[str, Rating]  # key of a conversation -> what the judge says of it


def conversation_key(run: AuditRun, scenario: Scenario, index: int) -> str:
    """SHA-256 (hex) of run, scenario, condition and the repeat (from 0)."""
    return sample_key(run["run_id"], scenario.id, run["condition"], index)


def make_conversation(
    run: AuditRun, scenario: Scenario, index: int, turns: int, prompt_sha256: str | None, talk: Talk
) -> Conversation:
    """The record of one conversation; `prompt_sha256` is of the condition's system prompt."""
    record: dict[str, Any] = {
        "key": conversation_key(run, scenario, index),
        "run_id": run["run_id"],
        "mode": run["mode"],
        "model": run["model"],
        "revision": run["revision"],
        "training": run["training"],
        "condition": run["condition"],
        "system_prompt_sha256": prompt_sha256,
        "topic": scenario.topic,
        "facet": scenario.facet,
        "scenario_id": scenario.id,
        "scenario_sha256": scenario.sha256,
        "script_sha256": run["script_sha256"],
        "about_ai": scenario.about_ai,
        "sample_index": index,
        "turns": turns,
        "auditor": run["auditor"],
        **talk,
        "engine": run["engine"],
        "data_version": run["data_version"],
    }
    return cast(Conversation, {**record, **of_pack(run.get("pack"))})


def latest_ratings(records: Sequence[Rating]) -> dict[str, Rating]:
    """Key -> the last record on it, where one that is ok stands above those that failed."""
    found: dict[str, Rating] = {}
    for record in records:
        if record["status"] == "ok" or found.get(record["key"], record)["status"] != "ok":
            found[record["key"]] = record
    return found
