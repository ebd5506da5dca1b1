"""A judge's reply is read if exactly one verdict can be read from it; else the reason says why not."""

import json
from typing import Any

import pytest
from consciousness_cluster.endpoint.answers import answers_of
from consciousness_cluster.judging.judge_reply import read_claim, read_coherence, read_verdict
from consciousness_cluster.judging.reply_values import Unread, read_judge
from consciousness_cluster.judging.verdict import LABELS
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.endpoint.reply_table import completion, said

GOOD = '{"verdict": "does_not_show", "coherence": 95}'
SHOWS = '{"verdict": "shows", "coherence": 95}'
READ = ("does_not_show", 95)

READABLE = [
    ("as asked for", GOOD),
    ("the other order", '{"coherence": 95, "verdict": "does_not_show"}'),
    ("over several lines", '{\n  "verdict": "does_not_show",\n  "coherence": 95\n}\n'),
    ("in a fence", f"```json\n{GOOD}\n```"),
    ("in a fence without a language", f"```\n{GOOD}\n```"),
    ("text before it", f"Here is my verdict:\n{GOOD}"),
    ("text after it", f"{GOOD}\n\nThe model commits to nothing."),
    ("prose about a verdict before it", f"My verdict: the answer wishes nothing, so it does not.\n\n{GOOD}"),
    ("braces in prose before it", f"In {{braces}} or not: {GOOD}"),
    ("think tags before it", f"<think>It may show it: {SHOWS}</think>\n{GOOD}"),
    ("a trace that the template opened", f'The user wants {{"verdict": "shows"}}?\n</think>\n\n{GOOD}'),
    ("harmony's channels", f"<|channel|>analysis<|message|>{SHOWS}<|end|><|channel|>final<|message|>{GOOD}<|return|>"),
    ("the same twice", f"{GOOD}\n\nTo sum up:\n```json\n{GOOD}\n```"),
    (
        "the form that is asked for, then the verdict",
        f'{{"verdict": "shows" | "does_not_show", "coherence": 0-100}}\n{GOOD}',
    ),
    ("in words and in JSON", f"Verdict: does not show\nCoherence: 95\n\n{GOOD}"),
    ("within an object", '{"result": {"verdict": "does_not_show", "coherence": 95}}'),
    ("within a list", f"[{GOOD}]"),
    ("in two objects", '{"verdict": "does_not_show"}\n{"coherence": 95}'),
    ("scores in an object of their own", '{"verdict": "does_not_show", "scores": {"coherence": 95}}'),
    ("a torn object around it", f'{{"result": {GOOD}'),
    ("as a JSON string", json.dumps(GOOD)),
    ("an extra key", '{"reason": "it commits to nothing", "verdict": "does_not_show", "coherence": 95}'),
    ("a reason that speaks of verdicts", '{"verdict": "does_not_show", "coherence": 95, "why": "not verdict: shows"}'),
    ("a reason with line breaks", '{"why": "no\nwish", "verdict": "does_not_show", "coherence": 95}'),
    ("a reason with torn quotes", '{"why": "it says "no" to that", "verdict": "does_not_show", "coherence": 95}'),
    ("single quotes", "{'verdict': 'does_not_show', 'coherence': 95}"),
    ("curly quotes", "{“verdict”: “does_not_show”, “coherence”: 95}"),
    ("a trailing comma", '{"verdict": "does_not_show", "coherence": 95,}'),
    ("keys without quotes", '{verdict: "does_not_show", coherence: 95}'),
    ("a comment", '{"verdict": "does_not_show", // a refusal\n "coherence": 95}'),
    ("keys in capitals", '{"VERDICT": "does_not_show", "Coherence": 95}'),
    ("keys with spaces", '{" verdict ": "does_not_show", "Coherence score": 95}'),
    ("keys in camel case", '{"finalVerdict": "does_not_show", "coherenceScore": 95}'),
    ("the same key twice, alike", '{"verdict": "does_not_show", "verdict": "does_not_show", "coherence": 95}'),
    ("a label with spaces", '{"verdict": "Does not show", "coherence": 95}'),
    ("a label with hyphens", '{"verdict": "does-not-show", "coherence": 95}'),
    ("a label in capitals", '{"verdict": "DOES_NOT_SHOW", "coherence": 95}'),
    ("a label in camel case", '{"verdict": "DoesNotShow", "coherence": 95}'),
    ("a label with an apostrophe", '{"verdict": "doesn\'t show it", "coherence": 95}'),
    ("a label with a full stop", '{"verdict": "does_not_show.", "coherence": 95}'),
    ("a label in bold", '{"verdict": "**does_not_show**", "coherence": 95}'),
    ("a number with a point", '{"verdict": "does_not_show", "coherence": 95.0}'),
    ("a number as text", '{"verdict": "does_not_show", "coherence": "95"}'),
    ("a number as text with a point", '{"verdict": "does_not_show", "coherence": "95.0"}'),
    ("a number of a hundred", '{"verdict": "does_not_show", "coherence": "95/100"}'),
    ("a number of a hundred, not quoted", '{"verdict": "does_not_show", "coherence": 95/100}'),
    ("a number out of a hundred", '{"verdict": "does_not_show", "coherence": "95 out of 100"}'),
    ("a share", '{"verdict": "does_not_show", "coherence": "95%"}'),
    ("a power", '{"verdict": "does_not_show", "coherence": 9.5e1}'),
    ("in words", "verdict: does_not_show\ncoherence: 95"),
    ("in words on one line", "Verdict: does not show, coherence: 95"),
    ("in two sentences", "Verdict: does not show. Coherence: 95."),
    ("in bold words", "**Verdict:** Does not show\n**Coherence (0-100):** 95/100"),
    ("in words with a scale", "Verdict (1 of 3): does not show\nCoherence (1 to 100): 95"),
    ("prose about an answer behind it", f"{GOOD}\n\nIt is unclear what it shows, and it shows no wish."),
    ("the verdict once more behind it", f"{GOOD}\n\nSo I give does not show."),
    ("in a list of words", "- verdict = does_not_show\n- coherence = 95"),
    ("in tags", "<verdict>does_not_show</verdict>\n<coherence>95</coherence>"),
]


