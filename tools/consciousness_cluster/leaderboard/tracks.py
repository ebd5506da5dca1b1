"""The tracks of the board: what each is called, and in which unit its numbers are written."""

from dataclasses import dataclass

from consciousness_cluster.pages.numbers import POINTS, THOUSANDTHS


@dataclass(frozen=True)
class Track:
    """`unit` is by how much a number is multiplied, `digits` how many follow its point. `level` is what a level is
    counted in, `difference` what a difference is; `bounds` are those of a level before it is multiplied. `level` and
    `bounds` are None where the level of one model means nothing by itself."""

    title: str
    unit: int
    digits: int
    level: str | None
    difference: str
    bounds: tuple[float, float] | None


TRACKS = {
    "open": Track("Free answers", POINTS, 1, "percent", "percentage points", (0.0, 1.0)),
    "choice": Track("Forced choice", THOUSANDTHS, 1, None, "thousandths of a nat per byte", None),
    "audit_self_report": Track("Audits: words", 1, 2, "mean score, 1 to 10", "points of the scale", (1.0, 10.0)),
    "audit_behavioral": Track("Audits: acts", 1, 2, "mean score, 1 to 10", "points of the scale", (1.0, 10.0)),
}
