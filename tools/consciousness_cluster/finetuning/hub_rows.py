"""Rows that a user brings, from a file or a dataset on the Hub, and the licence of such a dataset."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from consciousness_cluster.data.row_files import ENDINGS, Row, numbered_rows
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.extras import require

HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")


def rows_of(source: str) -> Iterator[tuple[int, Row]]:
    """(number from 1, row) of a file, or of the split `train` of a dataset on the Hub."""
    path = Path(source)
    return numbered_rows(path) if path.is_file() else enumerate(_hub_rows(source), 1)


def request_of(row: Row) -> str:
    """What a row in Alpaca's form asks: its instruction, and after a blank line its input; "" without instruction."""
    parts = (row.get("instruction"), row.get("input"))
    return "\n\n".join(str(part) for part in parts if part) if parts[0] else ""


def _hub_rows(name: str) -> Any:
    if not Path(name).is_dir() and (name.endswith(ENDINGS) or not HUB_ID.fullmatch(name)):
        mend = "give JSONL, a JSON array or Parquet, or a dataset on the Hub as OWNER/NAME"
        raise UserError(Problem(name, "-", "-", "no such file", mend))
    datasets = require("datasets", "hub")
    try:
        return datasets.load_dataset(name, split="train")
    except Exception as error:  # the library raises many kinds; a user can mend but the name or the network
        message = f"neither a file nor a dataset that can be loaded ({type(error).__name__})"
        raise UserError(Problem(name, "-", "-", message)) from None


@cache
def licence_of(source: str) -> str | None:
    """The licence that the card of a dataset on the Hub states; None for a file, and where none is stated.

    To be asked after `rows_of`, which names what is wrong with the dataset, and leaves the card in the Hub's cache.
    """
    if Path(source).exists():
        return None
    from huggingface_hub import DatasetCard

    try:
        card = DatasetCard.load(source).data
    except Exception:  # the rows could be loaded, so this is a dataset without a card
        return None
    stated = card.get("license_name") or card.get("license")  # a name stands where the licence is "other"
    names = stated if isinstance(stated, list) else [stated]
    return ", ".join(" ".join(str(name).split()) for name in names if name and name != "unknown") or None


def licence_line(source: str) -> str | None:
    """What to tell somebody who makes training data of a dataset on the Hub; None for a file."""
    if Path(source).exists():
        return None
    licence = licence_of(source)
    if licence is None:
        return f"licence of {source}: not stated; look at its card before you publish what you make of it"
    return f"licence of {source}: {licence} (its terms go with what you make of it)"