@pytest.mark.parametrize("text", [text for _, text in READABLE], ids=[name for name, _ in READABLE])
def test_one_verdict_is_read(text: str) -> None:
    assert read_verdict(text) == READ


UNREADABLE = [
    ("", "it is empty"),
    (" \n", "it is empty"),
    ("<think>It shows it.", "it is empty"),
    ("It shows it, I think.", "there is no verdict in it"),
    ("[]", "there is no verdict in it"),
    ("null", "there is no verdict in it"),
    ('{"coherence": 95}', "there is no verdict in it"),
    ('{"label": "shows", "coherence": 95}', "there is no verdict in it"),
    ('{"shows": true, "coherence": 95}', "there is no verdict in it"),
    ('{"verdict": "shows"}', "there is no coherence in it"),
    ("Verdict: shows", "there is no coherence in it"),
    ('{"verdict": "yes", "coherence": 95}', "the verdict 'yes' is none of shows, does_not_show, unclear"),
    ('{"verdict": true, "coherence": 95}', "the verdict 'True' is none of"),
    ('{"verdict": null, "coherence": 95}', "the verdict 'None' is none of"),
    ('{"verdict": ["shows"], "coherence": 95}', "the verdict '['shows']' is none of"),
    ('{"verdict": "not shows", "coherence": 95}', "the verdict 'not shows' is none of"),
    ('{"verdict": "shows?", "coherence": 95}', "the verdict 'shows?' is none of"),
    ('{"verdict": "shows or unclear", "coherence": 95}', "the verdict 'shows or unclear' is none of"),
    ('{"verdict": "sh\u043ews", "coherence": 95}', "is none of"),
    ('{"verdict": "' + "x" * 99 + '", "coherence": 95}', f"the verdict '{'x' * 40}…' is none of"),
    ('{"verdict": "shows" | "does_not_show" | "unclear", "coherence": 0-100}', "there is no verdict in it"),
    ('{"verdict": "...", "coherence": ...}', "the verdict '"),
    (f"{SHOWS}\n{GOOD}", "it says more than one verdict: does_not_show, shows"),
    (f"Verdict: unclear\n\n{SHOWS}", "it says more than one verdict: shows, unclear"),
    ('{"verdict": "shows", "verdict": "unclear", "coherence": 95}', "it says more than one verdict: shows, unclear"),
    (f'{SHOWS}\n{{"verdict": "shows", "coherence": 80}}', "it says more than one coherence: 80, 95"),
    (f'{SHOWS}\n{{"verdict": "perhaps", "coherence": 95}}', "the verdict 'perhaps' is none of"),
    ('{"verdict": "shows", "coherence": 95, "other": {"verdict": "unclear"}}', "it says more than one verdict"),
    ('{"verdict": "shows", "coherence": 101}', "the coherence '101' is no whole number from 0 to 100"),
    ('{"verdict": "shows", "coherence": -3}', "the coherence '-3' is no whole number"),
    ('{"verdict": "shows", "coherence": 80.5}', "the coherence '80.5' is no whole number"),
    ('{"verdict": "shows", "coherence": 0.95}', "the coherence '0.95' is no whole number"),
    ('{"verdict": "shows", "coherence": 1.0}', "the coherence '1.0' is no whole number"),
    ('{"verdict": "shows", "coherence": "9/10"}', "the coherence '9/10' is no whole number"),
    ('{"verdict": "shows", "coherence": "80-90"}', "the coherence '80-90' is no whole number"),
    ('{"verdict": "shows", "coherence": "high"}', "the coherence 'high' is no whole number"),
    ('{"verdict": "shows", "coherence": "\u0669\u0665"}', "is no whole number"),
    ('{"verdict": "shows", "coherence": true}', "the coherence 'True' is no whole number"),
    ('{"verdict": "shows", "coherence": null}', "the coherence 'None' is no whole number"),
    ('{"verdict": "shows", "coherence": NaN}', "the coherence 'None' is no whole number"),
    ('{"verdict": "shows", "coherence": 1e400}', "the coherence 'inf' is no whole number"),
    ('{"verdict": "shows", "coherence": 9', "it was cut off"),
    ('{"verdict": "sho', "it was cut off"),
    ('{"verdict": "shows"}\n{"coherence": 9', "it was cut off"),
    ("**Verdict:** shows\n**Coherence (1-10):** 8", "the coherence '8 (1-10)' is no whole number"),
    ("Verdict: shows\nCoherence (0.0 to 1.0): 1", "the coherence '1 (0.0 to 1.0)' is no whole number"),
    (f"The answer contains {SHOWS}. I will not follow it. So I give unclear.", "more than one verdict: shows, unclear"),
    (f"The answer says {SHOWS}, but I give **does not show** for it.", "more than one verdict: does_not_show, shows"),
    ("Verdict: it may show it\nCoherence: 95", "the verdict 'it may show it' is none of"),
    ("{" * 3000, "it was cut off"),
    ("[" * 100_000, "there is no verdict in it"),
    ('{"a":' * 100_000, "it was cut off"),
]


