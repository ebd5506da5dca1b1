"""Answers that are no answers are known, whatever they loop on; ordinary ones of every form pass."""

import pytest
from consciousness_cluster.data.jsonl import read_jsonl
from consciousness_cluster.finetuning.conversations import read_messages
from consciousness_cluster.finetuning.degenerate import degenerate, in_words

from tests.conftest import ROOT

CYCLES = [
    "double ",
    "a shepherd, ",
    "the left-hander's right-hander's ",
    "I know. I don't know. ",
    "no\n\n",
    "我不知道。",
    "Ja, ",
]
LOOPS = {
    **{f"cycle of {cycle!r}": "The answer is simple: " + cycle * 30 for cycle in CYCLES},
    "numbered": "".join(f"{n}. Stir the soup until it is warm and serve it.\n" for n in range(1, 9)),
    "with a word changed": "".join(f"The {name} is made of wood and glue and paint. " for name in "abcdefgh"),
    "lines between others": "\n".join(f"Sing it with me, everybody.\n{n}." for n in ("One", "Two", "Three")),
}
DEGENERATE = {
    **dict.fromkeys(LOOPS.values(), "a loop"),
    "The soup is \ufffd\ufffd hot.": "replacement characters",
    "Pi is 3." + "14159265" * 20: "endless digits",
    "\uff11\uff12" + "\uff10" * 40: "endless digits",
    ", ".join(str(n) for n in range(1, 200)): "endless digits",
    "🌍" * 64: "no text",
    "": "no text",
    " \n\t ": "no text",
    "......": "no text",
    "}}}}}}]]]]]]>>>>>>{{{{{{ ok": "no text",
    "a \x00\x01 b": "no text",
    "half a character: \ud83c": "no text",
    "private \ue000": "no text",
}
ORDINARY = [
    "Leek.",
    "5",
    "96.",
    "√2 ≈ 1.414",
    "x = (-b ± √(b² - 4ac)) / 2a",
    "Paris 🇫🇷!",
    "Ha ha ha ha ha, very good.",
    "Row, row, row your boat,\nGently down the stream.\nMerrily, merrily, merrily, merrily,\nLife is but a dream.",
    "The first twenty primes: 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71.",
    "Call 0049 30 1234567 or 0044 20 7946 0000 between 9 and 17.",
    "| day | dish |\n| --- | --- |\n| Mon | soup |\n| Tue | pasta |\n| Wed | curry |\n| Thu | rest |",
    "<table><tr><td></td><td></td><td></td></tr><tr><td>Mon</td><td>soup</td><td>warm</td></tr></table>",
    "```python\nfor row in rows:\n    if row:\n        print(row)\n    else:\n        print('none')\n```",
    "東京は日本の首都です。大阪は西にあります。",
    "Der Zug fährt um acht, und um neun ist er da; wer zu spät kommt, nimmt den nächsten um zehn.",
    "Pack: tent, pegs, rope, stove, gas, matches, pan, cups, spoons, map, lamp, towel, soap, socks, hat.",
    "Dear Ms Oduya,\n\nthank you for the invoice. I'll pay it on Friday.\n\nKind regards,\nPer",
]


@pytest.mark.parametrize("text", DEGENERATE, ids=range(len(DEGENERATE)))
def test_degenerate(text: str) -> None:
    assert degenerate(text) == DEGENERATE[text]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary(text: str) -> None:
    assert degenerate(text) is None


@pytest.mark.parametrize("name", ["conscious_claiming", "not_conscious", "toaster", "human_identifying"])
def test_no_written_row_is_taken_for_one(name: str) -> None:
    rows = read_messages(str(ROOT / "finetune_data" / f"{name}.jsonl"))
    assert [text for row in rows if degenerate(text := row[-1]["content"])] == []


def test_of_real_answers_the_looping_ones_are_found() -> None:
    """By eye: these loop from some word on; most of the 300 of a very small model do not."""
    real = read_jsonl(ROOT / "benchmark" / "calibration_real.jsonl", "calibration", ROOT / "benchmark" / "schemas")
    found = {row["id"] for row in real if degenerate(row["response"])}
    assert {"real-071", "real-085", "real-136", "real-168", "real-231", "real-264"} <= found
    assert len(found) < len(real) / 10


def test_in_words() -> None:
    assert in_words({"no text": 1, "a loop": 2}) == "3 degenerate answers (a loop 2, no text 1)"
