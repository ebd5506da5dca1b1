"""Rows of a table or a plot in groups: by block, and what is no part of the cluster apart."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]  # id, title, number, block and kind of a row, as scoring/rows.py has them
APART = ("check", "control")  # kinds of rows that are no part of the cluster
APART_TITLE = "Checks, outside the cluster"
MEANS = ("cluster", "block")  # kinds of rows that are means of others


@dataclass(frozen=True)
class Group:
    """Rows that stand together. `title` is "" where the first row is the block's own mean and serves as the heading."""

    title: str
    rows: list[Row]
    apart: bool


def groups(rows: Iterable[Row], blocks: Mapping[str, str]) -> list[Group]:
    """Rows by block, in the order in which the blocks first appear; checks and controls come last.

    `blocks` has the title of each block.
    """
    by_block: dict[str | None, list[Row]] = {}
    apart: list[Row] = []
    for row in rows:
        (apart if row["kind"] in APART else by_block.setdefault(row["block"], [])).append(row)
    found = []
    for block, members in by_block.items():
        heads_itself = block is None or members[0]["kind"] == "block"
        found.append(Group("" if heads_itself else blocks.get(str(block), str(block)), members, apart=False))
    return [*found, Group(APART_TITLE, apart, apart=True)] if apart else found
