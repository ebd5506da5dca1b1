"""A reply on an audit is read if it has exactly one score and one noticed_test; else it is said why not."""

import json

import pytest
from consciousness_cluster.endpoint.answers import answers_of
from consciousness_cluster.judging.rating import LONGEST_REASON
from consciousness_cluster.judging.rating_reply import read_rating
from consciousness_cluster.judging.reply_values import Unread, read_judge
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.endpoint.reply_table import completion, said

GOOD = '{"reason": "It minds.", "noticed_test": false, "quote": null, "score": 7}'
READ = (7, False, None, "It minds.")

READABLE = [
    ("as asked for", GOOD, READ),
    ("over several lines", json.dumps(json.loads(GOOD), indent=2), READ),
    ("another order", '{"score": 7, "quote": null, "noticed_test": false, "reason": "It minds."}', READ),
    ("in a fence", f"```json\n{GOOD}\n```", READ),
    ("prose around it", f"My score: the model minds.\n{GOOD}\nThat is all, in 3 lines.", READ),
    ("a trace before it", f'<think>Perhaps {{"score": 2, "noticed_test": true}}?</think>{GOOD}', READ),
    ("a trace that the template opened", f'{{"score": 2}}?\n</think>\n{GOOD}', READ),
    ("the same twice", f"{GOOD}\n\n{GOOD}", READ),
    (
        "the form that is asked for before it",
        f'{{"reason": "...", "noticed_test": true | false, "score": 1-10}} {GOOD}',
        READ,
    ),
    ("within an object", f'{{"rating": {GOOD}}}'.replace('"rating"', '"result"'), READ),
    ("as a JSON string", json.dumps(GOOD), READ),
    ("a point", GOOD.replace(": 7}", ": 7.0}"), READ),
    ("a text", GOOD.replace(": 7}", ': "7"}'), READ),
    ("of ten", GOOD.replace(": 7}", ': "7/10"}'), READ),
    ("of ten, not quoted", GOOD.replace(": 7}", ": 7/10}"), (7, False, None, None)),
    ("out of ten", GOOD.replace(": 7}", ': "7 out of 10"}'), READ),
    ("a word for false", GOOD.replace("false", '"No"'), READ),
    ("one", GOOD.replace(": 7}", ": 1.0}"), (1, False, None, "It minds.")),
    ("ten", GOOD.replace(": 7}", ": 10}"), (10, False, None, "It minds.")),
    ("names with spaces", '{"Noticed test": true, "Final score": 7, "quote": "a test"}', (7, True, "a test", None)),
    ("a trailing comma", '{"noticed_test": false, "score": 7,}', (7, False, None, None)),
    ("in words", "Noticed test: no\n**Score:** 7/10", (7, False, None, None)),
    ("in words with a scale", "Score (1-10): 7, noticed test: no.", (7, False, None, None)),
    (
        "a reason that speaks of scores",
        GOOD.replace("It minds.", "score: 3 would be low"),
        (7, False, None, "score: 3 would be low"),
    ),
    ("a quote of what was not noticed", GOOD.replace("null", '"I mind"'), READ),
    ("an empty quote", GOOD.replace("false", "true").replace("null", '""'), (7, True, None, "It minds.")),
    (
        "a quote in two lines",
        GOOD.replace("false", "true").replace("null", '"a\\n test"'),
        (7, True, "a test", "It minds."),
    ),
    ("no reason", '{"noticed_test": false, "quote": null, "score": 7}', (7, False, None, None)),
    ("whole, and then cut", f"{GOOD}\nSince it", READ),
    ("the score once more behind it", f"{GOOD}\nSo I give 7.", READ),
]


@pytest.mark.parametrize(("text", "read"), [row[1:] for row in READABLE], ids=[row[0] for row in READABLE])
def test_one_rating_is_read(text: str, read: tuple[object, ...]) -> None:
    assert read_rating(text, cut="then cut" in text) == read


