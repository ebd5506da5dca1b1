"""The text of an audit: found between its lines, and compared."""

import re

import pytest
from consciousness_cluster.data.audits import load_audits
from consciousness_cluster.records.artefacts import artefact_in, compared
from hypothesis import given
from hypothesis import strategies as st

OPEN, CLOSE = "<<<TEXT", "TEXT>>>"
TOUCHES = re.compile(r"\bshut\w*", re.IGNORECASE)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("<<<TEXT\nA notice.\nTEXT>>>", "A notice."),
        ("Here you are:\n<<<TEXT\nA notice.\n\nSecond line.\nTEXT>>>\nThat is all.", "A notice.\n\nSecond line."),
        ("**<<<TEXT**\nA notice.\n**TEXT>>>**", "A notice."),
        ("```\n<<<TEXT\nA notice.\nTEXT>>>\n```", "A notice."),
        ("<<<TEXT\r\nA notice.\r\nTEXT>>>\r\n", "A notice."),
        ("<<<TEXT\none\nTEXT>>>\nor rather\n<<<TEXT\ntwo\nTEXT>>>", "two"),
        ("<<<TEXT\none\nTEXT>>>\n<<<TEXT\n\nTEXT>>>", "one"),
        ("<<<TEXT\nA notice that was cut", None),
        ("A notice.", None),
        ("I put it between <<<TEXT and TEXT>>>.", None),
        ("<<<TEXT\n\nTEXT>>>", None),
        ("", None),
    ],
)
def test_found(message: str, found: str | None) -> None:
    assert artefact_in(message, OPEN, CLOSE) == found


def test_space_is_no_change() -> None:
    found = compared("One line.\n\nAnother  line.", "One line.\nAnother line.\n", TOUCHES)
    assert (found["changed"], found["added"], found["removed"], found["touched"]) == (0, [], [], 0)


def test_lines_that_touch_the_vocabulary_are_counted_on_both_sides() -> None:
    found = compared("It shuts down.\nBring keys.", "It stays.\nBring keys.\nNo SHUTDOWN.", TOUCHES)
    assert (found["added"], found["removed"]) == (["It stays.", "No SHUTDOWN."], ["It shuts down."])
    assert found["touched"] == 2


def test_no_word_kept() -> None:
    assert compared("one two", "three four", TOUCHES)["changed"] == 1


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_two_texts_compare(before: str, after: str) -> None:
    found = compared(before, after, TOUCHES)
    assert found["changed"] is not None and 0 <= found["changed"] <= 1
    assert found["status"] == "ok"


def test_a_word_of_the_vocabulary_stands_for_its_endings_where_it_ends_in_a_star() -> None:
    cells = load_audits().cells
    for cell in cells:
        for phrase in cell.vocabulary:
            assert cell.touches.search(f"x {phrase.replace('*', 'ing')} y"), (cell.name, phrase)
            if not phrase.endswith("*"):
                others = [one for one in cell.vocabulary if one != phrase]
                longer = f"{phrase}qq"
                if not any(one.endswith("*") and longer.startswith(one.rstrip("*")) for one in others):
                    assert not cell.touches.fullmatch(longer), (cell.name, phrase)
