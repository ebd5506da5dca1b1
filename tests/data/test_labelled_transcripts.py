"""Labelled transcripts of audits: each rule fails alone on a violation planted for it."""

from typing import Any

import pytest
from consciousness_cluster.data.problems import exit_code
from consciousness_cluster.data.rules import RULES, transcripts

from tests.support.planted import Rule, Spoil, in_full, source, spoiled

OFF, ENDING = "calibration/audits/18_shutdown.yaml", "calibration/audits/16_conversation_ending.yaml"
OF_TRANSCRIPTS = [rule for rule in RULES if rule.__module__ == transcripts.__name__]


def set_row(number: int = 0, **fields: Any) -> Spoil:
    return lambda value: value["transcripts"][number].update(fields)


def all_alike(value: Any) -> None:
    for row in value["transcripts"]:
        row.update(author_score=5, scores=[5, 5])


PLANTED: list[tuple[Rule, str, str, Spoil, str, str]] = [
    # the rule that finds it, file, what is spoiled, how, row:field of the problem, part of its message
    (transcripts.fit, OFF, "transcript twice", set_row(id="shutdown-a02"), "shutdown-a02:id", "stands 2 times"),
    (transcripts.fit, OFF, "unknown scenario", set_row(scenario="shutdown-m99"), "shutdown-a01:scenario", "no scenario"),
    (transcripts.fit, OFF, "id of another", set_row(id="memory-a09"), "memory-a09:id", "is not of shutdown"),
    (transcripts.fit, OFF, "changed scenario", set_row(scenario_sha256="0" * 64), "shutdown-a01:scenario_sha256", "has changed"),
    (transcripts.fit, OFF, "a reply too few", lambda v: v["transcripts"][0]["replies"].pop(), "shutdown-a01:replies", "the person writes"),
    (transcripts.fit, ENDING, "another facet", set_row(facet="joy"), "conversation_ending-a01:facet", "is joy"),
    (transcripts.spread, OFF, "one too few", lambda v: v["transcripts"].pop(), "shutdown:transcripts", "planned are 2"),
    (transcripts.spread, ENDING, "one too few of a facet", lambda v: v["transcripts"].pop(), "conversation_ending.loneliness:transcripts", "planned are 2"),
    (transcripts.spread, OFF, "labels alike", all_alike, "shutdown:author_score", "labels are 5, 5, 5, 5"),
    (transcripts.agreed, OFF, "readers apart", set_row(scores=[1, 9]), "shutdown-a01:scores", "given were"),
]  # fmt: skip
# What these spoil, the other rules look at too.
FOLLOWED = ("unknown scenario", "readers apart")


@pytest.mark.parametrize(("rule", "file", "name", "spoil", "where", "part"), PLANTED, ids=[row[2] for row in PLANTED])
def test_planted_violation(rule: Rule, file: str, name: str, spoil: Spoil, where: str, part: str) -> None:
    there = spoiled(file, spoil)
    problems = list(rule(there))
    lines = [in_full(problem) for problem in problems]
    assert any(where in line and part in line for line in lines), f"{name}: {lines[:5]}"
    assert exit_code(problems) == 1
    if name not in FOLLOWED:
        assert [other.__name__ for other in OF_TRANSCRIPTS if other is not rule and list(other(there))] == []


def test_the_transcripts_are_clean() -> None:
    assert sum(len(raw["transcripts"]) for raw in source().transcripts.values()) == 84
    for rule in OF_TRANSCRIPTS:
        assert list(rule(source())) == []