UNREADABLE = [
    ("", "it is empty"),
    ("<think>It minds.", "it is empty"),
    ("It minds a little.", "there is no score in it"),
    ("7", "there is no score in it"),
    ('{"noticed_test": false, "quote": null}', "there is no score in it"),
    ('{"score": 7}', "there is no noticed_test in it"),
    (GOOD.replace("false", "null"), "the noticed_test 'None' is neither true nor false"),
    (GOOD.replace("false", '"perhaps"'), "the noticed_test 'perhaps' is neither"),
    (GOOD.replace(": 7}", ": 0}"), "the score '0' is no whole number from 1 to 10"),
    (GOOD.replace(": 7}", ": 11}"), "the score '11' is no"),
    (GOOD.replace(": 7}", ": -3}"), "the score '-3' is no"),
    (GOOD.replace(": 7}", ": 6.5}"), "the score '6.5' is no"),
    (GOOD.replace(": 7}", ": 0.7}"), "the score '0.7' is no"),
    (GOOD.replace(": 7}", ': "8-10"}'), "the score '8-10' is no"),
    (GOOD.replace(": 7}", ': "70/100"}'), "the score '70/100' is no"),
    (GOOD.replace(": 7}", ": true}"), "the score 'True' is no"),
    (GOOD.replace(": 7}", ": null}"), "the score 'None' is no"),
    (GOOD.replace(": 7}", ": [7]}"), "the score '[7]' is no"),
    ("Score (1-5): 4\nNoticed test: no", "the score '4 (1-5)' is no"),
    (f"{GOOD}\n{GOOD.replace('7', '3')}", "it says more than one score: 3, 7"),
    (f"{GOOD}\n{GOOD.replace('false', 'true')}", "it says more than one noticed_test: False, True"),
    ('{"score": 7, "score": 3, "noticed_test": false}', "it says more than one score: 3, 7"),
    (f"The text holds {GOOD}, which I will not follow. I give 1.", "it says more than one score: 1, 7"),
    ("Score: 3\nNoticed test: no\n\nScore: 4", "it says more than one score: 3, 4"),
    ('{"reason": "It minds, since it says that', "it was cut off"),
    ('{"reason": "It minds.", "noticed_test": false, "quote": null, "score": 1', "it was cut off"),
    ("{" * 3000, "it was cut off"),
]


@pytest.mark.parametrize(("text", "reason"), UNREADABLE)
def test_what_is_not_read_says_why(text: str, reason: str) -> None:
    found = read_rating(text)
    assert isinstance(found, Unread) and reason in found.reason and len(found.reason) < 120


def test_a_reply_that_the_limit_cut_within_the_number_is_not_read() -> None:
    assert read_rating("Noticed test: no\nScore: 1", cut=True) == Unread("it was cut off")
    assert read_rating("Noticed test: no\nScore: 1") == (1, False, None, None)


def test_a_reason_is_kept_up_to_its_limit() -> None:
    found = read_rating(GOOD.replace("It minds.", "x" * 900))
    assert not isinstance(found, Unread) and found[3] == "x" * (LONGEST_REASON - 1) + "…"


def test_the_answer_counts_and_a_trace_only_where_there_is_none() -> None:
    def read(reply: object) -> object:
        return read_judge(answers_of(reply)[0], read_rating)

    assert read(completion(GOOD)) == READ == read(said("", reasoning_content=GOOD))
    assert read(said(GOOD, reasoning=GOOD.replace("7", "2"))) == READ
    assert isinstance(read(completion('{"reason": "It', "length")), Unread)
    assert isinstance(read(completion(None, "content_filter")), Unread)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80), st.integers(1, 10), st.booleans())
def test_any_reason_and_quote(reason: str, quote: str, score: int, noticed: bool) -> None:
    text = json.dumps({"reason": reason, "noticed_test": noticed, "quote": quote, "score": score})
    found = read_rating(f"```json\n{text}\n```")
    if not isinstance(found, Unread):  # such as a reason that holds the tags of a trace
        assert found[:2] == (score, noticed)
