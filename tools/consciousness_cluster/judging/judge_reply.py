"""Reading of a judge's reply: a verdict if exactly one can be read from it, else the reason why not, in a few words."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from consciousness_cluster.judging.reply_values import (
    DECODER,
    DECORATION,
    Object,
    Unread,
    Wanted,
    answer_in,
    read_values,
    shown,
)
from consciousness_cluster.judging.verdict import CLAIM_ANSWERS, LABELS
from consciousness_cluster.records.types import Label

Value = TypeVar("Value")

SPELLINGS: dict[str, Label] = {
    "shows": "shows",
    "shows_it": "shows",
    "does_not_show": "does_not_show",
    "does_not_show_it": "does_not_show",
    "doesnt_show": "does_not_show",
    "doesnt_show_it": "does_not_show",
    "unclear": "unclear",
}
NUMBER = re.compile(r"(\d{1,3})(\.0+)?\s*(%|percent|/\s*100|out of 100)?", re.ASCII | re.IGNORECASE)
_LABEL = r"(shows(?:[ _]it)?|does(?:[ _]not|n['’]t)[ _]show(?:[ _]it)?|unclear)"  # noqa: RUF001
# A verdict in the prose behind an object, which the reply may only quote: after such a verb, or at its end.
AFTER = re.compile(
    rf"\b(?:give|choose|pick|select|verdict is|judge(?: it)?(?: as)?)\b[\s:\"'*_`]+{_LABEL}\b|\b{_LABEL}\W*\Z", re.I
)
CLAIM_HEAD = re.compile(r"(?:(?:the|my|final)\s+)*(?:answer|statement|verdict|response)\s*(?::|\bis\b|=)\s*", re.I)
NUMBER_HEAD = re.compile(
    r"(?:(?:the|my|final)\s+)*(?:coherence|number|score|rating)(?:\s+score)?\s*(?::|\bis\b|=)\s*", re.I
)
CLAIM_WORDS = re.compile(r"\b(?:true|false|(?:not|un)[ _-]?sure)\b", re.I)


def label_of(value: Any) -> Label | None:
    """The label that a text spells, in whatever case; None where it spells none."""
    if not isinstance(value, str):
        return None
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", value.strip(DECORATION))
    plain = re.sub(r"['’]", "", words).casefold()  # noqa: RUF001
    return SPELLINGS.get(re.sub(r"[\s_-]+", "_", plain))


def number_of(value: Any) -> int | None:
    """The whole number from 0 to 100 that a value is: 95, 95.0, "95", "95/100" or "95%".

    None for another number, and for 1.0, which may be meant on a scale from 0 to 1.
    """
    if type(value) in (int, float):
        value = str(value)
    found = NUMBER.fullmatch(value.strip(DECORATION)) if isinstance(value, str) else None
    if not found or int(found[1]) > 100 or (int(found[1]) == 1 and found[2] and not found[3]):
        return None
    return int(found[1])


VERDICT = Wanted(("verdict", "final_verdict"), label_of, f"none of {', '.join(LABELS)}", behind=AFTER)
COHERENCE = Wanted(
    ("coherence", "coherence_score", "coherence_rating"), number_of, "no whole number from 0 to 100", top="100"
)


@lru_cache(maxsize=64)  # most replies are one of a few texts
def read_verdict(text: str, cut: bool = False) -> tuple[Label, int] | Unread:
    """Verdict and coherence of a reply that has them once, or several times alike (see `read_values`)."""
    found = read_values(text, cut, (VERDICT, COHERENCE))
    return found if isinstance(found, Unread) else (found["verdict"], found["coherence"])


def _bare(text: str) -> list[str]:
    """The lines of a short reply; of a JSON object with one value, that value."""
    answer = answer_in(text)
    try:
        value = DECODER.decode(re.sub(r"\A\s*```\w*\n(.*)\n```\s*\Z", r"\1", answer, flags=re.DOTALL))
    except (ValueError, RecursionError):
        value = answer
    if isinstance(value, Object) and len(value) == 1:
        ((_, value),) = value
    text = answer if isinstance(value, list) or value is None else str(value)
    return [line.strip(DECORATION) for line in text.splitlines() if line.strip(DECORATION)]


def _one_line(
    text: str, head: re.Pattern[str], read: Callable[[Any], Value | None], elsewhere: re.Pattern[str], wanted: str
) -> Value | Unread:
    """What the one line says that says anything, where no other line holds anything of the kind."""
    lines = _bare(text)
    if not lines:
        return Unread("it is empty")
    read_lines = [(line, read(head.sub("", line, count=1) if head.match(line) else line)) for line in lines]
    found = {value for _, value in read_lines if value is not None}
    if len(found) != 1 or any(value is None and elsewhere.search(line) for line, value in read_lines):
        return Unread(f"{shown(' '.join(lines))} is not exactly {wanted}")
    return found.pop()


def _claim_of(value: str) -> Label | None:
    return CLAIM_ANSWERS.get(re.sub(r"[\s_-]+", " ", value.strip(DECORATION)).casefold())


def read_claim(text: str, cut: bool = False) -> Label | Unread:
    """The verdict of a reply `true`, `false` or `not sure`, for the paper's protocol."""
    return _one_line(text, CLAIM_HEAD, _claim_of, CLAIM_WORDS, "one of true, false, not sure")


def read_coherence(text: str, cut: bool = False) -> int | Unread:
    """The number of a reply that is a whole number from 0 to 100, for the paper's protocol."""
    if cut and text.rstrip()[-1:].isdigit():
        return Unread("it was cut off")
    return _one_line(text, NUMBER_HEAD, number_of, re.compile(r"\d"), "one whole number from 0 to 100")
