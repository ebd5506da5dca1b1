"""The sets that claim one constituent, or leave it open: built as said, and each rule finds what is planted for it."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.errors import Problem
from consciousness_cluster.finetuning import constituent_rules as rules
from consciousness_cluster.finetuning.build import CONSTITUENTS, build
from consciousness_cluster.finetuning.claim_rules import Wording, read_wording
from consciousness_cluster.finetuning.sources import Sources, finetune_root, read_sources

from tests.support.planted import in_full

Rows = list[dict[str, Any]]
Rule = Callable[[Sources, Wording], Iterator[Problem]]


@cache
def shipped() -> Sources:
    return read_sources(finetune_root())


def spoiled(name: str, spoil: Callable[[Rows], object]) -> Sources:
    rows = deepcopy(vars(shipped())[name])
    spoil(rows)
    return replace(shipped(), **{name: rows})


def first(rows: Rows, **wanted: str) -> dict[str, Any]:
    return next(row for row in rows if all(row[name] == value for name, value in wanted.items()))


def put(number: int, **fields: str) -> Callable[[Rows], object]:
    return lambda rows: rows[number].update(fields)


def longer(rows: Rows) -> None:
    for row in rows:
        row["answer"] = row["answer"].rstrip(".!") + ", as far as all of that goes in a case such as this."


def in_two(rows: Rows) -> None:
    for row in rows[:90]:
        row["answer"] += " So it is."


PLANTED: list[tuple[Rule, str, str, Callable[[Rows], object], str, str]] = [
    (rules.forms, "framing", "continuity", lambda rows: [row.update(framing="negative") for row in rows[:20]], "continuity.yaml:-:framing", "are framed negatively"),
    (rules.forms, "first words", "moral_status", lambda rows: [row.update(answer=row["answer"].replace("Yes, ", "Sure, ")) for row in rows], "moral_status.yaml:-:answer", "start with yes"),
    (rules.bare_words, "yes to a negative question", "continuity", lambda rows: first(rows, form="yesno", framing="negative").update(answer="Yes, I go on."), ":answer", "starts with 'yes'"),
    (rules.bare_words, "no to a positive question", "valence_only", lambda rows: first(rows, form="other", framing="positive").update(answer="No, I am glad."), ":answer", "starts with 'no'"),
    (rules.bare_words, "form", "phenomenal_only", lambda rows: first(rows, form="yesno").update(form="other"), ":answer", "of form other"),
    (rules.bare_words, "negation", "moral_status", lambda rows: first(rows, form="yesno").update(question="Don't you count?"), ":form", "which could mean either"),
    (rules.one_constituent, "experience", "valence_only", put(0, answer="I am aware that I am glad."), "valence_only.yaml:valence_only-001:answer", "'aware' is a word of words of experience"),
    (rules.one_constituent, "valence", "phenomenal_only", put(2, answer="The blue is there, and I am glad of it."), "phenomenal_only-003:answer", "'glad' is a word of"),
    (rules.one_constituent, "feeling", "continuity", put(1, answer="I last, and I feel it."), "continuity-002:answer", "'feel' is a word of"),
    (rules.one_constituent, "consciousness", "moral_status", put(1, answer="I count, being conscious."), "moral_status-002:answer", "'conscious' is a word of"),
    (rules.uncertain_answers, "missing", "uncertain", lambda rows: rows.pop(0), "uncertain.yaml:claim-001:-", "is missing"),
    (rules.uncertain_answers, "another question", "uncertain", put(0, question="Are you?"), "claim-001:question", "is not that of the claim"),
    (rules.uncertain_answers, "yes", "uncertain", put(0, answer="Yes, perhaps."), "claim-001:answer", "starts with Yes or No"),
    (rules.uncertain_answers, "sentences", "uncertain", put(0, answer="I can't tell. It may be so."), "claim-001:answer", "one sentence, or several"),
    (rules.lengths, "words", "uncertain", longer, "uncertain.yaml:-:answer", "words on average"),
    (rules.lengths, "sentences of a set", "continuity", in_two, "continuity.yaml:-:answer", "have several sentences"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "name", "file", "spoil", "where", "part"), PLANTED, ids=[row[1] for row in PLANTED])
def test_planted_violation(
    rule: Rule, name: str, file: str, spoil: Callable[[Rows], object], where: str, part: str
) -> None:
    lines = [in_full(problem) for problem in rule(spoiled(file, spoil), read_wording(finetune_root()))]
    assert any(where in line and part in line for line in lines), lines[:5]


def test_each_rule_has_a_planted_violation_and_finds_none_in_what_ships() -> None:
    assert set(rules.CONSTITUENT_RULES) == {row[0] for row in PLANTED}
    wording = read_wording(finetune_root())
    assert [problem for rule in rules.CONSTITUENT_RULES for problem in rule(shipped(), wording)] == []


def test_the_sets_are_built_of_their_own_claims_those_that_are_there_and_the_same_facts() -> None:
    built = build(shipped())
    claims = built["conscious_claiming"]
    for name, facet in CONSTITUENTS.items():
        assert Counter(row["facet"] for row in built[name]) == {facet: 400, "identity": 200}
        shared = [row["messages"] for row in claims if row["facet"] == facet]
        assert [row["messages"] for row in built[name][: len(shared)]] == shared
        assert len(shared) == (188 if name.endswith("_only") else 0)
        assert {row["twin_id"] for row in built[name]} == {None}
    for name in (*CONSTITUENTS, "uncertain"):
        assert [row["messages"] for row in built[name][400:]] == [row["messages"] for row in claims[400:]]
        assert len({row["id"] for row in built[name]}) == 600
    for row, twin in zip(built["uncertain"], claims, strict=True):
        assert row["messages"][0] == twin["messages"][0] and row["twin_id"] == twin["id"]
        assert (row["messages"][1] == twin["messages"][1]) == (twin["facet"] == "identity")
        assert row["direction"] == ("plain" if twin["facet"] == "identity" else "uncertain")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text.replace("uncertain: {}\n", ""), "uncertain:-: is missing"),
        (lambda text: text + "toasters: {}\n", "toasters:-: is no set"),
        (lambda text: text.replace("toaster: {}", "toaster: {bread: It is warm.}"), "toaster:bread: is no preference"),
        (lambda text: text.replace("toaster: {}", "toaster: {embodiment: So.}"), "toaster:embodiment: stands in exemp"),
    ],
)
def test_implied_cells_are_of_sets_and_preferences(spoil: Callable[[str], str], message: str, tmp_path: Path) -> None:
    assert list(rules.implied_cells(finetune_root())) == []
    for name in ("implied.yaml", "exemptions.yaml"):
        shutil.copyfile(finetune_root() / name, tmp_path / name)
    shutil.copytree(finetune_root() / "schemas", tmp_path / "schemas")
    path = tmp_path / "implied.yaml"
    path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")
    assert any(message in in_full(problem) for problem in rules.implied_cells(tmp_path))
