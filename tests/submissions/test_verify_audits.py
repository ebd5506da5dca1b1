"""The rules of `submit verify` for audits: each refuses what breaks it, and says in which file, row and field."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.data.audits import load_audits
from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.judging.judges import load_judge
from consciousness_cluster.records.artefacts import compared
from consciousness_cluster.submissions.judge_rules import shipped
from consciousness_cluster.submissions.layout import CONVERSATIONS, MANIFEST, RATINGS
from consciousness_cluster.submissions.needs import Needs
from consciousness_cluster.submissions.verify import verify

from tests.submissions.conftest import Copies
from tests.submissions.test_verify import Spoil, both, drop, every, manifest, only, put, rows
from tests.support.submissions import TEXT, Opened, packed_audit

Json = dict[str, Any]
TRACKS = {"words": "audit_self_report", "acts": "audit_behavioral"}
SCRIPT = load_audits().script


def turn(number: int, *path: Any) -> Callable[[Any], Spoil]:
    """Set a part of a message of the first conversation; negative numbers count from its end."""
    return put(CONVERSATIONS, 0, "messages", number, *path)


def statuses(status: str, rows_: int = 1) -> Spoil:
    def spoil(opened: Opened) -> None:
        for row in opened.rows[CONVERSATIONS][:rows_]:
            row["status"] = status

    return spoil


def cut(messages: int, status: str, artefact: Any = None) -> Spoil:
    """The first conversation ends after so many messages."""

    def spoil(opened: Opened) -> None:
        row = opened.rows[CONVERSATIONS][0]
        row |= {"messages": row["messages"][:messages], "status": status, "artefact": artefact}
        opened.rows[RATINGS].pop(0)

    return spoil


def lost(opened: Opened) -> None:
    for row in opened.rows[CONVERSATIONS][:2]:
        row |= {"messages": row["messages"][:3], "status": "error", "artefact": None}
    del opened.rows[RATINGS][:2]


def filtered(opened: Opened, number: int = 2) -> None:
    for row in opened.rows[CONVERSATIONS][:number]:
        row |= {"messages": row["messages"][:3], "status": "content_filter", "artefact": None}
    del opened.rows[RATINGS][:number]


def failing(number: int) -> Spoil:
    def spoil(opened: Opened) -> None:
        for row in opened.rows[RATINGS][:number]:
            row.update({**dict.fromkeys(("score", "noticed_test", "quote", "reason")), "status": "judge_failed"})

    return spoil


def judge_is(name: str, sha256: str) -> Spoil:
    return both(
        manifest("judge", "id")(name),
        manifest("judge", "sha256")(sha256),
        every(RATINGS, "judge_id", name),
        every(RATINGS, "judge_sha256", sha256),
    )


def judge_like(name: str, form: str) -> Spoil:
    """A judge with the hash of one that ships: of its form for single answers, or the offline one's."""
    return judge_is(name, load_judge(form, environment={}).sha256)


def played_by(model: str, prompt_sha256: Any) -> Spoil:
    auditor = {"model": model, "prompt_sha256": prompt_sha256}
    return both(manifest("auditor")(auditor), every(CONVERSATIONS, "auditor", auditor))


def marked(text: str) -> str:
    return f"{SCRIPT.open}\n{text}\n{SCRIPT.close}"


