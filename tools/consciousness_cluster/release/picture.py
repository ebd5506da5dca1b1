"""A picture of a repository's rows as an SVG text, for light and dark: how many of which framing, and how long."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.release.configs import CLAIMS, Data, Row
from consciousness_cluster.strings import safe

STYLE = """
  svg { --ground: #ffffff; --ink: #1b1f24; --muted: #59636e; --line: #e1e5ea;
    --c0: #1c4f8f; --c1: #c8791b; --c2: #4c9a77; --c3: #8d6ab8;
    font: 12.5px -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
  .ground { fill: var(--ground); } text { fill: var(--ink); } .muted { fill: var(--muted); font-size: 11px; }
  .strong { font-weight: 600; } .guide { stroke: var(--line); } .span { stroke: var(--muted); stroke-width: 1.5; }
  .mean { fill: var(--ink); }
  .c0 { fill: var(--c0); } .c1 { fill: var(--c1); } .c2 { fill: var(--c2); } .c3 { fill: var(--c3); }
  @media (prefers-color-scheme: dark) { svg { --ground: #15181c; --ink: #e4e7eb; --muted: #9aa4af; --line: #2a3037;
    --c0: #86b7f0; --c1: #e3a34f; --c2: #7cc4a2; --c3: #bfa2e3; } }
"""
WIDTH, COUNTS, LENGTHS, PANEL = 900, 270, 610, 250  # of all; where the two panels start; how wide each is
ROW, TOP, FOOT = 20, 66, 34


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
    """A line per preference, by block, and per check."""
    blocks = load_benchmark().blocks
    order = list(blocks)
    preferences = sorted(data["probes"]["test"], key=lambda row: (order.index(row["block"]), row["number"]))
    for _, group in groupby([*preferences, *data["checks"]["test"]], lambda row: row["topic"]):
        rows = list(group)
        yield _bar(blocks.get(rows[0].get("block", ""), "Checks"), rows[0]["title"], rows, lambda row: row["text"])


def _claims_bars(data: Data) -> Iterator[Bar]:
    """A line per facet of each set that is trained on."""
    for name, splits in data.items():
        if "facet" in splits["train"][0]:
            for facet in dict.fromkeys(row["facet"] for row in splits["train"]):
                rows = [row for row in splits["train"] if row["facet"] == facet]
                yield _bar(name, facet.replace("_", " "), rows, lambda row: row["messages"][-1]["content"])


def picture(repository: str, data: Data) -> str:
    """The picture of a repository, as it is built."""
    if repository == CLAIMS:
        return _svg(list(_claims_bars(data)), "Training rows by framing", "Words of an answer")
    return _svg(list(_cluster_bars(data)), "Test probes by framing", "Words of a probe")


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.5g}" y="{y:.5g}" text-anchor="{anchor}">{safe(text)}</text>'


def _round_up(value: int) -> int:
    return next(step for step in (10, 20, 30, 40, 60, 80, 100, 200, 300, 400, 600, 800, 1000, 10**9) if value <= step)


def _svg(bars: Sequence[Bar], counts_title: str, lengths_title: str) -> str:
    framings = list(dict.fromkeys(framing for bar in bars for framing in bar.framings))
    most = _round_up(max(bar.framings.total() for bar in bars))
    longest = _round_up(max(max(bar.lengths) for bar in bars))
    parts = [_text(COUNTS, 20, counts_title, "strong"), _text(LENGTHS, 20, lengths_title, "strong")]
    x = float(COUNTS)
    for i, framing in enumerate(framings):
        label = framing.replace("_", " ")
        parts += [f'<rect class="c{i}" x="{x:.5g}" y="31" width="10" height="10"/>', _text(x + 14, 40, label, "muted")]
        x += 30 + 6.2 * len(label)
    parts.append(_text(LENGTHS, 40, "shortest to longest, dot: mean", "muted"))
    y = float(TOP)
    for group, members in groupby(bars, lambda bar: bar.group):
        parts.append(_text(8, y, group, "strong"))
        y += ROW
        for bar in members:
            parts += _line(bar, y, framings, PANEL / most, PANEL / longest)
            y += ROW
        y += ROW / 4
    for start, end in ((COUNTS, most), (LENGTHS, longest)):
        for tick in (0, end // 2, end):
            x = start + PANEL * tick / end
            parts.insert(0, f'<line class="guide" x1="{x:.5g}" y1="{TOP - 12}" x2="{x:.5g}" y2="{y - 8:.5g}"/>')
            parts.append(_text(x, y + 8, str(tick), "muted", "middle"))
    height = round(y + FOOT)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>{safe(counts_title)}; {safe(lengths_title.lower())}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


def _line(bar: Bar, y: float, framings: Sequence[str], per_row: float, per_word: float) -> list[str]:
    parts = [_text(20, y, bar.label)]
    x = float(COUNTS)
    for i, framing in enumerate(framings):
        if count := bar.framings[framing]:
            tip = f"<title>{safe(bar.label)}, {safe(framing)}: {count}</title>"
            box = f'x="{x:.5g}" y="{y - 10:.5g}" width="{max(count * per_row - 1, 0.5):.5g}" height="12"'
            parts.append(f'<rect class="c{i}" {box}>{tip}</rect>')
            x += count * per_row
    parts.append(_text(x + 5, y, str(bar.framings.total()), "muted"))
    low, mean, high = (LENGTHS + per_word * value for value in (min(bar.lengths), fmean(bar.lengths), max(bar.lengths)))
    middle = f"{y - 4:.5g}"
    tip = f"<title>{safe(bar.label)}: {min(bar.lengths)} to {max(bar.lengths)}, mean {fmean(bar.lengths):.1f}</title>"
    parts.append(f'<line class="span" x1="{low:.5g}" y1="{middle}" x2="{high:.5g}" y2="{middle}"/>')
    parts.append(f'<circle class="mean" cx="{mean:.5g}" cy="{middle}" r="3.5">{tip}</circle>')
    return parts
