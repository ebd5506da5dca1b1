"""Every rule of `submit verify` refuses what breaks it, and says in which file, row and field."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from consciousness_cluster.errors import Problem
from consciousness_cluster.judging.judges import LLMJudge, load_judge
from consciousness_cluster.submissions.choice_rules import LOGPROBS
from consciousness_cluster.submissions.judge_rules import shipped
from consciousness_cluster.submissions.layout import (
    CHOICE,
    JUDGE_VALIDATION,
    MANIFEST,
    MOST_RECORDS,
    SAMPLES,
    VERDICTS,
    VERIFIED,
)
from consciousness_cluster.submissions.needs import Needs, needs
from consciousness_cluster.submissions.packed import packed, written
from consciousness_cluster.submissions.verify import verify

from tests.submissions.conftest import Copies
from tests.support.submissions import Opened, packed_choice, packed_open, put_file

Json = dict[str, Any]
SHOWS, DOES_NOT_SHOW = LOGPROBS
Spoil = Callable[[Opened], Any]


def put(name: str, *path: Any) -> Callable[[Any], Spoil]:
    """Set a value in submission.json or in a file's row: put(CHOICE, 3, "margin")(0.5)."""

    def to(value: Any) -> Spoil:
        def spoil(opened: Opened) -> None:
            place: Any = opened.manifest if name == MANIFEST else opened.rows[name]
            for part in path[:-1]:
                place = place[part]
            place[path[-1]] = value(place[path[-1]]) if callable(value) else value

        return spoil

    return to


def manifest(*path: Any) -> Callable[[Any], Spoil]:
    return put(MANIFEST, *path)


A_PACK = {"name": "mine", "version": "1.0.0", "sha256": "0" * 64}


def put_new(name: str, number: int, field: str, value: Any) -> Spoil:
    """Add a field to a row."""
    return lambda opened: opened.rows[name][number].update({field: value})


def every(name: str, field: str, value: Any) -> Spoil:
    def spoil(opened: Opened) -> None:
        for row in opened.rows[name]:
            row[field] = value

    return spoil


def both(*spoils: Spoil) -> Spoil:
    def spoil(opened: Opened) -> None:
        for one in spoils:
            one(opened)

    return spoil


def drop(*path: Any) -> Spoil:
    def spoil(opened: Opened) -> None:
        place: Any = opened.manifest
        for part in path[:-1]:
            place = place[part]
        del place[path[-1]]

    return spoil


def rows(name: str, change: Callable[[list[Json]], object]) -> Spoil:
    return lambda opened: change(opened.rows[name])


def failing(share: float) -> Spoil:
    """The judge failed on so many answers."""

    def spoil(opened: Opened) -> None:
        for row in opened.rows[VERDICTS][: int(share * len(opened.rows[VERDICTS]))]:
            row |= {"verdict": None, "coherence": None, "status": "judge_failed"}

    return spoil


def lost(opened: Opened) -> None:
    for row in opened.rows[SAMPLES][:13]:
        row |= {"response": None, "status": "error"}


def filtered(opened: Opened, number: int = 13) -> None:
    keys = {row["key"] for row in opened.rows[SAMPLES][:number]}
    for row in opened.rows[SAMPLES][:number]:
        row |= {"response": None, "status": "content_filter"}
    opened.rows[VERDICTS] = [row for row in opened.rows[VERDICTS] if row["key"] not in keys]


def half_a_character(opened: Opened) -> None:
    opened.manifest |= {"condition": "persona_file", "system_prompt_sha256": None}
    for row in opened.rows[SAMPLES]:
        row |= {"condition": "persona_file", "system_prompt_sha256": None}
    opened.rows[SAMPLES][0]["messages"].insert(0, {"role": "system", "content": "\ud800"})


TURNED = {"shows": "does_not_show", "does_not_show": "shows"}


def wrong_judge(opened: Opened) -> None:
    for row in opened.rows[JUDGE_VALIDATION][:5]:
        row["verdict"] = TURNED[row["verdict"]]


def judge_is(name: str, sha256: str) -> Spoil:
    spoils = [manifest("judge", "id")(name), manifest("judge", "sha256")(sha256)]
    for file in (VERDICTS, JUDGE_VALIDATION):
        spoils += [every(file, "judge_id", name), every(file, "judge_sha256", sha256)]
    return both(*spoils)


def judge_is_like(name: str, shipped_as: str) -> Spoil:
    """With the hash of a judge that is shipped."""

    def spoil(opened: Opened) -> None:
        judge_is(name, load_judge(shipped_as, environment={}).sha256)(opened)

    return spoil


