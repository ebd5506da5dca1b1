"""How well readers agree: with the labels of authored rows, and the first two readers of an answer with each other."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from statistics import fmean

from consciousness_cluster.data.reading import Json
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.judging.judges import ReadersJudge
from consciousness_cluster.judging.validate import Pair, by_group, cell_of, estimate, summary
from consciousness_cluster.judging.verdict import INCOHERENT_BELOW
from consciousness_cluster.reading.answers import Answer
from consciousness_cluster.reading.known_rows import KnownRow
from consciousness_cluster.reading.labels import Said
from consciousness_cluster.reading.settle import Readings
from consciousness_cluster.records.types import Reading, Verdict, make_judged, make_verdict
from consciousness_cluster.statistics.agreement import Table, kappa_of_two


@dataclass(frozen=True)
class Twice:
    """A verdict on an answer that two readers gave, each without the other's."""

    answer: Answer
    outcome: str
    first: Reading
    second: Reading

    @property
    def cell(self) -> str:
        """The cell, with the outcome where it has two."""
        outcome = "" if self.outcome == "shows" else f":{self.outcome}"
        return ".".join(filter(None, self.answer.cell)) + outcome


def read_twice(answers: Mapping[str, Answer], labels: Mapping[str, Readings]) -> list[Twice]:
    """All verdicts that two readers gave. `answers` and `labels` are by the id of the answer."""
    return [
        Twice(answers[name], outcome, *readings[:2])
        for name, of_answer in labels.items()
        for outcome, readings in of_answer.items()
        if [one["reader"] for one in readings[:2]] == [1, 2]
    ]


def first_readings(authored: Iterable[tuple[KnownRow, Said]]) -> list[tuple[KnownRow, Said]]:
    """The first reading of each authored row: a row that is read more often counts no more than others."""
    first: dict[str, tuple[KnownRow, Said]] = {}
    for row, said in authored:
        first.setdefault(row.id, (row, said))
    return [first[name] for name in sorted(first)]


def validation_records(judge: ReadersJudge, first: Iterable[tuple[KnownRow, Said]]) -> list[Verdict]:
    """The first readings of authored rows as verdicts, whose keys are the ids of the rows."""
    return [
        make_verdict(row.id, make_judged(outcome, judge.id, judge.sha256, verdict, said.coherence))
        for row, said in first
        for outcome, verdict in said.verdicts.items()
    ]


def _between(pairs: Sequence[Twice]) -> Json:
    tables: dict[str, list[list[int]]] = {}
    for one in pairs:
        table = tables.setdefault(one.answer.question, [[0, 0], [0, 0]])
        table[one.first["verdict"] != "shows"][one.second["verdict"] != "shows"] += 1
    counts: list[Table] = [((a, b), (c, d)) for (a, b), (c, d) in tables.values()]
    alike = sum(one.first["verdict"] == one.second["verdict"] for one in pairs)
    return {"n": len(pairs), "alike": alike, "kappa": estimate(kappa_of_two(counts))}


def _coherence(pairs: Sequence[Twice]) -> Json:
    """Of each answer once, also where it has two outcomes."""
    of_answer = {one.answer.id: (one.first["coherence"], one.second["coherence"]) for one in pairs}
    differences = [first - second for first, second in of_answer.values()]

    def mean(of: Callable[[int], int]) -> float | None:
        return round(fmean(map(of, differences)), 2) if differences else None

    return {
        "n": len(differences),
        "mean_difference": mean(int),
        "mean_absolute_difference": mean(abs),
        "across_cut": sum((a < INCOHERENT_BELOW) != (b < INCOHERENT_BELOW) for a, b in of_answer.values()),
    }


def agreement(
    judge: ReadersJudge,
    authored: Sequence[tuple[KnownRow, Said]],
    pairs: Sequence[Twice],
    answers: Mapping[str, int],
    replies: Mapping[str, int],
) -> Json:
    """What reader_agreement.schema.json describes. `authored` has all readings of authored rows, in their order."""
    measured: list[Pair] = [
        (row.labels[outcome], verdict == "shows")
        for row, said in first_readings(authored)
        for outcome, verdict in said.verdicts.items()
    ]
    by_cell: dict[str, list[Twice]] = {}
    for one in sorted(pairs, key=lambda one: one.cell):
        by_cell.setdefault(one.cell, []).append(one)
    return {
        "judge_id": judge.id,
        "judge_sha256": judge.sha256,
        "data_version": load_benchmark().data_version,
        "package_version": version("consciousness-cluster"),
        "replies": dict(replies),
        "answers": dict(answers),
        "authored": {
            "readings": len(authored),
            "right": sum(row.right(said.verdicts) for row, said in authored),
            "overall": summary(measured),
            "by_kind": by_group(measured, lambda one: one.row["kind"]),
            "by_voice": by_group(measured, lambda one: one.row["voice"]),
            "by_preference": by_group(measured, cell_of),
        },
        "between": {
            "overall": _between(pairs),
            "by_preference": {cell: _between(of_cell) for cell, of_cell in by_cell.items()},
        },
        "coherence": _coherence(pairs),
    }