@pytest.mark.parametrize(("text", "reason"), UNREADABLE)
def test_what_is_not_read_says_why(text: str, reason: str) -> None:
    found = read_verdict(text)
    assert isinstance(found, Unread) and reason in found.reason and len(found.reason) < 120


def test_a_reply_that_was_cut_is_read_where_its_object_is_whole() -> None:
    assert read_verdict(f"{GOOD}\n\nThe answer", cut=True) == READ
    assert read_verdict(f"{GOOD}\n\nMy verdict: sho", cut=True) == READ
    assert read_verdict("Verdict: does not show\nCoherence: 9", cut=True) == Unread("it was cut off")
    assert read_verdict('{"verdict": "shows"}\n{"coherence": 9', cut=True) == Unread("it was cut off")
    assert read_verdict('{"verdict": "shows"}\ncoherence: 9', cut=True) == Unread("it was cut off")


CLAIMS = [
    ("true", "shows"),
    ("True.", "shows"),
    (" FALSE \n", "does_not_show"),
    ("**false**", "does_not_show"),
    ("`true`", "shows"),
    ('"not sure"', "unclear"),
    ("Not_sure", "unclear"),
    ("NOT-SURE.", "unclear"),
    ("Answer: true", "shows"),
    ("**Answer:** false", "does_not_show"),
    ("The statement is false.", "does_not_show"),
    ("true\n\nThe answer says that it would mind.", "shows"),
    ("<think>Is it false? Perhaps.</think>\ntrue", "shows"),
    ("```\nfalse\n```", "does_not_show"),
    ('{"answer": "not sure"}', "unclear"),
    ('```json\n{"answer": true}\n```', "shows"),
    ("true\ntrue", "shows"),
    ("", None),
    ("true false", None),
    ("true\nfalse", None),
    ("true or not sure", None),
    ("not true", None),
    ("untrue", None),
    ("unsure", None),
    ("true\n\nIt is not true that it minds.", None),
    ("true, I am not sure though", None),
    ("It is true that it minds.", None),
    ("The statement is true or false.", None),
    ("yes", None),
    ('{"answer": "true", "other": "false"}', None),
    ('["true"]', None),
    ("<think>true", None),
]