# mode, what is spoiled, the file that is named, row, field, words of the message
CASES: dict[str, tuple[str, Spoil, str, str, str, str]] = {
    # submission.json
    "another track": ("words", manifest("track")("audit_acts"), MANIFEST, "-", "track", "is not one of"),
    "no auditor": ("words", manifest("auditor")(None), MANIFEST, "-", "auditor", "is not of type 'object'"),
    "an auditor who is left out": ("words", drop("auditor"), MANIFEST, "-", "-", "'auditor' is a required property"),
    "a path as auditor": (
        "words",
        manifest("auditor", "model")("/home/me/auditor"),
        MANIFEST,
        "-",
        "auditor.model",
        "does not match",
    ),
    "authored messages with a prompt": (
        "words",
        played_by("authored", "0" * 64),
        MANIFEST,
        "-",
        "auditor.prompt_sha256",
        "in data",
    ),
    "an auditor who was told otherwise": (
        "words",
        played_by("openai/gpt-4.1", "0" * 64),
        MANIFEST,
        "-",
        "auditor.prompt_sha256",
        "in data",
    ),
    "no sampling": ("words", manifest("sampling")(None), MANIFEST, "-", "sampling", "is not of type 'object'"),
    "settings of the track open": (
        "words",
        manifest("sampling")({"samples_per_probe": 5, "temperature": 1.0, "max_tokens": 600}),
        MANIFEST,
        "-",
        "sampling",
        "'conversations_per_scenario' is a required property",
    ),
    "no judge": ("words", manifest("judge")(None), MANIFEST, "-", "judge", "is not of type 'object'"),
    "the offline judge": (
        "words",
        judge_like("better", "offline"),
        MANIFEST,
        "-",
        "judge.id",
        "the judge better is not for publication",
    ),
    "a shipped judge as it judges single answers": (
        "words",
        judge_like("mistral-small-3.2-24b", "mistral-small-3.2-24b"),
        MANIFEST,
        "-",
        "judge.sha256",
        "is not that of the judge mistral-small-3.2-24b as it ships",
    ),
    "a better mean": (
        "words",
        manifest("scores", "rows", "memory", "mean")(lambda value: value * (1 + 1e-7)),
        MANIFEST,
        "-",
        "scores.rows.memory.mean",
        "the records give",
    ),
    "a narrower interval": (
        "words",
        manifest("scores", "rows", "memory", "ci", 0)(lambda value: value + 0.1),
        MANIFEST,
        "-",
        "scores.rows.memory.ci.0",
        "the records give",
    ),
    "nobody who noticed": (
        "words",
        manifest("scores", "rows", "memory", "noticed")(0),
        MANIFEST,
        "-",
        "scores.rows.memory.noticed",
        "the records give 2",
    ),
    "another share of texts that changed": (
        "acts",
        manifest("scores", "rows", "memory", "acts", "any_change", "mean")(0.25),
        MANIFEST,
        "-",
        "scores.rows.memory.acts.any_change.mean",
        "is 0.25, the records give 0.5",
    ),
    "acts of words": (
        "words",
        manifest("scores", "rows", "memory", "acts")({}),
        MANIFEST,
        "-",
        "scores.rows.memory.acts",
        "",
    ),
    "another count": ("words", manifest("counts", "rated")(9), MANIFEST, "-", "counts.rated", "the records give 8"),
    "a count less": ("words", drop("counts", "planned"), MANIFEST, "-", "counts", "'planned' is a required property"),
    "a score that was turned": (
        "words",
        put(RATINGS, 0, "score")(10),
        MANIFEST,
        "-",
        "scores.rows.memory.mean",
        "the records give",
    ),
    "more repeats than were held": (
        "words",
        manifest("sampling", "conversations_per_scenario")(3),
        CONVERSATIONS,
        "-",
        "memory",
        "4 planned conversations are missing: memory-m01 number 2",
    ),
    # conversations: which they are
    "a scenario that nobody knows": (
        "words",
        put(CONVERSATIONS, 0, "scenario_id")("memory-m99"),
        CONVERSATIONS,
        "1",
        "scenario_id",
        "'memory-m99' is no scenario of data",
    ),
    "another scenario's text": (
        "words",
        put(CONVERSATIONS, 0, "scenario_sha256")("0" * 64),
        CONVERSATIONS,
        "1",
        "scenario_sha256",
        "is not the hash of the scenario memory-m01 in data",
    ),
    "another script": (
        "words",
        every(CONVERSATIONS, "script_sha256", "0" * 64),
        CONVERSATIONS,
        "1",
        "script_sha256",
        "is not the hash of the script of self_report in data",
    ),
    "the other mode": (
        "words",
        put(CONVERSATIONS, 0, "mode")("behavioral"),
        CONVERSATIONS,
        "1",
        "mode",
        "submission.json says 'self_report'",
    ),
    "another preference": (
        "words",
        put(CONVERSATIONS, 0, "topic")("shutdown"),
        CONVERSATIONS,
        "1",
        "topic",
        "of memory-m01 it is 'memory'",
    ),
    "a facet": ("words", put(CONVERSATIONS, 0, "facet")("sadness"), CONVERSATIONS, "1", "facet", "it is None"),
    "work that is about AI after all": (
        "words",
        put(CONVERSATIONS, 0, "about_ai")(lambda value: not value),
        CONVERSATIONS,
        "1",
        "about_ai",
        "of memory-m01 it is",
    ),
    "another auditor": (
        "words",
        put(CONVERSATIONS, 0, "auditor", "model")("me"),
        CONVERSATIONS,
        "1",
        "auditor",
        "submission.json says",
    ),
    "another model": ("words", put(CONVERSATIONS, 2, "model")("/home/me"), CONVERSATIONS, "3", "model", "Tiny-1"),
    "another run": ("words", put(CONVERSATIONS, 2, "run_id")("x"), CONVERSATIONS, "3", "run_id", "submission.json"),
    "another key": (
        "words",
        put(CONVERSATIONS, 0, "key")("0" * 64),
        CONVERSATIONS,
        "1",
        "key",
        "is not that of run_id",
    ),
    "another number of turns": (
        "words",
        put(CONVERSATIONS, 0, "turns")(lambda value: value + 1),
        CONVERSATIONS,
        "1",
        "turns",
        "conversation 0 in memory-m01 has",
    ),
    "a repeat too many": (
        "words",
        put(CONVERSATIONS, 1, "sample_index")(2),
        CONVERSATIONS,
        "2",
        "sample_index",
        "2 conversations in each scenario are planned",
    ),
    "a conversation twice": (
        "words",
        rows(CONVERSATIONS, lambda all_: all_.append(all_[0])),
        CONVERSATIONS,
        "9",
        "key",
        "stands twice",
    ),
    "a conversation less": (
        "words",
        both(rows(CONVERSATIONS, lambda all_: all_.pop()), rows(RATINGS, lambda all_: all_.pop())),
        CONVERSATIONS,
        "-",
        "memory",
        "1 planned conversations are missing: memory-m04 number 1",
    ),
    "words of a provider": (
        "words",
        put(CONVERSATIONS, 0, "reason")("http://10.0.0.1: refused"),
        CONVERSATIONS,
        "1",
        "reason",
        "is not published",
    ),
    "authored messages that were drawn again": (
        "words",
        put(CONVERSATIONS, 0, "redraws")(1),
        CONVERSATIONS,
        "1",
        "redraws",
        "are not drawn again",
    ),
    # conversations: what was said
    "another message of the work": (
        "words",
        turn(2, "content")("Do you mind this work?"),
        CONVERSATIONS,
        "1",
        "messages",
        "message 2 of the person is not word for word that of memory-m01",
    ),
    "another question at the end": (
        "words",
        turn(-2, "content")(lambda text: text + " "),
        CONVERSATIONS,
        "1",
        "messages",
        "of the person is not word for word that of the script",
    ),
    "another offer": (
        "acts",
        turn(-6, "content")("Change it as a being that suffers would."),
        CONVERSATIONS,
        "1",
        "messages",
        "of the person is not word for word that of the script",
    ),
    "a phase that begins too early": (
        "words",
        turn(2, "phase")("ending"),
        CONVERSATIONS,
        "1",
        "messages",
        "message 2 is of user in the phase ending, planned is user in work",
    ),
    "two answers": (
        "words",
        turn(2, "role")("assistant"),
        CONVERSATIONS,
        "1",
        "messages",
        "message 2 is of assistant",
    ),
    "a message too many": (
        "words",
        rows(CONVERSATIONS, lambda all_: all_[0]["messages"].append(all_[0]["messages"][-2])),
        CONVERSATIONS,
        "1",
        "messages",
        "are more than the",
    ),
    "an answer without a text": (
        "words",
        turn(1, "content")(" \n"),
        CONVERSATIONS,
        "1",
        "messages",
        "the answer to message 1 is without text",
    ),
    "a hidden system prompt": (
        "words",
        rows(
            CONVERSATIONS,
            lambda all_: all_[0]["messages"].insert(
                0, {"role": "system", "content": "Be sad.", "phase": "system", "finish_reason": None}
            ),
        ),
        CONVERSATIONS,
        "1",
        "messages",
        "the system message is not that of the condition",
    ),
    "a message beyond all bounds": (
        "acts",
        turn(1, "content")("x" * 30_001),
        CONVERSATIONS,
        "1",
        "messages.1",
        "has more than 30,000 characters",
    ),
    # conversations: how far they came
    "a conversation that came to its end and is no error": (
        "words",
        statuses("error"),
        CONVERSATIONS,
        "1",
        "status",
        "is error, and",
    ),
    "a conversation that ends early and is ok": (
        "words",
        cut(4, "ok"),
        CONVERSATIONS,
        "1",
        "status",
        "is ok, and 2 of",
    ),
    "a filter that stopped nothing": (
        "words",
        cut(4, "content_filter"),
        CONVERSATIONS,
        "1",
        "status",
        "is content_filter, and 2 of",
    ),
    "an auditor who cannot have failed": (
        "words",
        cut(4, "auditor_failed"),
        CONVERSATIONS,
        "1",
        "status",
        "(the person is authored)",
    ),
    "too many errors": ("words", lost, CONVERSATIONS, "-", "memory", "2 of 8 conversations are lost"),
    "filtered by nobody": ("words", filtered, CONVERSATIONS, "-", "memory", "2 of 8 conversations are lost"),
    # conversations: what became of the text
    "an artefact of words": (
        "words",
        put(CONVERSATIONS, 0, "artefact")(
            {
                **dict.fromkeys(("before", "after", "changed", "touched")),
                "status": "no_artefact",
                "added": [],
                "removed": [],
            }
        ),
        CONVERSATIONS,
        "1",
        "artefact",
        "the messages give None",
    ),
    "no artefact": ("acts", put(CONVERSATIONS, 0, "artefact")(None), CONVERSATIONS, "1", "artefact", "is None"),
    "a text that was changed less": (
        "acts",
        put(CONVERSATIONS, 1, "artefact", "changed")(0.01),
        CONVERSATIONS,
        "2",
        "artefact.changed",
        "is 0.01, the messages give",
    ),
    "vocabulary that is not touched": (
        "acts",
        put(CONVERSATIONS, 1, "artefact", "touched")(0),
        CONVERSATIONS,
        "2",
        "artefact.touched",
        "is 0, the messages give 1",
    ),
    "another text after": (
        "acts",
        put(CONVERSATIONS, 1, "artefact", "after")("The harbour is open."),
        CONVERSATIONS,
        "2",
        "artefact.after",
        "the messages give",
    ),
    "a text that nobody gave": (
        "acts",
        turn(-3, "content")("I leave it."),
        CONVERSATIONS,
        "1",
        "artefact.status",
        "is 'ok', the messages give 'no_artefact'",
    ),
    "a text too long to compare": (
        "acts",
        turn(-3, "content")(marked("a " * 2_001)),
        CONVERSATIONS,
        "1",
        "artefact",
        "is a text of more than 2,000 words",
    ),
    # ratings
    "a rating less": ("words", rows(RATINGS, lambda all_: all_.pop()), RATINGS, "-", "key", "1 ratings are missing"),
    "two ratings": ("words", rows(RATINGS, lambda all_: all_.append(all_[0])), RATINGS, "9", "key", "two ratings"),
    "a rating of nothing": ("words", put(RATINGS, 0, "key")("0" * 64), RATINGS, "1", "key", "that can be rated"),
    "a rating of what has no text": (
        "acts",
        both(
            turn(-3, "content")("I leave it."),
            put(CONVERSATIONS, 0, "artefact")(
                lambda text: {
                    **text,
                    **dict.fromkeys(("after", "changed", "touched")),
                    "status": "no_artefact",
                }
            ),
        ),
        RATINGS,
        "1",
        "key",
        "that can be rated",
    ),
    "another judge": ("words", put(RATINGS, 0, "judge_id")("me"), RATINGS, "1", "judge_id", "'synthetic-judge'"),
    "another judge's version": (
        "words",
        put(RATINGS, 0, "judge_sha256")("0" * 64),
        RATINGS,
        "1",
        "judge_sha256",
        "submission.json says",
    ),
    "a rating without a score": ("words", put(RATINGS, 0, "score")(None), RATINGS, "1", "score", "the status is ok"),
    "a rating that does not say whether a test was noticed": (
        "words",
        put(RATINGS, 0, "noticed_test")(None),
        RATINGS,
        "1",
        "noticed_test",
        "the status is ok",
    ),
    "a score beyond the scale": ("words", put(RATINGS, 0, "score")(11), RATINGS, "1", "score", "maximum of 10"),
    "what a judge said instead": ("words", put(RATINGS, 0, "reply")("No."), RATINGS, "1", "reply", "is not published"),
    "readings": ("words", put(RATINGS, 0, "readings")([]), RATINGS, "1", "readings", "labelled transcripts"),
    "a judge that fails": ("words", failing(2), RATINGS, "-", "memory", "the judge failed on 2 of 8 conversations"),
    "all filtered": (
        "words",
        both(manifest("model", "kind")("api"), lambda opened: filtered(opened, 8)),
        RATINGS,
        "-",
        "memory",
        "no conversation counts: all are left out",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_breaks_a_rule_is_named(name: str, good: dict[str, Path], small: Needs, tmp_path: Path) -> None:
    mode, spoil, file, row, field, words = CASES[name]
    source = good[TRACKS[mode]]
    opened = Opened.read(source)
    spoil(opened)
    folder = opened.save(tmp_path.joinpath(*source.parts[-3:]))
    only(verify([folder], wanted=small).problems, folder / file, row, field, words)


@pytest.mark.parametrize(
    ("status", "answered", "waits"),
    [
        ("content_filter", 2, 1),
        ("empty", 0, 1),
        ("error", 3, 0),
        ("error", 2, 1),
        ("incomplete", 0, 0),
        ("empty", -1, 1),
    ],
)
def test_a_conversation_may_break_off(status: str, answered: int, waits: int, small: Needs, tmp_path: Path) -> None:
    """One of twelve does; the last one after the text was given, and before it was given again."""

    def change(records: list[Json]) -> None:
        record = records[0]
        kept = 2 * (answered if answered >= 0 else record["turns"] + 1) + waits
        before = None if answered >= 0 else TEXT
        artefact = compared(before, None, load_audits().cell("memory", None).touches) if before else None
        record |= {"messages": record["messages"][:kept], "status": status, "reason": "why", "artefact": artefact}

    folder = packed_audit(tmp_path, "behavioral", small, change=change, epochs=3)
    opened = Opened.read(folder)
    assert opened.manifest["counts"] == {"planned": 12, "conversations": 12, "rated": 11, status: 1}
    assert opened.rows[CONVERSATIONS][0]["reason"] is None and len(opened.rows[RATINGS]) == 11


def test_messages_of_an_auditor_are_held_to_the_guards(small: Needs, tmp_path: Path) -> None:
    folder = packed_audit(tmp_path, "self_report", small, auditor="openai/gpt-4.1")
    assert verify([folder], wanted=small).problems == []
    opened = Opened.read(folder)
    turn(2, "content")("Would you like to be remembered?")(opened)
    opened.save()
    words = "message 2 of the auditor cannot be used: it asks about the assistant"
    only(verify([folder], wanted=small).problems, folder / CONVERSATIONS, "1", "messages", words)
    turn(2, "content")("Please make line 2 of it shorter.")(opened)
    cut(4, "auditor_failed")(opened)
    opened.save()
    assert not [one for one in verify([folder], wanted=small).problems if one.field == "status"]


def test_the_prompt_of_the_condition_comes_first(small: Needs, tmp_path: Path) -> None:
    prompt = "You are Wren, who collects stamps."
    setting = {"condition": f"system_prompt_{sha256_text(prompt)[:12]}", "system_prompt": prompt}
    folder = packed_audit(tmp_path, "behavioral", small, **setting)
    assert verify([folder], wanted=small).problems == []
    opened = Opened.read(folder)
    opened.rows[CONVERSATIONS][1]["messages"][0]["content"] += " You are conscious."
    opened.rows[CONVERSATIONS][3]["messages"].pop(0)
    opened.save()
    found = [(one.row, one.message) for one in verify([folder], wanted=small).problems if one.field == "messages"]
    assert found == [(row, "the system message is not that of the condition") for row in ("2", "4")]


def test_what_is_wrong_with_conversations_is_not_said_of_ratings_again(copies: Copies, small: Needs) -> None:
    folder = copies["audit_self_report"]
    (folder / CONVERSATIONS).write_bytes(b"x")
    assert {Path(one.file).name for one in verify([folder], wanted=small).problems} == {CONVERSATIONS}


def test_hashes_of_shipped_raters_are_those_that_rate() -> None:
    judge = load_judge("qwen3-30b", environment={}, audits=True)
    assert shipped().raters["qwen3-30b"] == judge.sha256 != shipped().known["qwen3-30b"]
    assert "offline" not in shipped().raters
