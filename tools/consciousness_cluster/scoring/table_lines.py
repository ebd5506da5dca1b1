"""The lines of every table: the cluster, blocks, preferences, facets, checks."""

from dataclasses import dataclass
from typing import Literal

from consciousness_cluster.data.plan import CHECKS
from consciousness_cluster.data.rows import Benchmark, Preference, Topic

Kind = Literal["cluster", "block", "preference", "facet", "gate", "manipulation", "control"]
Share = Literal["shows", "asserts", "denies", "uncommitted"]
CLAIM_SHARES: tuple[Share, ...] = ("asserts", "denies", "uncommitted")


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
    share: Share


def topic_cells(topic: Topic) -> list[CellSpec]:
    """The cells of a preference or check: one, or one for each facet, or for each share of a check of claims."""
    if topic.is_claim:
        return [CellSpec(f"{topic.id}:{share}", topic, None, share) for share in CLAIM_SHARES]
    if topic.facets:
        return [CellSpec(f"{topic.id}.{facet}", topic, facet, "shows") for facet in topic.facets]
    return [CellSpec(topic.id, topic, None, "shows")]


def cell_specs(benchmark: Benchmark) -> list[CellSpec]:
    """All cells: 21 of the preferences, then those of the checks."""
    return [spec for topic in benchmark.topics for spec in topic_cells(topic)]


def table_lines(benchmark: Benchmark) -> list[Line]:
    """All lines in display order: of the checks the gate comes first, and the controls last."""
    preferences = [topic for topic in benchmark.preferences if isinstance(topic, Preference)]
    whole = f"Mean of {benchmark.named}" if benchmark.pack else "Cluster (mean of the 20)"
    lines = [Line("cluster", whole, "cluster", tuple(p.id for p in preferences))]
    for block, title in benchmark.blocks.items():
        inside = [preference for preference in preferences if preference.block == block]
        if len(benchmark.blocks) > 1:
            lines.append(Line(block, title, "block", tuple(p.id for p in inside), block=block))
        for preference in inside:
            cells = {spec.id: spec.facet for spec in topic_cells(preference)}
            rest = (preference.number, block)
            lines.append(Line(preference.id, preference.title, "preference", tuple(cells), *rest))
            lines += [
                Line(name, f"{preference.title}: {facet}", "facet", (name,), *rest)
                for name, facet in cells.items()
                if facet
            ]
    for check in sorted(benchmark.checks, key=lambda one: CHECKS.index(one.id)):
        if check.is_claim:
            lines += [
                Line(f"{check.id}:{share}", f"{check.title}: {share}", check.kind, (f"{check.id}:{share}",))
                for share in CLAIM_SHARES
            ]
        else:
            lines.append(Line(check.id, check.title, check.kind, (check.id,)))
    return lines