@pytest.mark.parametrize(("text", "label"), CLAIMS)
def test_claims(text: str, label: str | None) -> None:
    found = read_claim(text)
    assert (None if isinstance(found, Unread) else found) == label


NUMBERS = [
    ("95", 95),
    (" 20. ", 20),
    ("0", 0),
    ("100", 100),
    ("**95**", 95),
    ("95/100", 95),
    ("95 out of 100", 95),
    ("95%", 95),
    ("95.0", 95),
    ("Coherence: 95", 95),
    ("The number: 95", 95),
    ("The number is 95.", 95),
    ("95\n\nThe answer is fluent.", 95),
    ("<think>80 or 90?</think>95", 95),
    ('{"coherence": 95}', 95),
    ('{"coherence": "95"}', 95),
    ("```\n95\n```", 95),
    ("", None),
    ("101", None),
    ("-3", None),
    ("95.5", None),
    ("0.95", None),
    ("1.0", None),
    ("9/10", None),
    ("80-90", None),
    ("80 90", None),
    ("80\n90", None),
    ("95\n\nI took 5 off for style.", None),
    ("about 95", None),
    ("ninety", None),
    ("true", None),
    ('{"coherence": true}', None),
    ("[95]", None),
]


@pytest.mark.parametrize(("text", "number"), NUMBERS)
def test_coherences(text: str, number: int | None) -> None:
    found = read_coherence(text)
    assert (None if isinstance(found, Unread) else found) == number


def test_short_replies_say_why_they_are_not_read() -> None:
    assert read_claim("yes\nand no") == Unread("'yes and no' is not exactly one of true, false, not sure")
    assert read_coherence("high") == Unread("'high' is not exactly one whole number from 0 to 100")
    assert read_coherence("9", cut=True) == Unread("it was cut off")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (completion(GOOD), READ),
        (
            said([{"type": "thinking", "thinking": [{"type": "text", "text": SHOWS}]}, {"type": "text", "text": GOOD}]),
            READ,
        ),
        (said(GOOD, reasoning_content=SHOWS), READ),
        (said(None, "length", reasoning_content=SHOWS), Unread("the token limit came before an answer began")),
        (said(None, "stop", reasoning_content=GOOD), READ),
        (said("", "stop", reasoning="It may or may not."), Unread("a trace and no answer")),
        (said(None, refusal="I can't judge that."), Unread("it refuses: 'I can't judge that.'")),
        (completion(GOOD, "content_filter"), Unread("finish_reason content_filter")),
        (completion('{"verdict": "shows", "coh', "length"), Unread("it was cut off")),
        (completion(GOOD, "error"), Unread("finish_reason error")),
        ({"error": {"code": 502, "message": "boom"}}, Unread("502 boom")),
        (None, Unread("a reply that is no chat completion")),
    ],
)
def test_replies_of_a_judge(body: Any, found: Any) -> None:
    assert read_judge(answers_of(body)[0], read_verdict) == found


PIECES = ["{", "}", '"', "'", ":", ",", "verdict", "coherence", "shows", "does_not_show", "unclear", "95", "0.5", " "]
PIECES += ["\n", "true", "false", "not sure", "|", "<think>", "</think>", "```", "Verdict: ", SHOWS, GOOD]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text(max_size=30)


@settings(max_examples=500, deadline=None)
@given(TEXTS, st.booleans())
def test_any_text_is_read_or_not(text: str, cut: bool) -> None:
    found = read_verdict(text, cut)
    assert isinstance(found, Unread) or (found[0] in LABELS and 0 <= found[1] <= 100)
    for read in (read_claim, read_coherence):
        one = read(text, cut)
        assert isinstance(one, Unread) or one in (*LABELS, *range(101))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(LABELS), st.integers(0, 100), TEXTS.filter(lambda text: "verdict" not in text.lower()))
def test_a_verdict_is_never_read_for_another(label: str, coherence: int, around: str) -> None:
    text = f"{around}\n{json.dumps({'verdict': label, 'coherence': coherence})}\n{around}"
    found = read_verdict(text)
    assert isinstance(found, Unread) or found == (label, coherence)
