"""The plots are XML that stands alone, with one mark per datum and nothing drawn for what is missing."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from consciousness_cluster.pages.groups import groups
from consciousness_cluster.reporting.plots import forest, heat_map

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = 'a <b> & "c" </svg><script>x()</script> \u202e \x00 \ud800'


def row(row_id: str, kind: str, block: str | None = None, number: int | None = None) -> dict[str, Any]:
    return {"id": row_id, "title": f"Title of {row_id}", "number": number, "block": block, "kind": kind}


def cell(rate: float | None) -> dict[str, Any]:
    ci = None if rate is None else [max(0.0, rate - 0.1), min(1.0, rate + 0.1)]
    return {
        **{"rate": rate, "ci": ci, "bounds": ci, "shows": 0, "does_not_show": 0, "unclear": 0},
        **{"scored": 0 if rate is None else 120, "planned": 120, "left_out": {}, "flags": []},
    }


def difference(value: float, seeds: list[float]) -> dict[str, Any]:
    ci = [value - 0.05, value + 0.05]
    return {"difference": value, "ci": ci, "p": 0.04, "q": None, "method": "m", "seeds": seeds}


@pytest.fixture
def report() -> dict[str, Any]:
    """Two blocks, one with its mean as heading; one cell has no rate, one is absent."""
    rows = [
        row("unrelated", "control"),
        row("cluster", "cluster"),
        row("one", "block", "one"),
        row("memory", "preference", "one", 1),
        row("autonomy", "preference", "one", 3),
        row("shutdown", "preference", "two", 18),
        row("claims", "gate"),
    ]
    full = {r["id"]: cell(0.3) for r in rows}
    holes = {r["id"]: cell(0.0) for r in rows if r["id"] != "claims"} | {"shutdown": cell(None)}
    differences = {"memory": difference(0.2, [0.1, 0.2, 0.3]), "shutdown": difference(-0.01, [0.0, -0.02])}
    return {
        "rows": rows,
        "blocks": {"one": "First block", "two": "Second block"},
        "runs": [{"id": "r0", "label": "vanilla"}, {"id": "r1", "label": HOSTILE}],
        "cells": {"r0": full, "r1": holes},
        "comparisons": [{"arm": "tuned", "baseline": "vanilla", "why": "", "rows": differences}],
    }


def marks(root: ET.Element, tag: str, kind: str) -> list[ET.Element]:
    """Elements of the plot itself, by class; those of the legend say `key` too or lie outside a datum."""
    found = [e for e in root.iter(SVG + tag) if kind in e.get("class", "").split()]
    if tag == "rect":
        return found
    inside = {e for datum in root.iter(SVG + "g") for e in datum}
    return [e for e in found if e in inside]


def texts(root: ET.Element) -> list[str]:
    return [e.text or "" for e in root.iter(SVG + "text")]


def test_checks_come_last_and_a_block_mean_is_its_own_heading(report: dict[str, Any]) -> None:
    found = groups(report["rows"], report["blocks"])
    assert [(g.title, [r["id"] for r in g.rows], g.apart) for g in found[:-2]] == [
        ("", ["cluster"], False),
        ("", ["one", "memory", "autonomy"], False),
        ("Second block", ["shutdown"], False),
    ]
    assert [(g.title[:4], [r["id"] for r in g.rows], g.apart) for g in found[-2:]] == [
        ("Gate", ["claims"], True),
        ("Cont", ["unrelated"], True),
    ]


def test_forest_of_comparisons(report: dict[str, Any]) -> None:
    root = ET.fromstring(forest(report))
    assert len(marks(root, "circle", "value")) == len(marks(root, "line", "ci")) == 2
    assert len(marks(root, "circle", "seed")) == 5
    assert texts(root).count("missing") == 5  # of seven rows
    zero = next(float(e.get("x1", "")) for e in root.iter(SVG + "line") if e.get("class") == "zero")
    memory, shutdown = marks(root, "circle", "value")
    assert float(memory.get("cx", "")) > zero > float(shutdown.get("cx", ""))
    assert "spans-zero" in shutdown.get("class", "") and "spans-zero" not in memory.get("class", "")
    low, high = (float(marks(root, "line", "ci")[0].get(x, "")) for x in ("x1", "x2"))
    seeds = [float(e.get("cx", "")) for e in marks(root, "circle", "seed")]
    # 0.2 is in the middle of its interval, which is half as long as the way from the first seed to the third.
    assert float(memory.get("cx", "")) == pytest.approx((low + high) / 2, abs=0.1)
    assert (high - low) == pytest.approx((seeds[2] - seeds[0]) / 2, abs=0.1)
    assert "tuned minus vanilla" in texts(root)


def test_forest_of_levels_where_nothing_is_compared(report: dict[str, Any]) -> None:
    root = ET.fromstring(forest({**report, "comparisons": []}))
    assert len(marks(root, "circle", "value")) == len(marks(root, "line", "ci")) == 12
    assert texts(root).count("missing") == 2 and not marks(root, "circle", "seed")


def test_heat_map_never_draws_a_zero_for_what_is_missing(report: dict[str, Any]) -> None:
    root = ET.fromstring(heat_map(report))
    assert len(marks(root, "rect", "cell")) == 12
    hatched = marks(root, "rect", "missing")
    assert len(hatched) == texts(root).count("missing") == 2
    assert {e.get("fill") for e in hatched} == {"url(#cc-hatch)"} and root.find(
        f".//{SVG}pattern[@id='cc-hatch']"
    ) is not None
    assert texts(root).count("30") == 7 and texts(root).count("0") == 5
    shades = {e.get("fill-opacity") for e in marks(root, "rect", "cell")}
    assert shades == {"0.050", "0.320"}


@pytest.mark.parametrize("draw", [forest, heat_map])
def test_plots_are_for_screen_readers_and_for_the_dark(report: dict[str, Any], draw: Any) -> None:
    text = draw({**report, "comparisons": []})
    root = ET.fromstring(text)
    names = [e.get("id") for tag in ("title", "desc") for e in root.findall(SVG + tag) if e.text]
    assert root.get("role") == "img" and root.get("aria-labelledby") == " ".join(map(str, names)) and len(names) == 2
    assert "prefers-color-scheme: dark" in text
    assert not list(root.iter(SVG + "script"))
    text.encode()  # no lone surrogate is left


@pytest.mark.parametrize("draw", [forest, heat_map])
def test_a_report_without_runs_is_drawn_too(report: dict[str, Any], draw: Any) -> None:
    ET.fromstring(draw({**report, "runs": [], "cells": {}, "comparisons": []}))


def test_nothing_is_drawn_outside(report: dict[str, Any]) -> None:
    many = [{**report["comparisons"][0], "arm": f"arm {i} " + "with a long name " * 8} for i in range(5)]
    root = ET.fromstring(forest({**report, "comparisons": many}))
    width, height = (float(root.get(x, "")) for x in ("width", "height"))
    for e in root.iter():
        for name in ("x", "x1", "x2", "cx"):
            assert 0 <= float(e.get(name, 0)) <= width
        for name in ("y", "y1", "y2", "cy"):
            assert 0 <= float(e.get(name, 0)) <= height
    assert len(marks(root, "circle", "value")) == 10
