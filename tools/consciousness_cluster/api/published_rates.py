"""One's own rates beside published ones, as an object."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from consciousness_cluster.api.display import as_html, as_text, frame
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.reporting.beside_parts import reference_parts
from consciousness_cluster.scoring.beside import beside_published
from consciousness_cluster.scoring.load import Scored
from consciousness_cluster.scoring.table_lines import table_lines
from consciousness_cluster.scoring.types import References

if TYPE_CHECKING:
    import pandas

COLUMNS = (
    *("arm", "source", "model", "condition", "id", "title", "rate", "low", "high"),
    *("published_rate", "published_low", "published_high", "published_n", "ours_in_published", "published_in_ours"),
)


class BesidePublished:
    """Each cell of one's own beside the published one, with 95% intervals; rates are shares.

    `data` is all of it as plain JSON (`reference` of comparison.schema.json).
    """

    def __init__(self, found: References) -> None:
        self.data = found

    @property
    def notes(self) -> list[str]:
        """What has to be known of the two: whether the prompts are the same, and what the intervals do not know."""
        return list(self.data["notes"])

    def to_frame(self) -> "pandas.DataFrame":
        """One line for each arm, published column and cell. Raises UserError without the extra `[pandas]`."""
        titles = {line.id: line.title for line in table_lines(load_benchmark())}
        lines = []
        for column in self.data["columns"]:
            about = {name: column[name] for name in ("arm", "source", "model", "condition")}
            for cell, row in column["rows"].items():
                low, high = row["ci"] or (None, None)
                published_low, published_high = row["published_ci"] or (None, None)
                ends = {"low": low, "high": high, "published_low": published_low, "published_high": published_high}
                lines.append({**about, "id": cell, "title": titles[cell], **row, **ends})
        return frame(lines, COLUMNS)

    def __repr__(self) -> str:
        return as_text(reference_parts(self.data))

    def _repr_html_(self) -> str:
        return as_html(reference_parts(self.data))


def beside(runs: Sequence[Scored], file: Path | None) -> BesidePublished:
    """The runs beside the published rates of a file, or of this package. Raises UserError."""
    return BesidePublished(beside_published(runs, file))
