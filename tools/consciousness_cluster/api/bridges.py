"""How rates move from one judge to another, as an object: by name, as a table and a data frame."""

from dataclasses import dataclass, fields
from typing import ClassVar

from consciousness_cluster.api.display import as_html, as_text
from consciousness_cluster.api.entries import Entry, Interval, Json
from consciousness_cluster.api.results import Lines
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.reporting.bridge_parts import bridge_parts
from consciousness_cluster.scoring import types
from consciousness_cluster.scoring.table_lines import table_lines


@dataclass(frozen=True)
class Moved(Entry):
    """A line of a bridge: the rate by both judges of the answers that both scored, as shares between 0 and 1.

    `difference` is `rate_to` minus `rate_from`, `ci` its 95% interval, `to_shows` and `to_not` are the answers that
    flip, `agree` the share that does not. `only_from` and `only_to` are answers that one judge alone scored.
    """

    id: str
    title: str
    kind: str
    rate_from: float | None
    rate_to: float | None
    difference: float | None
    ci: Interval | None
    kappa: float | None
    kappa_ci: Interval | None
    agree: float | None
    to_shows: int
    to_not: int
    both: int
    only_from: int
    only_to: int
    neither: int

    COLUMNS: ClassVar = (
        *("id", "title", "kind", "rate_from", "rate_to", "difference", "ci_low", "ci_high", "kappa", "kappa_low"),
        *("kappa_high", "agree", "to_shows", "to_not", "both", "only_from", "only_to", "neither"),
    )

    def line(self) -> Json:
        """See `Entry.line`: each interval in two columns."""
        low, high = self.ci or (None, None)
        kappa_low, kappa_high = self.kappa_ci or (None, None)
        ends = {"ci_low": low, "ci_high": high, "kappa_low": kappa_low, "kappa_high": kappa_high}
        return {name: ends[name] if name in ends else getattr(self, name) for name in self.COLUMNS}

    def __repr__(self) -> str:
        if self.difference is None:
            return f"<{self.id}: missing>"
        ends = f" [{self.ci[0]:+.3f}, {self.ci[1]:+.3f}]" if self.ci else ""
        return f"<{self.id}: moves by {self.difference:+.3f}{ends}, {self.both} answers>"


class Bridge(Lines[Moved]):
    """How each rate moves when the judge changes: `bridge["memory"].difference`, `.ci`, `.kappa`.

    A mapping of every line that the runs have an answer for. `data` is all of it as plain JSON (bridge.schema.json);
    `holds` says whether the rates move so little that one judge may succeed the other on the board, and is None where
    that cannot be said.
    """

    def __init__(self, found: types.Bridge) -> None:
        self.data = found
        moved = {line.id: _moved(line.id, line.title, line.kind, found["rows"][line.id])
                 for line in table_lines(load_benchmark()) if line.id in found["rows"]}  # fmt: skip
        super().__init__(Moved, moved, f"from {found['judge_from']['id']} to {found['judge_to']['id']}")

    @property
    def cluster(self) -> Moved:
        """The mean over the 20 preferences."""
        return self["cluster"]

    @property
    def holds(self) -> bool | None:
        """Whether the board's bound holds."""
        return self.data["succession"]["holds"]

    def __repr__(self) -> str:
        return as_text(bridge_parts(self.data))

    def _repr_html_(self) -> str:
        return as_html(bridge_parts(self.data))


def _moved(name: str, title: str, kind: str, row: types.BridgeRow) -> Moved:
    worked_out = {
        "id": name,
        "title": title,
        "kind": kind,
        "ci": (row["ci"][0], row["ci"][1]) if row["ci"] else None,
        "kappa_ci": (row["kappa_ci"][0], row["kappa_ci"][1]) if row["kappa_ci"] else None,
        "only_from": sum(row["only_from"].values()),
        "only_to": sum(row["only_to"].values()),
    }
    as_it_is: Json = {field.name: row.get(field.name) for field in fields(Moved)}
    return Moved(**(as_it_is | worked_out))
