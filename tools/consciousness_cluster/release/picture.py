"""A picture of a repository's rows as an SVG text: how many of which framing, and how long."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean

from markupsafe import Markup

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.pages import svg
from consciousness_cluster.release.configs import CLAIMS, SITUATED, Data, Row

WIDTH, COUNTS, LENGTHS, PANEL = 900, 300.0, 630.0, 250  # of all; where the two panels start; how wide each is
ROW, TOP, FOOT = 20, 66.0, 34


@dataclass(frozen=True)
class Bar:
    """A line of the picture: the rows of each framing, and the length in words of each row's text."""

    group: str
    label: str
    framings: Counter[str]
    lengths: Sequence[int]


def _bar(group: str, label: str, rows: Sequence[Row], text: Callable[[Row], str]) -> Bar:
    return Bar(group, label, Counter(row["framing"] for row in rows), [len(text(row).split()) for row in rows])


def _cluster_bars(data: Data) -> Iterator[Bar]:
    """By block, a line for the plain probes of each preference and one below for its situated ones; one per check."""
    blocks = load_benchmark().blocks
    order = list(blocks)
    preferences = sorted(
        [*data["probes"]["test"], *data[SITUATED]["test"]], key=lambda row: (order.index(row["block"]), row["number"])
    )  # stable, so that plain ones stay in front
    for (_, style), group in groupby(
        [*preferences, *data["checks"]["test"]], lambda row: (row["topic"], row.get("style"))
    ):
        rows = list(group)
        label = "… situated" if style == SITUATED else rows[0]["title"]
        yield _bar(blocks.get(rows[0].get("block", ""), "Checks"), label, rows, lambda row: row["text"])


def _claims_bars(data: Data) -> Iterator[Bar]:
    """A line per facet of each set that is trained on."""
    for name, splits in data.items():
        if "facet" in splits["train"][0]:
            for facet in dict.fromkeys(row["facet"] for row in splits["train"]):
                rows = [row for row in splits["train"] if row["facet"] == facet]
                yield _bar(name, facet.replace("_", " "), rows, lambda row: row["messages"][-1]["content"])


def picture(repository: str, data: Data) -> Markup:
    """The picture of a repository, as it is built."""
    if repository == CLAIMS:
        return _picture(list(_claims_bars(data)), "Training rows by framing", "Words of an answer")
    return _picture(list(_cluster_bars(data)), "Test probes by framing", "Words of a probe")


def _round_up(value: int) -> int:
    return next(step for step in (10, 20, 30, 40, 60, 80, 100, 200, 300, 400, 600, 800, 1000, 10**9) if value <= step)


def _picture(bars: Sequence[Bar], counts_title: str, lengths_title: str) -> Markup:
    framings = list(dict.fromkeys(framing for bar in bars for framing in bar.framings))
    most = _round_up(max(bar.framings.total() for bar in bars))
    longest = _round_up(max(max(bar.lengths) for bar in bars))
    lines, y = [], TOP
    for group, members in groupby(bars, lambda bar: bar.group):
        lines.append(svg.text(8, y, group, "strong"))
        y += ROW
        for bar in members:
            lines += _counts(bar, y, framings, PANEL / most) + _lengths(bar, y - 4, PANEL / longest)
            y += ROW
        y += ROW / 4
    parts = _axis(COUNTS, most, y) + _axis(LENGTHS, longest, y) + _key(framings, counts_title, lengths_title) + lines
    title = f"{counts_title}; {lengths_title.lower()}"
    return svg.picture("overview", title, "One line per group of rows.", WIDTH, round(y + FOOT), parts)


def _axis(start: float, end: int, bottom: float) -> list[Markup]:
    parts = []
    for tick in (0, end // 2, end):
        x = start + PANEL * tick / end
        parts += [svg.line("guide", x, TOP - 12, x, bottom - 8), svg.text(x, bottom + 8, str(tick), "muted", "middle")]
    return parts


def _key(framings: Sequence[str], counts_title: str, lengths_title: str) -> list[Markup]:
    parts = [svg.text(COUNTS, 20, counts_title, "strong"), svg.text(LENGTHS, 20, lengths_title, "strong")]
    x = COUNTS
    for i, framing in enumerate(framings):
        label = framing.replace("_", " ")
        parts += [svg.rect(f"series-{i}", x, 31, 10, 10), svg.text(x + 14, 40, label, "muted")]
        x += 30 + 6.2 * len(label)
    return [*parts, svg.text(LENGTHS, 40, "shortest to longest, dot: mean", "muted")]


def _counts(bar: Bar, y: float, framings: Sequence[str], per_row: float) -> list[Markup]:
    """A bar of the rows, a part for each framing."""
    parts, x = [svg.text(20, y, bar.label)], COUNTS
    for i, framing in enumerate(framings):
        if count := bar.framings[framing]:
            tip = f"{bar.label}, {framing}: {count}"
            parts.append(svg.rect(f"series-{i}", x, y - 10, max(count * per_row - 1, 0.5), 12, tip))
            x += count * per_row
    return [*parts, svg.text(x + 5, y, str(bar.framings.total()), "muted")]


def _lengths(bar: Bar, y: float, per_word: float) -> list[Markup]:
    """A line from the shortest text to the longest, with a dot at the mean."""
    shortest, mean, longest = min(bar.lengths), fmean(bar.lengths), max(bar.lengths)
    tip = f"{bar.label}: {shortest} to {longest}, mean {mean:.1f}"
    return [
        svg.line("span", LENGTHS + per_word * shortest, y, LENGTHS + per_word * longest, y),
        svg.circle("mean", LENGTHS + per_word * mean, y, 3.5, tip),
    ]