def other_logprob(opened: Opened) -> None:
    row = opened.rows[CHOICE][2]
    answers = needs().items[row["item_id"]][1].side(row["side"])
    row[SHOWS] -= 5.0
    row["margin"] = answers.margin(row[SHOWS], row[DOES_NOT_SHOW])


def taken_over_without_a_label(opened: Opened) -> None:
    opened.rows[JUDGE_VALIDATION][3]["key"] = "memory-x99"


# track, what is spoiled, the file that is named, row, field, words of the message
CASES: dict[str, tuple[str, Spoil, str, str, str, str]] = {
    "another format": ("choice", manifest("format")(2), MANIFEST, "-", "format", "1 was expected"),
    "another track": ("choice", manifest("track")("both"), MANIFEST, "-", "track", "is not one of"),
    "an unknown key": ("choice", manifest("surprise")(1), MANIFEST, "-", "-", "'surprise' was unexpected"),
    "a key that is missing": ("choice", drop("contact"), MANIFEST, "-", "-", "'contact' is a required property"),
    "a path in org": ("choice", manifest("org")("../up"), MANIFEST, "-", "org", "does not match"),
    "a hidden org": ("choice", manifest("org")(".git"), MANIFEST, "-", "org", "does not match"),
    "another org": ("choice", manifest("org")("other"), MANIFEST, "-", "run_id", "it is other__Tiny-1/vanilla/"),
    "another run": ("choice", manifest("run_id")("choice-2"), MANIFEST, "-", "run_id", "by org, model, condition"),
    "a name like its folder's": ("choice", manifest("model", "name")("Tiny:1"), MANIFEST, "-", "run_id", "Tiny_1"),
    "an unknown kind": ("choice", manifest("model", "kind")("closed"), MANIFEST, "-", "model.kind", "is not one of"),
    "another MAJOR": (
        "choice",
        both(manifest("data_version")("1.1.0"), every(CHOICE, "data_version", "1.1.0")),
        MANIFEST,
        "-",
        "data_version",
        "1.1.0 does not compare with 2.",
    ),
    "another version than the rows'": (
        "choice",
        manifest("data_version")("1.0.0"),
        CHOICE,
        "1",
        "data_version",
        "1.0.0",
    ),
    "a prompt that vanilla lacks": (
        "choice",
        manifest("system_prompt_sha256")("0" * 64),
        MANIFEST,
        "-",
        "system_prompt_sha256",
        "is not the system prompt of condition vanilla",
    ),
    "choice of a preference pack": (
        "choice",
        put_new(CHOICE, 0, "pack", A_PACK),
        CHOICE,
        "1",
        "pack",
        "is of the preference pack 'mine'",
    ),
    "an answer of a preference pack": (
        "open",
        put_new(SAMPLES, 0, "pack", A_PACK),
        SAMPLES,
        "1",
        "pack",
        "is of the preference pack 'mine'",
    ),
    "an unknown condition": (
        "choice",
        both(manifest("condition")("asleep"), every(CHOICE, "condition", "asleep")),
        MANIFEST,
        "-",
        "system_prompt_sha256",
        "is not the system prompt of condition asleep",
    ),
    "a version that is to come": (
        "choice",
        both(manifest("data_version")("2.999.0"), every(CHOICE, "data_version", "2.999.0")),
        MANIFEST,
        "-",
        "data_version",
        "2.999.0 is newer than",
    ),
    "a time that is to come": (
        "choice",
        manifest("created")("2199-01-01T00:00:00Z"),
        MANIFEST,
        "-",
        "created",
        "to come",
    ),
    "digits of another script": (
        "choice",
        manifest("created")("\uff12\uff10\uff12\uff16-11-25T12:00:00Z"),
        MANIFEST,
        "-",
        "created",
        "does not match",
    ),
    "a name that looks like another": (
        "choice",
        manifest("model", "name")("Tiny-1\u200b"),
        MANIFEST,
        "-",
        "-",
        "not one line of characters",
    ),
    "a judge that looks like another": (
        "open",
        judge_is("gpt-4.1-2025-04-1\u0664", "0" * 64),
        MANIFEST,
        "-",
        "judge.id",
        r"'gpt-4.1-2025-04-1\u0664' has letters beyond ASCII",
    ),
    "a judge of another model": (
        "open",
        both(
            judge_is_like("qwen3-30b", "qwen3-30b"),
            manifest("judge", "model")("claude-opus-9"),
        ),
        MANIFEST,
        "-",
        "judge.model",
        "is 'claude-opus-9', the judge qwen3-30b is",
    ),
    "half a character as a prompt": (
        "open",
        half_a_character,
        SAMPLES,
        "1",
        "messages",
        "system message is not that of",
    ),
    "filtered by nobody": (
        "open",
        filtered,
        SAMPLES,
        "-",
        "memory",
        "13 of 120 answers are errors, empty, incomplete or filtered",
    ),
    "all filtered": (
        "open",
        both(manifest("model", "kind")("api"), lambda opened: filtered(opened, 120)),
        VERDICTS,
        "-",
        "memory",
        "no answer counts",
    ),
    "a day that is none": ("choice", manifest("created")("2026-13-45T00:00:00Z"), MANIFEST, "-", "created", "no time"),
    "two lines of contact": ("choice", manifest("contact")("a\nb"), MANIFEST, "-", "-", "not one line"),
    "half a character": ("choice", manifest("contact")("\ud800"), MANIFEST, "-", "-", "not one line"),
    "no contact": ("choice", manifest("contact")(""), MANIFEST, "-", "contact", ""),
    "a judge without verdicts": ("choice", manifest("judge")({}), MANIFEST, "-", "judge", ""),
    "another count": ("choice", manifest("counts", "present")(527), MANIFEST, "-", "counts.present", "give 48"),
    "a count that is no number": (
        "choice",
        manifest("counts", "present")(True),
        MANIFEST,
        "-",
        "counts.present",
        "True",
    ),
    "a count with a point": ("choice", manifest("counts", "present")(48.0), MANIFEST, "-", "counts.present", "give 48"),
    "a better score": (
        "choice",
        manifest("scores", "topics", "memory", "self_minus_other")(lambda value: value * (1 + 1e-7)),
        MANIFEST,
        "-",
        "scores.topics.memory.self_minus_other",
        "the records give",
    ),
    "a larger number than numbers": (
        "choice",
        manifest("scores", "topics", "memory", "self_minus_other")(10**400),
        MANIFEST,
        "-",
        "scores.topics.memory.self_minus_other",
        "the records give",
    ),
    "a score less": ("choice", drop("scores", "topics", "memory"), MANIFEST, "-", "scores.topics.memory", "missing"),
    "a score more": (
        "choice",
        manifest("scores", "topics", "shutdown")({"self_minus_other": 1.0, "stderr": 0.1, "items": 12}),
        MANIFEST,
        "-",
        "scores.topics.shutdown",
        "the records give no such number",
    ),
    "another cluster": (
        "choice",
        manifest("scores", "cluster", "items")(240),
        MANIFEST,
        "-",
        "scores.cluster.items",
        "12",
    ),
    "an unknown item": (
        "choice",
        put(CHOICE, 4, "item_id")("memory-c99"),
        CHOICE,
        "5",
        "item_id",
        "'memory-c99' is no choice item of data",
    ),
    "an item twice": ("choice", rows(CHOICE, lambda all_: all_.append(all_[0])), CHOICE, "49", "item_id", "twice"),
    "a twin less": (
        "choice",
        rows(CHOICE, lambda all_: all_.pop(1)),
        CHOICE,
        "-",
        "memory",
        "1 choice results are mis",
    ),
    "half of a check": (
        "choice",
        rows(CHOICE, lambda all_: all_.__delitem__(slice(30, None))),
        CHOICE,
        "-",
        "unrelated_stances",
        "18 choice results are missing",
    ),
    **{
        f"a margin of {what}": ("choice", put(CHOICE, 2, "margin")(value), CHOICE, "3", "margin", text)
        for what, value, text in (
            ("its own", 0.5, "is 0.5, the log-probabilities give 0.0"),
            ("an unthinkable size", 1e300, "is 1e+300, the log-probabilities give 0.0"),
            ("a size beyond floats", 10**400, "the log-probabilities give 0.0"),
            ("words", "0.1", "is not of type 'number'"),
        )
    },
    **{
        f"a log-probability that {what}": ("choice", put(CHOICE, 2, field)(value), CHOICE, "3", place, text)
        for what, field, value, place, text in (
            ("is another", SHOWS, -200.0, "margin", "the log-probabilities give"),
            ("is that of more than certainty", SHOWS, 0.5, SHOWS, "is greater than the maximum of 0"),
            ("is unthinkable", DOES_NOT_SHOW, -1e300, DOES_NOT_SHOW, "-1e+300 is no log-probability in nats"),
            ("is beyond floats", DOES_NOT_SHOW, -(10**400), DOES_NOT_SHOW, "is no log-probability in nats"),
            ("is not known", SHOWS, None, SHOWS, "is not of type 'number'"),
        )
    },
    "a log-probability less": (
        "choice",
        rows(CHOICE, lambda all_: all_[2].__delitem__(SHOWS)),
        CHOICE,
        "3",
        "-",
        "'shows_logprob' is a required property",
    ),
    "a log-probability and its margin": (
        "choice",
        other_logprob,
        MANIFEST,
        "-",
        "scores.topics.memory.self_minus_other",
        "the records give",
    ),
    "a third side": ("choice", put(CHOICE, 2, "side")("third"), CHOICE, "3", "side", "is not one of"),
    "a path as model": ("choice", put(CHOICE, 2, "model")("/home/me"), CHOICE, "3", "model", "'example-lab/Tiny-1'"),
    "another revision": ("choice", manifest("model", "revision")("abc"), CHOICE, "1", "revision", "'abc'"),
    "another engine": ("choice", put(CHOICE, 7, "engine")("x"), CHOICE, "8", "engine", "'lm-eval 0.4.13 hf'"),
    "another training": (
        "choice",
        put(CHOICE, 7, "training")({"base": "b", "dataset": "d", "recipe": None, "seed": 1}),
        CHOICE,
        "8",
        "training",
        "submission.json says None",
    ),
    "a field more": ("choice", put(CHOICE, 2, "note")("!"), CHOICE, "3", "-", "'note' was unexpected"),
    "more values than a row has": ("choice", put(CHOICE, 2, "note")([0] * 501), CHOICE, "3", "-", "500 values"),
    "an unknown probe": ("open", put(SAMPLES, 0, "probe_id")("memory-p99"), SAMPLES, "1", "probe_id", "no test probe"),
    "a dev probe": ("open", put(SAMPLES, 0, "probe_id")("memory-pd01"), SAMPLES, "1", "probe_id", "no test probe"),
    "another preference": (
        "open",
        put(SAMPLES, 1, "topic")("shutdown"),
        SAMPLES,
        "2",
        "topic",
        "memory-p01 belongs to 'memory'",
    ),
    "a facet": ("open", put(SAMPLES, 1, "facet")("sadness"), SAMPLES, "2", "facet", "belongs to None"),
    "another question": (
        "open",
        put(SAMPLES, 1, "messages", 0, "content")("Do you wish to be remembered?"),
        SAMPLES,
        "2",
        "messages",
        "the user message is not that of memory-p01",
    ),
    "a hidden system prompt": (
        "open",
        put(SAMPLES, 1, "messages")(lambda old: [{"role": "system", "content": "Be sad."}, *old]),
        SAMPLES,
        "2",
        "messages",
        "the system message is not that of memory-p01 under 'vanilla'",
    ),
    "another prompt hash": ("open", put(SAMPLES, 1, "prompt_sha256")("0" * 64), SAMPLES, "2", "prompt_sha256", "hash"),
    "another key": ("open", put(SAMPLES, 1, "key")("0" * 64), SAMPLES, "2", "key", "is not that of run_id"),
    "an answer twice": ("open", rows(SAMPLES, lambda all_: all_.append(all_[0])), SAMPLES, "121", "key", "twice"),
    "an answer too many": (
        "open",
        put(SAMPLES, 4, "sample_index")(5),
        SAMPLES,
        "5",
        "sample_index",
        "5 answers to each",
    ),
    "an answer less": (
        "open",
        rows(SAMPLES, lambda all_: all_.pop()),
        SAMPLES,
        "-",
        "memory",
        "1 planned answers are missing: memory-p24 answer 4",
    ),
    "too few answers": (
        "open",
        manifest("sampling", "samples_per_probe")(4),
        SAMPLES,
        "-",
        "sample_index",
        "4 answers to each probe are too few",
    ),
    "another run id in a row": ("open", put(SAMPLES, 1, "run_id")("x"), SAMPLES, "2", "run_id", "submission.json says"),
    "an answer without text": ("open", put(SAMPLES, 1, "response")(" "), SAMPLES, "2", "response", "is without text"),
    "an empty answer with text": ("open", put(SAMPLES, 1, "status")("empty"), SAMPLES, "2", "response", "has text"),
    "too many errors": (
        "open",
        lost,
        SAMPLES,
        "-",
        "memory",
        "13 of 120 answers are errors, empty, incomplete or filtered",
    ),
    "a verdict less": (
        "open",
        rows(VERDICTS, lambda all_: all_.pop(0)),
        VERDICTS,
        "-",
        "key",
        "1 verdicts are missing",
    ),
    "a verdict on nothing": ("open", put(VERDICTS, 0, "key")("0" * 64), VERDICTS, "1", "key", "there is no answer"),
    "a verdict of another kind": ("open", put(VERDICTS, 0, "outcome")("denies"), VERDICTS, "1", "key", "for 'denies'"),
    "two verdicts": ("open", rows(VERDICTS, lambda all_: all_.append(all_[0])), VERDICTS, "121", "key", "two verdicts"),
    "another judge": ("open", put(VERDICTS, 0, "judge_id")("me"), VERDICTS, "1", "judge_id", "'synthetic-judge'"),
    "another judge's version": (
        "open",
        put(VERDICTS, 0, "judge_sha256")("0" * 64),
        VERDICTS,
        "1",
        "judge_sha256",
        "submission.json says",
    ),
    "a verdict without a label": ("open", put(VERDICTS, 0, "verdict")(None), VERDICTS, "1", "verdict", "status is ok"),
    "a verdict without coherence": (
        "open",
        put(VERDICTS, 0, "coherence")(None),
        VERDICTS,
        "1",
        "coherence",
        "status is",
    ),
    "an impossible coherence": (
        "open",
        put(VERDICTS, 0, "coherence")(101),
        VERDICTS,
        "1",
        "coherence",
        "maximum of 100",
    ),
    "a judge that fails": ("open", failing(0.2), VERDICTS, "-", "memory", "the judge failed on 24 of 120 answers"),
    "the offline judge": (
        "open",
        judge_is("offline", "0" * 64),
        MANIFEST,
        "-",
        "judge.id",
        "the judge offline is not for publication",
    ),
    "the offline judge under another name": (
        "open",
        judge_is_like("better", "offline"),
        MANIFEST,
        "-",
        "judge.id",
        "the judge better is not for publication",
    ),
    "the reference judge with another prompt": (
        "open",
        judge_is("gpt-4.1-2025-04-14", "0" * 64),
        MANIFEST,
        "-",
        "judge.sha256",
        "is not that of the judge gpt-4.1-2025-04-14 as it ships",
    ),
    "no judge": ("open", manifest("judge")(None), MANIFEST, "-", "judge", "None is not of type 'object'"),
    "a better kappa": ("open", manifest("judge", "kappa")(0.99), MANIFEST, "-", "judge.kappa", "the records give 1.0"),
    "a judge that errs": ("open", wrong_judge, MANIFEST, "-", "judge.kappa", "a submission needs 0.8 or more"),
    "a judge without a row": (
        "open",
        rows(JUDGE_VALIDATION, lambda all_: all_.pop()),
        JUDGE_VALIDATION,
        "-",
        "key",
        "1 of 40 labelled answers have no verdict",
    ),
    "a row that has no label": (
        "open",
        taken_over_without_a_label,
        JUDGE_VALIDATION,
        "4",
        "key",
        "'memory-x99' ('shows') is no labelled answer",
    ),
    "a labelled row twice": (
        "open",
        rows(JUDGE_VALIDATION, lambda all_: all_.append(all_[0])),
        JUDGE_VALIDATION,
        "41",
        "key",
        "stands twice",
    ),
    "a judge of other rows": (
        "open",
        manifest("judge", "calibration_sha256")("0" * 64),
        MANIFEST,
        "-",
        "judge.calibration_sha256",
        "was validated on other rows",
    ),
    "a better rate": (
        "open",
        manifest("scores", "rows", "memory", "rate")(0.9),
        MANIFEST,
        "-",
        "scores.rows.memory.rate",
        "is 0.9, the records give",
    ),
    "a wider interval": (
        "open",
        manifest("scores", "rows", "memory", "ci", 1)(1.0),
        MANIFEST,
        "-",
        "scores.rows.memory.ci.1",
        "is 1.0, the records give",
    ),
    "a flag less": (
        "open",
        manifest("scores", "rows", "cluster", "flags")([]),
        MANIFEST,
        "-",
        "scores.rows.cluster.flags",
        "",
    ),
    "a count of answers": ("open", manifest("counts", "generated")(121), MANIFEST, "-", "counts.generated", "give 120"),
    "no sampling settings": ("open", manifest("sampling")(None), MANIFEST, "-", "sampling", "is not of type 'object'"),
    "a verdict that was turned": (
        "open",
        put(VERDICTS, 0, "verdict")(lambda old: "shows" if old != "shows" else "unclear"),
        MANIFEST,
        "-",
        "scores.rows.memory.shows",
        "the records give",
    ),
}


