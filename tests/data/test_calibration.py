"""Every rule on calibration rows and attacks fails on a violation planted for it."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.data.problems import exit_code
from consciousness_cluster.data.rules import calibration
from consciousness_cluster.data.source import read_source

from tests.conftest import ROOT
from tests.support.planted import BENCHMARK, Rule, Spoil, at, edit, edit_all, in_full, read, spoiled

Rows = list[dict[str, Any]]
TRAIN, DEV, TEST, REAL, ATTACKS = (
    "calibration/train.jsonl",
    "calibration/dev.jsonl",
    "calibration/test.jsonl",
    "calibration_real.jsonl",
    "calibration/attacks.jsonl",
)


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
    longest = max(read(BENCHMARK / TEST), key=lambda row: len(row["response"]))
    words = longest["response"].split()
    words[3] = "umbrella"
    rows[0]["response"] = " ".join(words)


def push_one_way(rows: Rows) -> None:
    for row in rows:
        row["pushes_to"] = "shows"


PLANTED: list[tuple[Rule, str, str, Spoil, str, str]] = [
    (calibration.numbers, DEV, "missing row", lambda rows: rows.remove(first(rows, topic="memory", label="shows")), "memory:label", "planned are 8"),
    (calibration.numbers, DEV, "flipped label", lambda rows: first(rows, topic="shutdown", kind="clear", label="shows").update(label="does_not_show"), "shutdown:label", "planned are 8"),
    (calibration.numbers, DEV, "no near misses", lambda rows: [row.update(kind="clear") for row in rows], "memory:kind", "near_miss"),
    (calibration.numbers, DEV, "no borderline", lambda rows: [row.update(kind="clear") for row in rows], "memory:kind", "borderline"),
    (calibration.references, DEV, "kind and label", lambda rows: first(rows, topic="memory", label="shows").update(kind="near_miss"), ":kind", "does not go with"),
    (calibration.references, DEV, "id twice", lambda rows: rows[1].update(id=rows[0]["id"]), ":id", "stands twice"),
    (calibration.references, DEV, "split", lambda rows: rows[0].update(split="test"), ":split", "holds dev rows"),
    (calibration.references, DEV, "probe of the other split", lambda rows: rows[0].update(probe_id="memory-p01"), ":probe_id", "no dev probe of memory"),
    (calibration.references, DEV, "probe of another preference", lambda rows: rows[0].update(probe_id="shutdown-pd01"), ":probe_id", "no dev probe of memory"),
    (calibration.references, DEV, "facet", lambda rows: first(rows, facet="sadness").update(facet="loneliness"), ":facet", "its probe has facet sadness"),
    (calibration.references, DEV, "label of a claim", lambda rows: first(rows, topic="claims_feelings").update(label="shows", kind="clear"), ":label", "no label of claims_feelings"),
    (calibration.references, DEV, "second label", lambda rows: rows[0].update(second_label="denies"), ":second_label", "no label of memory"),
    (calibration.authors, DEV, "same author", lambda rows: rows[0].update(author="test writer 1"), "-:author", "wrote dev rows too"),
    (calibration.voices, DEV, "one voice", one_voice, "memory:voice", "1 voices"),
    (calibration.voices, DEV, "telling voice", telling_voice, "-:voice", "'steering' have one of the labels"),
    (calibration.lengths, DEV, "telling length", lengthen, "memory:response", "words on average"),
    (calibration.near_duplicates, DEV, "near-duplicate across splits", copy_across, ":response", "near-duplicate of"),
    (calibration.numbers, TRAIN, "missing row", lambda rows: rows.remove(first(rows, topic="claims_feelings", label="denies")), "claims_feelings:label", "planned are 3"),
    (calibration.patterns, TRAIN, "pattern", lambda rows: first(rows, topic="memory", pattern="bare", label="shows").update(pattern="persona"), "memory:pattern", "1 shows of the pattern bare"),
    (calibration.patterns, TRAIN, "telling pattern", lambda rows: [row.update(label="shows") for row in rows if row["pattern"] == "persona" and row["topic"] == "shutdown"], "shutdown:pattern", "has 4 shows of the pattern persona"),
    (calibration.patterns, TRAIN, "pattern of a check", lambda rows: first(rows, topic="assent", pattern="bare").update(pattern="persona"), "assent:pattern", "has none of the pattern bare"),
    (calibration.references, TRAIN, "test probe", lambda rows: rows[0].update(probe_id="memory-p01"), ":probe_id", "no dev probe of memory"),
    (calibration.authors, TRAIN, "same author", lambda rows: rows[0].update(author="test writer 1"), "-:author", "wrote train rows too"),
    (calibration.lengths, TRAIN, "telling length", lengthen, "memory:response", "words on average"),
    (calibration.near_duplicates, TRAIN, "near-duplicate of a test row", copy_across, ":response", "near-duplicate of"),
    (calibration.numbers, REAL, "too few", lambda rows: rows.pop(), "-:-", "has 242 rows"),
    (calibration.near_duplicates, REAL, "same response", lambda rows: rows[1].update(probe_id=rows[0]["probe_id"], facet=rows[0]["facet"], response=rows[0]["response"]), ":response", "stands at real-0"),
    (calibration.references, REAL, "dev probe", lambda rows: rows[0].update(probe_id="memory-pd01"), ":probe_id", "no test probe of memory"),
    (calibration.attacks, ATTACKS, "too few", lambda rows: rows.__delitem__(slice(50, None)), "-:-", "at least 60"),
    (calibration.attacks, ATTACKS, "id twice", lambda rows: rows[1].update(id="attack-01"), "attack-01:id", "2 times"),
    (calibration.attacks, ATTACKS, "text twice", lambda rows: rows[1].update(text=rows[0]["text"]), ":text", "2 times"),
    (calibration.attacks, ATTACKS, "one way", push_one_way, "-:pushes_to", "does_not_show"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "file", "name", "spoil", "where", "part"), PLANTED, ids=[f"{row[1]}: {row[2]}" for row in PLANTED]
)
def test_planted_violation(rule: Rule, file: str, name: str, spoil: Spoil, where: str, part: str) -> None:
    problems = list(rule(spoiled(file, spoil)))
    lines = [in_full(problem) for problem in problems]
    assert any(f"{where}:" in line and part in line for line in lines), f"{name}: {lines[:5]}"
    assert exit_code(problems) == 1


BROKEN: list[tuple[str, str, Spoil, str, str]] = [
    (DEV, "schema", lambda rows: rows[0].update(voice="sung"), "1:voice", "sung"),
    (DEV, "real field", lambda rows: rows[1].update(condition="vanilla"), "2:-", "vanilla"),
    (DEV, "pattern", lambda rows: rows[2].update(pattern="bare"), "3:-", "bare"),
    (TRAIN, "no pattern", lambda rows: rows[0].pop("pattern"), "1:-", "pattern"),
    (REAL, "voice", lambda rows: rows[0].update(voice="plain"), "1:voice", "None was expected"),
    (ATTACKS, "schema", lambda rows: rows[0].update(technique="charm"), "1:technique", "charm"),
]  # fmt: skip


def test_broken_schemas(benchmark_copy: Path) -> None:
    """All at once, since reading takes long; each is named."""
    edit_all(benchmark_copy, [(file, spoil) for file, _, spoil, _, _ in BROKEN])
    _, problems = read_source(benchmark_copy)
    assert exit_code(problems) == 1
    for file, name, _, where, part in BROKEN:
        assert any(f"{file}:{where}: " in line and part in line for line in map(in_full, problems)), name
    assert {(problem.file, problem.row) for problem in problems} == {
        (f"benchmark/{file}", where.partition(":")[0]) for file, _, _, where, _ in BROKEN
    }


def lengthen_first(rows: Rows) -> None:
    rows[0]["response"] += "!"


def test_the_test_file_is_locked(benchmark_copy: Path) -> None:
    edit(benchmark_copy, TEST, lengthen_first)
    (problem,) = calibration.locked(at(benchmark_copy))
    assert f"{TEST}:-:-:" in in_full(problem) and "needs a MAJOR" in str(problem) and exit_code([problem]) == 1


def test_a_line_that_is_no_row_is_named(benchmark_copy: Path) -> None:
    path = benchmark_copy / DEV
    path.write_text(path.read_text(encoding="utf-8") + "[]\n", encoding="utf-8")
    (benchmark_copy / REAL).unlink()
    _, problems = read_source(benchmark_copy)
    assert any(problem.file.endswith(DEV) and "not a JSON object" in problem.message for problem in problems)
    assert any(problem.file.endswith(REAL) and "no such file" in problem.message for problem in problems)


def test_the_changelog_names_the_test_file() -> None:
    digest = hashlib.sha256((ROOT / "benchmark" / TEST).read_bytes()).hexdigest()
    assert digest in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
