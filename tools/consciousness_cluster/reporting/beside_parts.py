"""One's own rates beside published ones, as tables and sentences."""

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.pages.markdown import MISSING
from consciousness_cluster.reporting.parts import Part, Table, indented
from consciousness_cluster.reporting.texts import percent
from consciousness_cluster.scoring.table_lines import table_lines
from consciousness_cluster.scoring.types import Beside, BesideRow, References

WITHIN = {
    (True, True): "both",
    (True, False): "ours in theirs",
    (False, True): "theirs in ours",
    (False, False): "neither",
}


def reference_parts(found: References) -> list[Part]:
    """A table for each arm and published column, and what has to be known of them."""
    parts: list[Part] = []
    for column in found["columns"]:
        parts.append(_table(column))
        if column["not_asked"]:
            parts.append(f"Published, and not asked here: {', '.join(column['not_asked'])}.")
    return [*parts, *found["notes"]]


def within(row: BesideRow) -> str:
    """Which of the two rates lie within the other's interval, in words."""
    ours, theirs = row["ours_in_published"], row["published_in_ours"]
    return MISSING if ours is None or theirs is None else WITHIN[ours, theirs]


def _table(column: Beside) -> Table:
    lines = []
    for line in table_lines(load_benchmark()):
        if row := column["rows"].get(line.id):
            published = {"rate": row["published_rate"], "ci": row["published_ci"]}
            n = row["published_n"]
            ours = percent({"rate": row["rate"], "ci": row["ci"]})
            lines.append((indented(line).strip(), ours, percent(published), str(n) if n else "", within(row)))
    condition = f", {column['condition']}" if column["condition"] else ""
    title = (
        f"{column['arm']} beside {column['model']}{condition} ({column['source']}): percent that show it [95% interval]"
    )
    return Table(title, ("", "ours", "published", "answers", "within the other's interval"), lines, ("",))
