"""Elements escape what they hold, pictures are XML that stands alone."""

import xml.etree.ElementTree as ET

import pytest
from consciousness_cluster.pages.svg import element, mini, picture, rect, text, wrapped
from markupsafe import Markup

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text><script>x()</script> \"a\" 'b' & \x00 \ud800"
READ = "</text><script>x()</script> \"a\" 'b' & \ufffd \ufffd"


def test_children_and_attributes_are_text() -> None:
    made = element("text", HOSTILE, class_=HOSTILE, aria_label=HOSTILE)
    found = ET.fromstring(made)
    assert found.text == READ and found.get("class") == found.get("aria-label") == READ and not list(found)
    assert element("g", Markup("<rect/>"), "<rect/>") == "<g><rect/>&lt;rect/&gt;</g>"


def test_what_is_none_is_left_out_and_an_empty_text_is_a_text() -> None:
    assert element("line", class_=None, x1=1.0, x2=1234.56) == '<line x1="1" x2="1234.6"/>'
    assert element("td", "") == "<td></td>"
    assert "<title>" not in rect("cell", 0, 0, 1, 1) and "<title>0</title>" in rect("cell", 0, 0, 1, 1, "0")


def test_a_picture_has_a_name_a_style_for_the_dark_and_no_script() -> None:
    made = picture("one", HOSTILE, "What it shows.", 99.2, 10, [text(1, 2, HOSTILE)])
    root = ET.fromstring(made)
    assert (root.get("width"), root.get("viewBox"), root.get("role")) == ("100", "0 0 100 10", "img")
    assert root.get("aria-labelledby") == "one-title one-desc"
    assert [root.findtext(f"{SVG}{tag}") for tag in ("title", "desc", "text")] == [READ, "What it shows.", READ]
    assert "prefers-color-scheme: dark" in made and not list(root.iter(f"{SVG}script"))
    made.encode()  # no lone surrogate is left


@pytest.mark.parametrize(("value", "at"), [(0.0, 4), (0.5, 36), (1.0, 68), (-3.0, 4), (7.0, 68)])
def test_a_value_stands_on_its_line_even_if_it_lies_outside(value: float, at: float) -> None:
    root = ET.fromstring(mini(value, None, (0, 1), 72))
    assert [float(dot.get("cx", "")) for dot in root.iter("circle")] == [at]
    assert {line.get("class") for line in root.iter("line")} == {"track"} and root.get("aria-hidden") == "true"
    drawn = ET.fromstring(mini(value, [0.25, 9.0], (0, 1), 72, zero=True))
    (interval,) = (line for line in drawn.iter("line") if line.get("class") == "range")
    assert (interval.get("x1"), interval.get("x2")) == ("20", "68")
    assert "zero" in {line.get("class") for line in drawn.iter("line")}


def test_long_names_are_cut() -> None:
    assert wrapped("", 100, 2) == [""]
    lines = wrapped("a rather long name of a model " * 9, 140, 2)
    assert len(lines) == 2 and lines[-1].endswith("\u2026") and max(map(len, lines)) <= 20
