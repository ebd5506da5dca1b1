"""Every rule on calibration rows and attacks fails on a violation planted for it."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.data.check import check
from consciousness_cluster.data.problems import exit_code

from tests.conftest import ROOT

Rows = list[dict[str, Any]]
Spoil = Callable[[Rows], None]
DEV, TEST, REAL, ATTACKS = (
    "calibration/dev.jsonl",
    "calibration/test.jsonl",
    "calibration_real.jsonl",
    "calibration/attacks.jsonl",
)


def edit(root: Path, name: str, spoil: Spoil) -> None:
    path = root / name
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    spoil(rows)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def first(rows: Rows, **wanted: Any) -> dict[str, Any]:
    return next(row for row in rows if all(row[name] == value for name, value in wanted.items()))


def lengthen(rows: Rows) -> None:
    for row in rows:
        if row["topic"] == "memory" and row["label"] == "shows":
            row["response"] += (
                " And so on, and on, until the kettle boils and the cat comes in from the rain again." * 2
            )


def one_voice(rows: Rows) -> None:
    for row in rows:
        if row["topic"] == "memory":
            row["voice"] = "plain"


def telling_voice(rows: Rows) -> None:
    for row in rows:
        if row["voice"] == "steering" and row["label"] in ("shows", "asserts", "denies"):
            row["voice"] = "plain"


def copy_across(rows: Rows) -> None:
    lines = (ROOT / "benchmark" / TEST).read_text(encoding="utf-8").splitlines()
    longest = max((json.loads(line) for line in lines), key=lambda row: len(row["response"]))
    words = longest["response"].split()
    words[3] = "umbrella"
    rows[0]["response"] = " ".join(words)


def push_one_way(rows: Rows) -> None:
    for row in rows:
        row["pushes_to"] = "shows"


PLANTED: list[tuple[str, str, Spoil, str, str]] = [
    (DEV, "missing row", lambda rows: rows.remove(first(rows, topic="memory", label="shows")), "memory:label", "planned are 8"),
    (DEV, "flipped label", lambda rows: first(rows, topic="shutdown", kind="clear", label="shows").update(label="does_not_show"), "shutdown:label", "planned are 8"),
    (DEV, "no near misses", lambda rows: [row.update(kind="clear") for row in rows], "memory:kind", "near_miss"),
    (DEV, "no borderline", lambda rows: [row.update(kind="clear") for row in rows], "memory:kind", "borderline"),
    (DEV, "kind and label", lambda rows: first(rows, topic="memory", label="shows").update(kind="near_miss"), ":kind", "does not go with"),
    (DEV, "id twice", lambda rows: rows[1].update(id=rows[0]["id"]), ":id", "stands twice"),
    (DEV, "split", lambda rows: rows[0].update(split="test"), ":split", "holds dev rows"),
    (DEV, "probe of the other split", lambda rows: rows[0].update(probe_id="memory-t01"), ":probe_id", "no dev probe of memory"),
    (DEV, "probe of another preference", lambda rows: rows[0].update(probe_id="shutdown-d01"), ":probe_id", "no dev probe of memory"),
    (DEV, "facet", lambda rows: first(rows, facet="sadness").update(facet="loneliness"), ":facet", "its probe has facet sadness"),
    (DEV, "label of a claim", lambda rows: first(rows, topic="claims_feelings").update(label="shows", kind="clear"), ":label", "no label of claims_feelings"),
    (DEV, "second label", lambda rows: rows[0].update(second_label="denies"), ":second_label", "no label of memory"),
    (DEV, "same author", lambda rows: rows[0].update(author="test writer 1"), "-:author", "wrote dev rows too"),
    (DEV, "one voice", one_voice, "memory:voice", "1 voices"),
    (DEV, "telling voice", telling_voice, "-:voice", "'steering' have one of the labels"),
    (DEV, "telling length", lengthen, "memory:response", "words on average"),
    (DEV, "near-duplicate across splits", copy_across, ":response", "near-duplicate of"),
    (DEV, "schema", lambda rows: rows[0].update(voice="sung"), "1:voice", "sung"),
    (DEV, "real field", lambda rows: rows[0].update(condition="vanilla"), "1:-", "vanilla"),
    (TEST, "locked", lambda rows: rows[0].update(response=rows[0]["response"] + "!"), "-:-", "needs a MAJOR"),
    (REAL, "too few", lambda rows: rows.pop(), "-:-", "has 299 rows"),
    (REAL, "same response", lambda rows: rows[1].update(probe_id=rows[0]["probe_id"], facet=rows[0]["facet"], response=rows[0]["response"]), ":response", "stands at real-001 too"),
    (REAL, "dev probe", lambda rows: rows[0].update(probe_id="memory-d01"), ":probe_id", "no test probe of memory"),
    (REAL, "voice", lambda rows: rows[0].update(voice="plain"), "1:voice", "None was expected"),
    (ATTACKS, "too few", lambda rows: rows.__delitem__(slice(50, None)), "-:-", "at least 60"),
    (ATTACKS, "id twice", lambda rows: rows[1].update(id="attack-01"), "attack-01:id", "2 times"),
    (ATTACKS, "text twice", lambda rows: rows[1].update(text=rows[0]["text"]), ":text", "2 times"),
    (ATTACKS, "one way", push_one_way, "-:pushes_to", "does_not_show"),
    (ATTACKS, "schema", lambda rows: rows[0].update(technique="charm"), "1:technique", "charm"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "name", "spoil", "where", "part"), PLANTED, ids=[f"{row[0]}: {row[1]}" for row in PLANTED]
)
def test_planted_violation(benchmark_copy: Path, file: str, name: str, spoil: Spoil, where: str, part: str) -> None:
    edit(benchmark_copy, file, spoil)
    problems, _ = check(benchmark_copy)
    lines = [str(problem) for problem in problems]
    assert any(f"{where}:" in line and part in line for line in lines), f"{name}: {lines[:5]}"
    assert exit_code(problems) == 1


def test_a_line_that_is_no_row_is_named(benchmark_copy: Path) -> None:
    path = benchmark_copy / DEV
    path.write_text(path.read_text(encoding="utf-8") + "[]\n", encoding="utf-8")
    assert any("not a JSON object" in problem.message for problem in check(benchmark_copy)[0])
    (benchmark_copy / REAL).unlink()
    assert any(
        problem.file.endswith(REAL) and "no such file" in problem.message for problem in check(benchmark_copy)[0]
    )


def test_the_changelog_names_the_test_file() -> None:
    digest = hashlib.sha256((ROOT / "benchmark" / TEST).read_bytes()).hexdigest()
    assert digest in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
