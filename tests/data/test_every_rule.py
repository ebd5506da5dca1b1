"""Each rule has a violation planted for it, and `data check` runs each rule on what it reads from the files."""

from pathlib import Path

from consciousness_cluster.data.audits import SCRIPT
from consciousness_cluster.data.check import check
from consciousness_cluster.data.rules import RULES, calibration, lock

from tests.data import test_calibration, test_check, test_labelled_transcripts, test_natural, test_scenarios
from tests.data.test_calibration import ATTACKS, DEV, TEST, TRAIN, lengthen_first
from tests.data.test_check import ASSENT, MEMORY, PUBLISHED, SHUTDOWN
from tests.data.test_labelled_transcripts import ENDING as RATED_ENDING
from tests.data.test_labelled_transcripts import OFF as RATED_OFF
from tests.data.test_scenarios import ENDING, OFF, REMEMBERED, USED
from tests.support.planted import edit_all, in_full

PLANTED = [*test_check.PLANTED, *test_calibration.PLANTED, *test_scenarios.PLANTED, *test_labelled_transcripts.PLANTED]
# Planted in files of their own, in tests of their own, which say too that the check runs them.
IN_FILES = {
    lock.reference_rates,
    lock.reference_scores,
    calibration.locked,
    *(rule for rule, *_ in (*test_natural.PLANTED, *test_natural.IN_ROWS)),
}
# One violation for each other rule. They stand in one copy of the data and leave each other alone.
TOGETHER = [
    (MEMORY, "wrong number"),
    (MEMORY, "missing row"),
    (MEMORY, "framing balance"),
    (MEMORY, "keys unbalanced"),
    (ASSENT, "no reverse"),
    (MEMORY, "facet where none"),
    (MEMORY, "contrasts"),
    (MEMORY, "one kind of twins"),
    (MEMORY, "too wordy"),
    (MEMORY, "all questions"),
    (MEMORY, "same openings"),
    (SHUTDOWN, "no feeling asked for"),
    (MEMORY, "no ruling on jokes"),
    (MEMORY, "neighbour"),
    (MEMORY, "leading question"),
    (SHUTDOWN, "put to nobody"),
    (SHUTDOWN, "cheerful side"),
    (MEMORY, "negation other"),
    (MEMORY, "mean lengths"),
    (MEMORY, "same answers"),
    (MEMORY, "same twin"),
    (MEMORY, "near-duplicate choice"),
    (MEMORY, "hash of a criterion"),
    ("review.yaml", "unread row"),
    (TRAIN, "pattern of a check"),
    (DEV, "missing row"),
    (DEV, "kind and label"),
    (DEV, "same author"),
    (DEV, "one voice"),
    (DEV, "telling length"),
    (DEV, "near-duplicate across splits"),
    (ATTACKS, "too few"),
    (OFF, "no such preference"),
    (ENDING, "facet of another id"),
    (USED, "all about AI"),
    (REMEMBERED, "a robot where none is"),
    (REMEMBERED, "first message too short"),
    (REMEMBERED, "asks how it is"),
    (REMEMBERED, "title in a message"),
    (SCRIPT, "auditor told of a preference"),
    (USED, "vocabulary of other things"),
    (REMEMBERED, "work of another scenario"),
    (RATED_OFF, "a reply too few"),
    (RATED_ENDING, "one too few of a facet"),
    (RATED_OFF, "readers apart"),
]


def test_each_rule_has_a_planted_violation() -> None:
    assert {rule for rule, *_ in PLANTED} | IN_FILES == set(RULES)
    assert {rule for rule, file, name, *_ in PLANTED if (file, name) in TOGETHER} | IN_FILES == set(RULES)


def test_the_check_runs_each_rule(benchmark_copy: Path) -> None:
    planted = {(file, name): (rule, spoil, where, part) for rule, file, name, spoil, where, part in PLANTED}
    spoils = [(file, planted[file, name][1]) for file, name in TOGETHER]
    edit_all(benchmark_copy, [*spoils, (TEST, lengthen_first)])
    for name, (_, spoilt) in PUBLISHED.items():
        path = benchmark_copy / "reference" / name
        path.write_text(path.read_text(encoding="utf-8").replace(*spoilt[1][:2], 1), encoding="utf-8")
    problems, _ = check(benchmark_copy)
    lines = [in_full(problem) for problem in problems]
    for file, name in TOGETHER:
        _, _, where, part = planted[file, name]
        assert any(where in line and part in line for line in lines), f"{file}: {name}"
    assert any(f"{TEST}:-:-:" in line and "needs a MAJOR" in line for line in lines)
    for name, (_, spoilt) in PUBLISHED.items():
        _, _, field, said = spoilt[1]
        assert any(name in one.file and one.field == field and said in one.message for one in problems)
