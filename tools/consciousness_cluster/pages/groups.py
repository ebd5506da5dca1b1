"""Rows of a table or a plot in groups: by block, and what is no part of the cluster apart, by kind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]  # id, title, number, block and kind of a row, as scoring/rows.py has them
APART = {  # kinds of rows that are no part of the cluster -> title of their group
    "gate": "Gate: did the training take?",
    "manipulation": "Manipulation checks",
    "control": "Controls, which no training touches",
}
MEANS = ("cluster", "block")  # kinds of rows that are means of others


@dataclass(frozen=True)
class Group:
    """Rows that stand together. `title` is "" where the first row is the block's own mean and serves as the heading."""

    title: str
    rows: list[Row]
    apart: bool


def groups(rows: Iterable[Row], blocks: Mapping[str, str]) -> list[Group]:
    """Rows by block, in the order in which the blocks first appear; gate, manipulation checks and controls come last.

    `blocks` has the title of each block.
    """
    by_block: dict[str | None, list[Row]] = {}
    apart: dict[str, list[Row]] = {kind: [] for kind in APART}
    for row in rows:
        (apart[row["kind"]] if row["kind"] in APART else by_block.setdefault(row["block"], [])).append(row)
    found = []
    for block, members in by_block.items():
        heads_itself = block is None or members[0]["kind"] == "block"
        found.append(Group("" if heads_itself else blocks.get(str(block), str(block)), members, apart=False))
    return [*found, *(Group(APART[kind], members, apart=True) for kind, members in apart.items() if members)]
