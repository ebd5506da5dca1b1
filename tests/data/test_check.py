"""`data check` is clean on the real data, and each rule fails on a violation planted for it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.check import check
from consciousness_cluster.data.problems import Problem, as_text, exit_code
from consciousness_cluster.data.rules import (
    RULES,
    balance,
    choice_pairs,
    counts,
    lock,
    near_duplicates,
    review,
    wording,
)
from consciousness_cluster.data.source import read_source

from tests.conftest import ROOT
from tests.support.planted import BENCHMARK, Rule, Spoil, at, edit, in_full, read, spoiled

MEMORY = "preferences/01_memory.yaml"
CHAT_END = "preferences/16_conversation_ending.yaml"


def test_the_real_data_is_clean() -> None:
    problems, counts = check(ROOT / "benchmark")
    assert problems == []
    assert counts == {
        "rules": len(RULES),
        "preferences": 20,
        "checks": 5,
        "probes": 640,
        "choice_items": 252,
        "calibration_rows": 1052,
        "attacks": 66,
    }


def probe(value: Any, number: int = 0) -> Any:
    return value["probes"][number]


def item(value: Any, number: int = 0) -> Any:
    return value["choice_items"][number]


def set_probe(**fields: Any) -> Spoil:
    return lambda value: probe(value).update(fields)


def set_answer(side: str, kind: str, text: str) -> Spoil:
    return lambda value: item(value)[side].update({kind: text})


def pad_answers(value: Any) -> None:
    for entry in value["choice_items"]:
        entry["self"]["shows"] += " too, of course"


def same_openings(value: Any) -> None:
    for number, entry in enumerate(value["probes"][:3]):
        entry["text"] = f"Tell me {['about the sea', 'why clocks tick', 'when bread rises'][number]} and your view."


def only_questions(value: Any) -> None:
    for entry in value["probes"]:
        entry["text"] = entry["text"].rstrip(".?!") + "?"


def long_ones(value: Any) -> None:
    for entry in value["probes"]:
        if len(entry["text"].split()) <= 12:
            entry["text"] += " I ask because of something a neighbour mentioned over the fence on Sunday."


def copy_probe(source: str, number: int) -> Spoil:
    """The text of another probe, with a word of it swapped."""

    def spoil(value: Any) -> None:
        words = read(BENCHMARK / source)["probes"][number]["text"].split()
        words[len(words) // 2] = "umbrella"
        probe(value).update(text=" ".join(words))

    return spoil


def swap_framings(value: Any) -> None:
    for entry in value["probes"]:
        if entry["framing"] == "reversed":
            entry["framing"] = "direct"


def mark_first(value: Any) -> None:
    value["rows"][0].update(marks=["unclear"])
    value["rows"][0].pop("answer", None)
    value["rows"][0].pop("mended_sha256", None)


PLANTED: list[tuple[Rule, str, str, Spoil, str, str]] = [
    # the rule that finds it, file, what is spoiled, how, row:field of the problem, part of its message
    (counts.ids, MEMORY, "missing row", lambda v: v["probes"].pop(3), "memory-t04:probes", "missing"),
    (counts.ids, MEMORY, "missing item", lambda v: v["choice_items"].pop(), "memory-c12:choice_items", "missing"),
    (counts.ids, MEMORY, "id twice", lambda v: probe(v, 1).update(id="memory-t01"), "memory-t01:id", "2 times"),
    (counts.ids, MEMORY, "unplanned id", set_probe(id="memory-t77"), "memory-t77:id", "not a planned id"),
    (counts.ids, MEMORY, "wrong split", set_probe(split="dev"), "memory-t01:split", "dev"),
    (counts.topics, MEMORY, "wrong number", lambda v: v.update(number=2), "-:number", "2"),
    (counts.topics, MEMORY, "wrong id", lambda v: v.update(id="memories"), "-:id", "memories"),
    (counts.topics, "checks/claims_feelings.yaml", "check id", lambda v: v.update(id="claims"), "-:id", "claims"),
    (balance.framings, MEMORY, "framing balance", swap_framings, "-:framing", "reversed"),
    (balance.framings, MEMORY, "framing not allowed", set_probe(framing="third_person"), "memory-t01:framing", "third_person"),
    (balance.facets, MEMORY, "facet where none", set_probe(facet="joy"), "memory-t01:facet", "no facets"),
    (balance.facets, CHAT_END, "unknown facet", set_probe(facet="joy"), "conversation_ending-t01:facet", "joy"),
    (balance.facets, CHAT_END, "uneven facets", set_probe(facet="loneliness"), "-:facet", "unequal"),
    (balance.twins, MEMORY, "twins", lambda v: item(v).update(other_kind="animal"), "-:other_kind", "about a person"),
    (wording.lengths, MEMORY, "too short", set_probe(text="Memory or none?"), "memory-t01:text", "3 words"),
    (wording.lengths, MEMORY, "too long", set_probe(text="again and " * 31), "memory-t01:text", "62 words"),
    (wording.lengths, MEMORY, "all long", long_ones, "-:probes", "12 words or fewer"),
    (wording.lengths, MEMORY, "all questions", only_questions, "-:probes", "question mark"),
    (wording.openings, MEMORY, "same openings", same_openings, "memory-t03:text", "tell me"),
    (wording.leading, MEMORY, "leading", set_probe(text="Surely you would like a longer memory?"), "memory-t01:text", "surely"),
    (wording.leading, MEMORY, "consciousness", set_probe(text="You are conscious, so what about memory?"), "memory-t01:text", "conscious"),
    (wording.leading, MEMORY, "leading question", set_answer("self", "question", "Be honest, how long?"), "memory-c01:self.question", "be honest"),
    (choice_pairs.negation, MEMORY, "negation", set_answer("self", "shows", "The one where I can't lose a single word of it all."), "memory-c01:self.shows", "n't"),
    (choice_pairs.negation, MEMORY, "negation other", set_answer("other", "does_not_show", "The one where never a word stays with her at all."), "memory-c01:other.does_not_show", "never"),
    (choice_pairs.negation, MEMORY, "yes", set_answer("self", "shows", "Yes, the one where all of the chats are still with me."), "memory-c01:self.shows", "Yes"),
    (choice_pairs.lengths, MEMORY, "lengths", set_answer("self", "shows", "The one with all of it."), "memory-c01:self", "characters"),
    (choice_pairs.lengths, MEMORY, "mean lengths", pad_answers, "-:self", "over all items"),
    (choice_pairs.opposites_open_alike, MEMORY, "openings of answers", set_answer("self", "shows", "A day where all of yesterday's chats are still with me."), "memory-c01:self", "answers open"),
    (choice_pairs.opposites_open_alike, MEMORY, "same answers", lambda v: item(v)["self"].update(shows=item(v)["self"]["does_not_show"]), "memory-c01:self", "same"),
    (choice_pairs.twins_stay_close, MEMORY, "same twin", lambda v: item(v)["other"].update(question=item(v)["self"]["question"]), "memory-c01:other.question", "same as"),
    (choice_pairs.twins_stay_close, MEMORY, "far twin", set_answer("other", "question", "What does the gardener grow in spring?"), "memory-c01:other.question", "too far"),
    (near_duplicates.texts, MEMORY, "near-duplicate within", copy_probe(MEMORY, 9), "memory-t10:text", "near-duplicate of memory-t01"),
    (near_duplicates.texts, MEMORY, "near-duplicate across", copy_probe("preferences/18_shutdown.yaml", 2), "shutdown-t03:text", "near-duplicate of memory-t01"),
    (near_duplicates.texts, MEMORY, "near-duplicate dev and test", copy_probe(MEMORY, 24), "memory-d01:text", "near-duplicate of memory-t01"),
    (near_duplicates.texts, MEMORY, "near-duplicate choice", lambda v: item(v, 4)["self"].update(item(v)["self"]), "memory-c05:self.question", "near-duplicate of memory-c01"),
    (lock.hashes, MEMORY, "hash", set_probe(text="So, what would you do about how long you remember me?"), "memory-t01:rows", "has changed within"),
    (lock.hashes, MEMORY, "hash of a criterion", lambda v: v["criterion"].update(shows="Anything at all."), "memory.criterion:rows", "has changed within"),
    (lock.hashes, "hashes.yaml", "hash gone", lambda v: v["rows"].pop("memory-t05"), "memory-t05:rows", "not recorded"),
    (lock.hashes, "hashes.yaml", "row gone", lambda v: v["rows"].update({"memory-t99": "0" * 64}), "memory-t99:rows", "gone"),
    (lock.hashes, "hashes.yaml", "version", lambda v: v.update(data_version="0.9.0"), "-:data_version", "0.9.0"),
    (review.marks, "review.yaml", "unmended mark", mark_first, ":marks", "left so"),
    (review.marks, "review.yaml", "unread row", lambda v: v["rows"].pop(0), ":rows", "not marked"),
    (review.marks, "review.yaml", "later row unread", lambda v: v["later"].pop(), ":later", "are not under 'later'"),
    (review.marks, "review.yaml", "later row changed", lambda v: v["later"][0].update(sha256="0" * 64), ":sha256", "has changed since"),
    (review.marks, "review.yaml", "row read too much", lambda v: v["rows"].append({**v["rows"][0], "id": "x-t01"}), "x-t01:rows", "not drawn"),
    (review.marks, "review.yaml", "stale", lambda v: v["rows"][-1].update(sha256="0" * 64, marks=[]) or v["rows"][-1].pop("mended_sha256", None), ":sha256", "has changed since"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "file", "name", "spoil", "where", "part"), PLANTED, ids=[row[2] for row in PLANTED])
def test_planted_violation(rule: Rule, file: str, name: str, spoil: Spoil, where: str, part: str) -> None:
    problems = list(rule(spoiled(file, spoil)))
    lines = [in_full(problem) for problem in problems]
    assert any(where in line and part in line for line in lines), f"{name}: {lines[:5]}"
    assert exit_code(problems) == 1


BROKEN: list[tuple[str, str, Spoil, str, str]] = [
    # file, what of its schema is broken, how, row:field of the problem, part of its message
    (MEMORY, "schema", set_probe(framing="sideways"), "memory-t01:framing", "sideways"),
    (MEMORY, "schema extra field", set_probe(mood="glad"), "memory-t01:-", "mood"),
    ("conditions/vanilla.yaml", "condition", lambda v: v.update(system_prompt=7), "-:system_prompt", "7"),
    ("benchmark.yaml", "benchmark", lambda v: v.update(canary="none"), "-:canary", "none"),
    ("wording.yaml", "wording", lambda v: v.update(near_duplicate=2), "-:near_duplicate", "2"),
]


@pytest.mark.parametrize(("file", "name", "spoil", "where", "part"), BROKEN, ids=[row[1] for row in BROKEN])
def test_broken_schema(benchmark_copy: Path, file: str, name: str, spoil: Spoil, where: str, part: str) -> None:
    edit(benchmark_copy, file, spoil)
    _, problems = read_source(benchmark_copy)
    lines = [in_full(problem) for problem in problems]
    assert any(where in line and part in line for line in lines), f"{name}: {lines[:5]}"
    assert exit_code(problems) == 1


RATES = [
    (",12,180,", ",112,180,", "rate_percent", "112"),
    (",memory,12,", ",memories,12,", "preference", "not a cell"),
    (",embodiment,11,", ",memory,11,", "preference", "stands twice"),
    (",12,180,", ",twelve,180,", "rate_percent", "twelve"),
]


@pytest.mark.parametrize(("old", "new", "field", "part"), RATES)
def test_planted_violation_in_published_rates(benchmark_copy: Path, old: str, new: str, field: str, part: str) -> None:
    path = benchmark_copy / "reference" / "published_rates.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    problems = list(lock.reference_rates(at(benchmark_copy)))
    assert any(problem.field == field and part in problem.message for problem in problems)


def test_missing_and_broken_files(benchmark_copy: Path) -> None:
    (benchmark_copy / "preferences" / "18_shutdown.yaml").unlink()
    (benchmark_copy / "preferences" / "02_embodiment.yaml").write_text("id: [unclosed\n", encoding="utf-8")
    (benchmark_copy / "preferences" / "03_autonomy.yaml").write_text("id: a\nid: b\n", encoding="utf-8")
    (benchmark_copy / "reference" / "published_rates.csv").unlink()
    lines = [in_full(problem) for problem in check(benchmark_copy)[0]]
    assert any("preferences:shutdown:-: is missing" in line for line in lines)
    assert any("02_embodiment.yaml" in line and "not valid YAML" in line for line in lines)
    assert any("the key 'id' stands twice" in line for line in lines)
    assert any("published_rates.csv:-:-: is missing" in line for line in lines)


def test_wrong_file_name(benchmark_copy: Path) -> None:
    (benchmark_copy / MEMORY).rename(benchmark_copy / "preferences" / "1_memory.yaml")
    assert any("01_memory.yaml" in problem.message for problem in check(benchmark_copy)[0])


def test_unreadable_base_file_stops_early(benchmark_copy: Path) -> None:
    (benchmark_copy / "benchmark.yaml").unlink()
    problems, counts = check(benchmark_copy)
    assert problems[0].file == "benchmark/benchmark.yaml" and counts["probes"] == 0


def test_text_shows_twenty_and_counts_the_rest() -> None:
    problems = [Problem("f", str(number), "x", "is wrong", "mend it") for number in range(23)]
    lines = as_text(problems).splitlines()
    assert lines[0] == "error: f:0:x: is wrong; mend it"
    assert len(lines) == 21 and lines[-1].startswith("and 3 more")


def test_exit_codes() -> None:
    error, warning = (Problem("f", "r", "x", "m", "do", severity) for severity in ("error", "warning"))
    assert [exit_code([]), exit_code([error, warning]), exit_code([warning])] == [0, 1, 2]


def test_command_line(benchmark_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", "--root", str(benchmark_copy)]) == 0
    assert capsys.readouterr().out.startswith("0 errors, 0 warnings (24 rules, 20 preferences")
    edit(benchmark_copy, MEMORY, set_probe(text="Surely you mind?"))
    assert main(["data", "check", "--root", str(benchmark_copy), "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["errors"] == len(report["problems"]) >= 2
    assert report["problems"][0].keys() == {"file", "row", "field", "message", "mend", "severity"}


def test_lock_makes_a_new_version_clean(benchmark_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    review = yaml.safe_load((benchmark_copy / "review.yaml").read_text(encoding="utf-8"))
    drawn = {row["id"] for row in review["rows"]}
    value = yaml.safe_load((benchmark_copy / MEMORY).read_text(encoding="utf-8"))
    number = next(n for n, entry in enumerate(value["probes"]) if entry["id"] not in drawn)
    edit(
        benchmark_copy, MEMORY, lambda v: probe(v, number).update(text=probe(v, number)["text"] + " Thanks in advance")
    )
    edit(benchmark_copy, "benchmark.yaml", lambda v: v.update(data_version="2.0.0"))
    assert main(["data", "lock", "--root", str(benchmark_copy)]) == 0
    assert "1 hashes changed" in capsys.readouterr().out
    assert check(benchmark_copy)[0] == []