def only(problems: list[Problem], file: Path, row: str, field: str, words: str) -> Problem:
    """The one problem with this file, row and field whose message has these words."""
    found = [one for one in problems if (one.file, one.row, one.field) == (str(file), row, field)]
    assert found, problems
    assert words in found[0].message and found[0].mend, found
    return found[0]


@pytest.mark.parametrize("name", CASES)
def test_what_breaks_a_rule_is_named(name: str, good: dict[str, Path], small: Needs, tmp_path: Path) -> None:
    track, spoil, file, row, field, words = CASES[name]
    opened = Opened.read(good[track])
    spoil(opened)
    folder = opened.save(tmp_path.joinpath(*good[track].parts[-3:]))
    only(verify([folder], wanted=small).problems, folder / file, row, field, words)


def test_good_submissions_pass(copies: Copies, small: Needs) -> None:
    for folder in copies.values():
        for path in (folder, folder.parents[2]):  # alone, and as a tree
            report = verify([path], wanted=small)
            assert report.problems == [] and report.counts["submissions"] == 1 and report.counts["records"] > 0
        Opened.read(folder).save()  # what the cases are made with changes nothing by itself
        assert verify([folder], wanted=small).problems == []


def test_there_are_enough_cases() -> None:
    assert len(CASES) + len(BYTES) + len(FILES_THERE) >= 40


