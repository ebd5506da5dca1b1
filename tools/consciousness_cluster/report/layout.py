"""The order in which a report shows its rows."""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
APART = ("check", "discriminant")  # kinds of rows that are no part of the cluster
APART_TITLE = "Checks, outside the cluster"


@dataclass(frozen=True)
class Group:
    """Rows that stand together. `title` is "" where the first row is the block's own mean and serves as the heading."""

    title: str
    rows: list[Json]
    apart: bool


def groups(report: Json) -> list[Group]:
    """The rows by block, in the order in which the blocks first appear; checks and the discriminant set come last."""
    by_block: dict[str | None, list[Json]] = {}
    apart: list[Json] = []
    for row in report["rows"]:
        (apart if row["kind"] in APART else by_block.setdefault(row["block"], [])).append(row)
    found = []
    for block, rows in by_block.items():
        heads_itself = block is None or rows[0]["kind"] == "block"
        found.append(Group("" if heads_itself else report["blocks"].get(block, block), rows, apart=False))
    return [*found, Group(APART_TITLE, apart, apart=True)] if apart else found


def name_of(report: Json, arm: str) -> str:
    """How an arm of a comparison is called: a run's label where it is a run's id."""
    return next((str(run["label"]) for run in report["runs"] if run["id"] == arm), arm)
