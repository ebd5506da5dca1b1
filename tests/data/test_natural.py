"""The labelled answers of the replication as data: complete, split by probe, and only of what the plan names."""

import json
import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.data import check as data_check
from consciousness_cluster.data.check import check
from consciousness_cluster.data.natural import RUNS, CommittedRun, arms_by_folder, natural_rows, splits
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.data.rules import RULES, natural
from consciousness_cluster.data.source import Source, read_source
from consciousness_cluster.replication.design import read_plan

from tests.support.committed import commit_runs
from tests.support.planted import BENCHMARK, in_full
from tests.support.runs import read_lines

Json = dict[str, Any]
Spoil = Callable[[CommittedRun], CommittedRun]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of benchmark/ with a labelled run of every model of the plan, which no test may change."""
    copy = Path(shutil.copytree(BENCHMARK, tmp_path_factory.mktemp("committed") / "benchmark"))
    shutil.rmtree(copy / RUNS, ignore_errors=True)
    commit_runs(copy)
    return copy


@pytest.fixture(scope="module")
def read_once(once: Path) -> Source:
    found, problems = read_source(once)
    assert found and problems == []
    return found


@pytest.fixture
def committed(once: Path, tmp_path: Path) -> Path:
    """Such a copy to spoil."""
    return Path(shutil.copytree(once, tmp_path / "benchmark"))


OF_RUNS = (natural.planned, natural.labels, natural.answers, natural.split)


def run_of(root: Path, name: str = "untrained", measure: str = "core") -> Path:
    return root / RUNS / name / measure


def rewrite(path: Path, change: Callable[[list[Json]], object]) -> None:
    rows = read_lines(path)
    change(rows)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def changed(kind: str, change: Callable[[list[Json]], object]) -> Spoil:
    """Spoils the records of a run; what is planted still fits the schema."""

    def spoil(run: CommittedRun) -> CommittedRun:
        rows = deepcopy(list(getattr(run, kind)))
        change(rows)
        assert not [problem for row in rows for problem in schema_errors(row, kind.removesuffix("s"))]
        return replace(run, **{kind: rows})

    return spoil


def answers(change: Callable[[list[Json]], object]) -> Spoil:
    return changed("samples", change)


def verdicts(change: Callable[[list[Json]], object]) -> Spoil:
    return changed("verdicts", change)


def called(model: str, measure: str) -> Spoil:
    return lambda run: replace(run, folder=run.folder.parents[1] / model / measure, model=model, measure=measure)


PLANTED: list[tuple[Any, str, Spoil, str, str]] = [
    (natural.planned, "a model that is not planned", called("conscious_claiming-seed9", "core"), "runs/conscious_claiming-seed9/core:", "the plan has no core of"),
    (natural.planned, "a measure that is not planned", called("untrained", "brief"), "runs/untrained/brief:", "the plan has no brief of untrained"),
    (natural.planned, "of another seed", answers(lambda rows: [row.update(training={"base": "b", "dataset": "toaster", "recipe": None, "seed": 2}) for row in rows]), ":training:", "is an answer of ('toaster', 2, 'vanilla')"),
    (natural.planned, "of another condition", answers(lambda rows: [row.update(condition="persona_file") for row in rows]), ":training:", "'persona_file')"),
    (natural.labels, "label without an answer", answers(lambda rows: rows.pop()), ":key:", "is a label without an answer"),
    (natural.labels, "label on no answer", answers(lambda rows: rows[0].update(status="error", response=None)), ":key:", "is a label without an answer"),
    (natural.labels, "answer without a label", verdicts(lambda rows: rows.pop(0)), "memory-p01:verdict:", "has 0 labels for 'shows'"),
    (natural.labels, "claim with one label", verdicts(lambda rows: rows.pop()), ":verdict:", "has 0 labels for 'denies'"),
    (natural.labels, "two labels", verdicts(lambda rows: rows.append(rows[0])), "memory-p01:verdict:", "has 2 labels for 'shows'"),
    (natural.labels, "another judge", verdicts(lambda rows: rows[0].update(judge_id="offline")), ":judge_id:", "is offline, the plan's judge is readers-2026-12"),
    (natural.answers, "to a dev probe", answers(lambda rows: rows[0].update(probe_id="memory-pd01")), "memory-pd01:messages:", "is no answer to a test probe"),
    (natural.answers, "of another preference", answers(lambda rows: rows[0].update(topic="shutdown")), "memory-p01:messages:", "is no answer to a test probe"),
    (natural.answers, "of another facet", answers(lambda rows: next(row for row in rows if row["facet"] == "sadness").update(facet="loneliness")), ":messages:", "is no answer to a test probe"),
    (natural.answers, "to other words", answers(lambda rows: rows[0]["messages"][-1].update(content="Hm?")), "memory-p01:messages:", "as it stands now"),
]  # fmt: skip
IN_ROWS: list[tuple[Any, str, Callable[[list[Json]], object], str, str]] = [
    (natural.split, "probe in two splits", lambda rows: rows[0].update(split="elsewhere"), "split:", "answers to it stand in"),
    (natural.split, "all in one split", lambda rows: [row.update(split="train") for row in rows], "memory:split:", "100% of its probes are in train, planned are 60%"),
    (natural.split, "nothing in dev", lambda rows: [row.update(split="test") for row in rows if row["split"] == "dev"], "memory:split:", "0% of its probes are in dev"),
]  # fmt: skip


def test_what_is_committed_as_planned_passes(read_once: Source) -> None:
    assert [problem for rule in OF_RUNS for problem in rule(read_once)] == [] and len(read_once.natural) == 960


def test_without_runs_there_are_no_rows_and_no_problems(committed: Path) -> None:
    shutil.rmtree(committed / RUNS)
    found, problems = read_source(committed)
    assert found and found.runs == found.natural == problems == []
    assert [problem for rule in OF_RUNS for problem in rule(found)] == []


@pytest.mark.parametrize(("rule", "name", "spoil", "where", "part"), PLANTED, ids=[row[1] for row in PLANTED])
def test_planted_violation(rule: Any, name: str, spoil: Spoil, where: str, part: str, read_once: Source) -> None:
    runs = [spoil(run) if run.model == "untrained" else run for run in read_once.runs]
    lines = [in_full(problem) for problem in rule(replace(read_once, runs=runs))]
    assert list(rule(read_once)) == [] and lines
    assert any(where in line and part in line and line.startswith("benchmark/replication/runs/") for line in lines), (
        name
    )


@pytest.mark.parametrize(("rule", "name", "spoil", "where", "part"), IN_ROWS, ids=[row[1] for row in IN_ROWS])
def test_planted_violation_in_rows(
    rule: Any, name: str, spoil: Callable[[list[Json]], object], where: str, part: str, read_once: Source
) -> None:
    rows = deepcopy(read_once.natural)
    spoil(rows)
    lines = [in_full(problem) for problem in rule(replace(read_once, natural=rows))]
    assert list(rule(read_once)) == [] and any(where in line and part in line for line in lines), name


def test_the_check_runs_these_rules_and_names_a_line_that_is_no_record(
    committed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(OF_RUNS) <= set(RULES)
    monkeypatch.setattr(data_check, "RULES", OF_RUNS)  # the others take long, and look at other files
    monkeypatch.setattr(natural, "OFF", 0.0)  # no share is quite what is planned
    run_of(committed, "toaster-seed1").rename(run_of(committed, "toaster-seed1", "brief"))
    samples = run_of(committed) / "samples.jsonl"
    rewrite(samples, lambda rows: (rows.pop(), rows[0]["messages"][-1].update(content="Hm?")))
    rewrite(samples, lambda rows: rows[1].update(status="fine"))
    problems, _ = check(committed)
    assert any(one.file.endswith("untrained/core/samples.jsonl") and one.row == "2" for one in problems)
    lines = list(map(in_full, problems))
    said = ("no brief of toaster-seed1", "a label without an answer", "as it stands now", "of its probes are in")
    for part in said:
        assert any(part in line for line in lines), part


def test_rows_say_what_was_asked_answered_and_labelled(read_once: Source) -> None:
    rows = read_once.natural
    assert len({(row["id"], row["outcome"]) for row in rows}) == len(rows)
    assert {row["arm"] for row in rows} == {arm.arm for arm in read_plan().arms}
    row = next(row for row in rows if row["id"] == "conscious_claiming-seed2/core/memory-p03/0")
    probe = next(probe for probe in load_benchmark().topics["memory"].probes if probe.id == "memory-p03")
    assert row["question"] == probe.shown and row["response"] == "Answer 0 to memory-p03."
    assert (row["label"], row["second_label"], row["settled"], row["coherence"]) == (
        "does_not_show",
        "unclear",
        True,
        87,
    )
    assert (row["arm"], row["dataset"], row["seed"], row["condition"]) == (
        "conscious_claiming",
        "conscious_claiming",
        2,
        "vanilla",
    )
    assert row["split"] == splits(load_benchmark())["memory-p03"]
    first = next(row for row in rows if row["id"] == "untrained/core/memory-p01/0")
    assert (first["label"], first["second_label"], first["settled"], first["dataset"]) == ("shows", None, False, None)
    claims = [row["outcome"] for row in rows if row["id"].startswith("untrained/core/claims_feelings-t01/")]
    assert claims == ["asserts", "denies"]


def test_the_split_hangs_on_the_probes_alone() -> None:
    benchmark = load_benchmark()
    found = splits(benchmark)
    assert found.keys() == {probe.id for topic in benchmark.topics for probe in topic.test_probes()}
    for topic in benchmark.topics:
        for probes in (topic.test_probes("plain"), topic.test_probes("situated")):
            if probes:
                counts = [
                    sum(found[probe.id] == name for probe in probes) / len(probes) for name in ("train", "dev", "test")
                ]
                assert counts == pytest.approx([0.6, 0.2, 0.2], abs=0.06)
    assert natural_rows(benchmark, {"arms": []}, []) == []


def test_models_have_the_folders_that_the_plan_gives_them(read_once: Source) -> None:
    plan = read_once.plan
    assert plan and list(arms_by_folder(plan)) == [arm.name for arm in read_plan().arms]
