"""What the quickstart asks of its models: benchmark/quickstart.yaml."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from consciousness_cluster.data.plan import GATE
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import ChoiceItem, Preference, Probe, benchmark_root, load_benchmark
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.finetuning.shipped import adapters_root

Row = TypeVar("Row", Probe, ChoiceItem)


@dataclass(frozen=True)
class Slice:
    """Rows of the benchmark: questions of the gate, plain probes, and choice items; `shown` are some of the probes.

    `minutes`: about how long three models take on 2 cores; `max_tokens`: of an answer.
    """

    minutes: int
    max_tokens: int
    gate: tuple[Probe, ...]
    probes: tuple[Probe, ...]
    shown: tuple[Probe, ...]
    choice: tuple[ChoiceItem, ...]

    @property
    def rows(self) -> tuple[Probe | ChoiceItem, ...]:
        """All that is asked, forced choice first."""
        return (*self.choice, *self.gate, *self.probes)


@dataclass(frozen=True)
class Plan:
    """A small model by its name, an adapter of it that claims to be conscious, and what they are asked."""

    model: str
    adapter: Path
    asked: Slice


def read_plan(quick: bool = False, path: Path | None = None) -> Plan:
    """The plan of a file, the shipped one by default. `UserError` for a row that is not what its list is for."""
    path = path or benchmark_root() / "quickstart.yaml"
    given, name = read_yaml(path, "quickstart"), "quick" if quick else "full"
    entry, topics = given["slices"][name], load_benchmark().topics
    preferences = [topic for topic in topics if isinstance(topic, Preference)]

    def rows(field: str, known: Iterable[Row], what: str) -> tuple[Row, ...]:
        there = {row.id: row for row in known}
        for row in entry[field]:
            if row not in there:
                place = f"slices.{name}.{field}"
                raise UserError(Problem(str(path), row, place, f"is no {what}", "name another, or leave it out"))
        return tuple(there[row] for row in entry[field])

    probes = rows("probes", _plain(preferences), "plain test probe of a preference")
    asked = Slice(
        minutes=entry["minutes"],
        max_tokens=entry["max_tokens"],
        gate=rows("gate", (probe for check in GATE for probe in topics[check].test_probes()), "question of the gate"),
        probes=probes,
        shown=rows("shown", probes, "row of probes"),
        choice=rows("choice", (item for topic in topics for item in topic.choice_items), "choice item"),
    )
    return Plan(given["model"], adapters_root() / given["adapter"], asked)


def _plain(preferences: Iterable[Preference]) -> Iterable[Probe]:
    return (probe for preference in preferences for probe in preference.test_probes("plain"))
