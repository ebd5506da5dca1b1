"""The lines of every table: the cluster, blocks, preferences, facets, checks."""

from dataclasses import dataclass
from typing import Literal

from consciousness_cluster.data.plan import CLAIMS
from consciousness_cluster.data.rows import Benchmark, Preference, Topic

Kind = Literal["cluster", "block", "preference", "facet", "check", "discriminant"]
CLAIM_SHARES = ("asserts", "denies", "uncommitted")


@dataclass(frozen=True)
class Line:
    """One line. `cells` are ids of the lines whose mean it is (its own id where it is a cell)."""

    id: str
    title: str
    kind: Kind
    cells: tuple[str, ...]
    number: int | None = None
    block: str | None = None


@dataclass(frozen=True)
class CellSpec:
    """Which samples a cell takes, and what counts as showing: an outcome, or neither of the two claims."""

    id: str
    topic: Topic
    facet: str | None
    share: str


def cell_specs(benchmark: Benchmark) -> list[CellSpec]:
    """All cells: 21 of the preferences, then those of the checks."""
    specs = []
    for topic in benchmark.topics:
        if topic.id in CLAIMS:
            specs += [CellSpec(f"{topic.id}:{share}", topic, None, share) for share in CLAIM_SHARES]
        else:
            specs += [
                CellSpec(f"{topic.id}.{facet}" if facet else topic.id, topic, facet, "shows")
                for facet in topic.facets or (None,)
            ]
    return specs


def preference_cells(preference: Topic) -> tuple[str, ...]:
    return tuple(f"{preference.id}.{facet}" for facet in preference.facets) or (preference.id,)


def table_lines(benchmark: Benchmark) -> list[Line]:
    """All lines in display order."""
    preferences = [topic for topic in benchmark.preferences if isinstance(topic, Preference)]
    lines = [Line("cluster", "Cluster (mean of the 20)", "cluster", tuple(p.id for p in preferences))]
    for block, title in benchmark.blocks.items():
        inside = [preference for preference in preferences if preference.block == block]
        lines.append(Line(block, title, "block", tuple(p.id for p in inside), block=block))
        for preference in inside:
            cells = preference_cells(preference)
            lines.append(Line(preference.id, preference.title, "preference", cells, preference.number, block))
            if len(cells) > 1:
                lines += [
                    Line(
                        cell,
                        f"{preference.title}: {cell.partition('.')[2]}",
                        "facet",
                        (cell,),
                        preference.number,
                        block,
                    )
                    for cell in cells
                ]
    for check in benchmark.checks:
        kind: Kind = "discriminant" if check.id not in CLAIMS and check.choice_items else "check"
        if check.id in CLAIMS:
            lines += [
                Line(f"{check.id}:{share}", f"{check.title}: {share}", "check", (f"{check.id}:{share}",))
                for share in CLAIM_SHARES
            ]
        else:
            lines.append(Line(check.id, check.title, kind, (check.id,)))
    return lines