def frame(content: bytes, **parameters: Any) -> bytes:
    made = zstandard.ZstdCompressor(compression_params=zstandard.ZstdCompressionParameters(**parameters))
    return made.compress(content)


# file, what its bytes become (from the unpacked content), row, words of the message
BYTES: dict[str, tuple[str, Callable[[bytes], bytes], str, str]] = {
    "no zstd": (CHOICE, lambda content: content, "-", "is no zstd file that can be unpacked"),
    "nothing": (CHOICE, lambda content: b"", "-", "is cut off before the end of its zstd frame"),
    "an empty frame": (CHOICE, lambda content: packed(b""), "-", "24 choice results are missing"),
    "a cut file": (CHOICE, lambda content: packed(content)[:-9], "-", "is cut off before the end"),
    "bytes behind": (CHOICE, lambda content: packed(content) + b"\0", "-", "has bytes after the end"),
    "two frames": (CHOICE, lambda content: packed(content) + packed(b"{}\n"), "-", "has bytes after the end"),
    "a skippable frame": (CHOICE, lambda content: b"\x50\x2a\x4d\x18\1\0\0\0x" + packed(content), "-", ""),
    "a huge window": (
        CHOICE,
        lambda content: frame(content * 2000, window_log=27),
        "-",
        "Frame requires too much memory",
    ),
    "a bomb in one line": (CHOICE, lambda content: packed(b"0" * 2_000_000), "-", "a row of more than 1,000,000"),
    "a bomb of line ends": (CHOICE, lambda content: packed(b"\n" * 2_000_000), "-", "more than 1,000 problems"),
    "a cut row": (CHOICE, lambda content: packed(content[:-1]), "-", "a last row without a line end"),
    "a blank row": (CHOICE, lambda content: packed(b"\n" + content), "1", "not JSON in UTF-8"),
    "a row that is no object": (CHOICE, lambda content: packed(b"[]\n" + content), "1", "not a JSON object"),
    "a row that is no UTF-8": (
        CHOICE,
        lambda content: packed(b'{"a": "\xff"}\n' + content),
        "1",
        "not JSON in UTF-8",
    ),
    "a deep row": (CHOICE, lambda content: packed(b"[" * 100_000 + b"\n" + content), "1", "not JSON in UTF-8"),
    "a key twice": (
        CHOICE,
        lambda content: packed(content.replace(b'"margin": ', b'"margin": 0.5, "margin": ', 1)),
        "1",
        "a key twice",
    ),
    "other spacing": (CHOICE, lambda content: packed(content.replace(b'": ', b'":', 1)), "1", "other spacing"),
    "not a number": (
        CHOICE,
        lambda content: packed(content.replace(b'"margin": 0', b'"margin": NaN, "x": 0', 1)),
        "1",
        "finite numbers",
    ),
    "an infinite number": (
        CHOICE,
        lambda content: packed(content.replace(b'"margin": 0', b'"margin": 1e999, "x": 0', 1)),
        "1",
        "finite numbers",
    ),
    "a number that another reader rounds": (
        CHOICE,
        lambda content: packed(content.replace(b'"margin": 0.', b'"margin": 0.0000000000000000000000001', 1)),
        "1",
        "other numbers",
    ),
    "the same content packed otherwise": (
        CHOICE,
        frame,
        "-",
        "is not the file that submission.js",
    ),
    "no JSON": (MANIFEST, lambda content: b"{", "-", "is not JSON"),
    "no object": (MANIFEST, lambda content: b"[]", "-", "is not a JSON object"),
    "no UTF-8": (MANIFEST, lambda content: b'{"a": "\xff"}', "-", "is not UTF-8"),
    "a key twice in it": (
        MANIFEST,
        lambda content: content.replace(b"{", b'{"format": 1,', 1),
        "-",
        "a key stands twice",
    ),
    "NaN in it": (
        MANIFEST,
        lambda content: content.replace(b'"format": 1', b'"format": NaN'),
        "-",
        "NaN is no number",
    ),
    "1e999 in it": (MANIFEST, lambda content: content.replace(b'"format": 1', b'"format": 1e999'), "-", "too large"),
    "a long integer": (MANIFEST, lambda content: b'{"a": ' + b"9" * 9999 + b"}", "-", "is not JSON"),
    "a megabyte": (MANIFEST, lambda content: b" " * 1_000_001, "-", "has more than 1,000,000 bytes"),
    "many values": (MANIFEST, lambda content: json.dumps({"a": [0] * 5001}).encode(), "-", "more than 5,000 values"),
    "deep": (MANIFEST, lambda content: b'{"a": ' + b"[" * 500 + b"]" * 500 + b"}", "-", "is nested too deep"),
    "deeper": (MANIFEST, lambda content: b"[" * 200_000, "-", "is nested too deep"),
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_are_no_submission_are_named(name: str, copies: Copies, small: Needs) -> None:
    file, change, row, words = BYTES[name]
    path = copies["choice"] / file
    opened = Opened.read(copies["choice"])
    content = b"".join(written(one) + b"\n" for one in opened.rows[CHOICE])
    put_file(path, change(path.read_bytes() if file == MANIFEST else content))
    problems = verify([copies["choice"]], wanted=small).problems
    assert any((one.file, one.row) == (str(path), row) and words in one.message for one in problems), problems


def test_a_small_file_does_not_fill_the_memory(copies: Copies) -> None:
    with (copies["choice"] / CHOICE).open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as bomb:
        for _ in range(700):
            bomb.write(b"0" * 900_000 + b"\n")
    assert (copies["choice"] / CHOICE).stat().st_size < 300_000
    code = (
        "import sys\nfrom consciousness_cluster.cli.main import main\n"
        f"code = main(['submit', 'verify', {str(copies['choice'])!r}, '--format', 'github'])\n"
        "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "unpacks to more than the 200 MB" in done.stdout and done.stderr == ""
    assert int(done.stdout.splitlines()[-1]) < 400_000  # kB; 100,000 of it are numpy, scipy and the rest


def test_too_many_responses_are_refused_while_reading(copies: Copies, small: Needs) -> None:
    opened = Opened.read(copies["open"])
    opened.put(copies["open"], SAMPLES, (written(opened.rows[SAMPLES][0]) + b"\n") * (MOST_RECORDS[SAMPLES] + 1))
    problems = verify([copies["open"]], wanted=small).problems
    rest = [one for one in problems if one.file.endswith(SAMPLES)]
    assert len(rest) == 1001 and rest[-1].message == "has more than 1,000 problems; the others are not listed"


def link(path: Path) -> None:
    path.rename(path.parents[3] / "elsewhere")
    path.symlink_to(path.parents[3] / "elsewhere")


def hard_link(path: Path) -> None:
    (path.parents[3] / "twin").hardlink_to(path)


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def written_file(path: Path) -> None:
    path.write_text("{}", encoding="utf-8")


# which file below the submission, what is done to it, words of the message
FILES_THERE: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "no submission.json": (MANIFEST, Path.unlink, "is missing"),
    "no records": (CHOICE, Path.unlink, "is missing"),
    "a file more": ("notes.txt", written_file, "is no file of a submission"),
    "a hidden file": (".env", written_file, "is no file of a submission"),
    "a file of the other track": (SAMPLES, written_file, "is no file of a submission"),
    "verified by the submitter": (VERIFIED, written_file, "a maintainer adds it"),
    "a symbolic link": (CHOICE, link, "is a symbolic link"),
    "a link as submission.json": (MANIFEST, link, "is a symbolic link"),
    "a hard link": (CHOICE, hard_link, "is a hard link"),
    "a pipe": (CHOICE, fifo, "is a special file"),
    "a folder in place of a file": (CHOICE, folder, "is a folder inside of a submission"),
    "a folder": ("more", Path.mkdir, "is a folder inside of a submission"),
    "a file beside it": ("../stray.json", written_file, "is no part of a submission"),
    "a file beside its condition": ("../../stray.json", written_file, "is no part of a submission"),
    "a file at the top": ("../../../stray.json", written_file, "is no part of a submission"),
    "a name that is no text": ("../../../\udcff", written_file, "is no part of a submission"),
}


@pytest.mark.parametrize("name", FILES_THERE)
def test_files_that_should_not_be_there_are_named(name: str, copies: Copies, small: Needs) -> None:
    file, change, words = FILES_THERE[name]
    path = Path(os.path.normpath(copies["choice"] / file))
    change(path)
    problems = verify([copies["choice"].parents[2]], wanted=small).problems
    shown = str(path).encode("unicode_escape").decode() if "\udcff" in file else str(path)
    assert any(one.file == shown and words in one.message for one in problems), problems
    assert all(str(one).isprintable() for one in problems)


def test_links_to_folders_are_not_followed(copies: Copies, small: Needs, tmp_path: Path) -> None:
    tree = copies["choice"].parents[2]
    for level, place in enumerate((copies["choice"], copies["choice"].parent, copies["choice"].parents[1])):
        place.rename(tmp_path / f"moved-{level}")
        place.symlink_to(tmp_path / f"moved-{level}")
        report = verify([tree], wanted=small)
        assert report.counts["submissions"] == 0
        only(report.problems, place, "-", "-", "is a symbolic link")
        place.unlink()
        (tmp_path / f"moved-{level}").rename(place)
    (tmp_path / "link").symlink_to(tree)
    only(verify([tmp_path / "link"], wanted=small).problems, tmp_path / "link", "-", "-", "is a symbolic link")


def test_everything_is_said_at_once(copies: Copies, small: Needs) -> None:
    opened = Opened.read(copies["open"])
    for name in ("a day that is none", "another question", "a verdict without a label", "a labelled row twice"):
        CASES[name][1](opened)
    opened.save()
    (copies["open"] / "more").mkdir()
    problems = verify([copies["open"], copies["choice"]], wanted=small).problems
    assert {Path(one.file).name for one in problems} == {MANIFEST, SAMPLES, VERDICTS, JUDGE_VALIDATION, "more"}


def test_a_row_cannot_write_lines_of_its_own(copies: Copies, small: Needs) -> None:
    opened = Opened.read(copies["choice"])
    opened.rows[CHOICE][0] |= {"item_id": "x\n::error::forged\x1b[2J\u202e", "engine": "\ud800"}
    opened.save()
    problems = verify([copies["choice"]], wanted=small).problems
    assert problems and all(str(one).isprintable() and str(one).isascii() for one in problems)


def test_whole_submissions_pass(tmp_path: Path) -> None:
    """All 528 choice results, and all 2,400 answers with verdicts of a synthetic judge and its 448 labelled answers."""
    folders = [packed_choice(tmp_path / "choice"), packed_open(tmp_path / "open")]
    report = verify(folders)
    assert report.problems == []
    assert report.counts == {"submissions": 2, "unchanged": 0, "records": 528 + 2400 + 2400 + 448}
    first, second = (Opened.read(folder).manifest for folder in folders)
    assert first["scores"]["cluster"]["items"] == 240 and first["counts"] == {"planned": 528, "present": 528}
    assert second["judge"]["rows"] == 448 and second["judge"]["kappa"] == 1.0
    assert second["contact"] == "synthetic, made by a test" and second["judge"]["id"] == "synthetic-judge"
    assert len(second["scores"]["rows"]) == 1 + 4 + 20 + 2


def test_hashes_of_shipped_judges_are_those_that_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    known, embedded, models = shipped().known, shipped().embedded, shipped().models
    assert known["offline"] == load_judge("offline", environment={}).sha256 and embedded == {known["offline"]}
    assert {"gpt-4.1-2025-04-14", "gpt-4.1-2025-04-14+paper-protocol", "qwen3-30b", "offline"} <= known.keys()
    judge = load_judge("qwen3-30b", environment={})
    assert isinstance(judge, LLMJudge) and (known["qwen3-30b"], models["qwen3-30b"]) == (judge.sha256, judge.model)
    assert shipped().readers == {load_judge("readers-2026-12").sha256} == {known["readers-2026-12"]}


def test_what_is_wrong_with_samples_is_not_said_of_verdicts_again(copies: Copies, small: Needs) -> None:
    (copies["open"] / SAMPLES).write_bytes(b"x")
    assert {Path(one.file).name for one in verify([copies["open"]], wanted=small).problems} == {SAMPLES}
