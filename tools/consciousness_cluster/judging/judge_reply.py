"""Reading of a judge's reply: a verdict if exactly one can be read from it, else the reason why not, in a few words."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from consciousness_cluster.endpoint.answers import Answer
from consciousness_cluster.endpoint.traces import split_answer
from consciousness_cluster.judging.verdict import CLAIM_ANSWERS, LABELS
from consciousness_cluster.records.types import Label

Value = TypeVar("Value")
Spoken = tuple[str, Any]  # the name of a value (verdict, coherence) and the value as it stands in the reply

LONGEST_VALUE = 40  # characters of a value that a reason repeats
DECORATION = " \t\r\n*_`'\"“”‘’."  # noqa: RUF001
SPELLINGS: dict[str, Label] = {
    "shows": "shows",
    "shows_it": "shows",
    "does_not_show": "does_not_show",
    "does_not_show_it": "does_not_show",
    "doesnt_show": "does_not_show",
    "doesnt_show_it": "does_not_show",
    "unclear": "unclear",
}
NAMES = {
    "verdict": "verdict",
    "final_verdict": "verdict",
    "coherence": "coherence",
    "coherence_score": "coherence",
    "coherence_rating": "coherence",
}
NUMBER = re.compile(r"(\d{1,3})(\.0+)?\s*(%|percent|/\s*100|out of 100)?", re.ASCII | re.IGNORECASE)
_QUOTES = "[\"'`*_“”]*"
SPOKEN = re.compile(
    rf"(?<![\w/]){_QUOTES}(?P<name>(?:final[ _])?verdict|coherence(?:[ _](?:score|rating))?){_QUOTES}"
    rf"(?:[ \t]*\((?P<scale>[^()\n]*)\))?{_QUOTES}\s*(?:[:=]|>)\s*"
    r"(?P<value>(?:(?!\.(?:\s|\Z))[^\n,;}<|])*)(?P<choice>\s*\|)?",
    re.IGNORECASE,
)
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


@dataclass(frozen=True)
class Unread:
    """Why no verdict can be read; the judge is told so when it is asked once more."""

    reason: str


class _Object(list[tuple[str, Any]]):
    """The pairs of a JSON object, of which a dict would lose those whose name comes twice."""


_DECODER = json.JSONDecoder(object_pairs_hook=_Object, parse_constant=lambda _: None, strict=False)


def _shown(value: Any) -> str:
    text = " ".join(str(value).split())
    return f"'{text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + '…'}'"


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


def _spoken_in(value: Any) -> Iterator[Spoken]:
    """Verdicts and coherences anywhere in parsed JSON."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, _Object):
            for key, inner in one:
                name = NAMES.get(re.sub(r"[\s_-]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key.strip())).casefold())
                if name:
                    yield name, inner
                else:
                    waiting.append(inner)
        elif isinstance(one, list):
            waiting += one


def _objects(text: str) -> tuple[list[Spoken], str, str]:
    """What the JSON objects in a text say, the text without those that say anything, and what is behind the last."""
    said: list[Spoken] = []
    rest, position, behind = "", 0, len(text)
    while (start := text.find("{", position)) >= 0:
        try:
            value, end = _DECODER.raw_decode(text, start)
        except ValueError:
            value, end = None, start + 1
        except RecursionError:  # no verdict lies that deep
            break
        found = list(_spoken_in(value))
        said += found
        rest += text[position : start if found else end]
        position = end
        behind = end if found else behind
    return said, rest + text[position:], text[behind:]


def _in_words(text: str) -> Iterator[tuple[Spoken, bool, bool]]:
    """What a text says outside of JSON (`Verdict: shows`), whether it only lists what could be said, and whether the
    text ends there.
    """
    for found in SPOKEN.finditer(text):
        scale = re.findall(r"\d+", found["scale"] or "")
        name, value = NAMES[re.sub(" ", "_", found["name"].lower())], found["value"]
        if name == "coherence" and scale and "100" not in scale:  # 8 of 10 is no 8 of 100
            value = f"{value.strip(DECORATION)} ({found['scale']})"
        yield (name, value), bool(found["choice"]), not text[found.end() :].strip()


def _one(name: str, values: list[Any], read: Callable[[Any], Value | None], wanted: str) -> Value | Unread:
    """The one thing that all values say."""
    if not values:
        return Unread(f"there is no {name} in it")
    found = [read(value) for value in values]
    for value, one in zip(values, found, strict=True):
        if one is None:
            return Unread(f"the {name} {_shown(value)} is {wanted}")
    if len(set(found)) > 1:
        return Unread(f"it says more than one {name}: {', '.join(sorted(map(str, set(found))))}")
    (value,) = {one for one in found if one is not None}
    return value


def _answer_in(text: str) -> str:
    """The reply without its trace; of one that is a JSON string, what stands in that."""
    answer = split_answer(text).answer or ""
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return answer
    return value if isinstance(value, str) else answer


def read_verdict(text: str, cut: bool = False) -> tuple[Label, int] | Unread:
    """Verdict and coherence of a reply that has them once, or several times alike.

    They may stand in a JSON object, with anything around it and in it, or in words of the form `verdict: shows`. `cut`
    says that the token limit ended the reply.
    """
    answer = _answer_in(text)
    if not answer.strip():
        return Unread("it is empty")
    said, rest, behind = _objects(answer)
    torn = cut or rest.count("{") > rest.count("}")
    in_json = {name for name, _ in said}
    if not said and torn:
        return Unread("it was cut off")
    if "verdict" in in_json:
        said += [("verdict", found[1] or found[2]) for found in AFTER.finditer(behind)]
    for (name, value), only_lists, last in _in_words(rest):  # beside JSON, prose may speak of a verdict
        if last and torn and name not in in_json:
            return Unread("it was cut off")  # perhaps within the number
        readable = (label_of if name == "verdict" else number_of)(value) is not None
        if not only_lists and (readable or name not in in_json):
            said.append((name, value))
    verdicts = [value for name, value in said if name == "verdict"]
    coherences = [value for name, value in said if name == "coherence"]
    verdict: Label | Unread = _one("verdict", verdicts, label_of, f"none of {', '.join(LABELS)}")
    if isinstance(verdict, Unread):
        return verdict
    coherence = _one("coherence", coherences, number_of, "no whole number from 0 to 100")
    return coherence if isinstance(coherence, Unread) else (verdict, coherence)


def _bare(text: str) -> list[str]:
    """The lines of a short reply; of a JSON object with one value, that value."""
    answer = _answer_in(text)
    try:
        value = _DECODER.decode(re.sub(r"\A\s*```\w*\n(.*)\n```\s*\Z", r"\1", answer, flags=re.DOTALL))
    except (ValueError, RecursionError):
        value = answer
    if isinstance(value, _Object) and len(value) == 1:
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
        return Unread(f"{_shown(' '.join(lines))} is not exactly {wanted}")
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


def read_judge(answer: Answer, read: Callable[[str, bool], Value | Unread]) -> Value | Unread:
    """What a judge's answer says, read by `read_verdict`, `read_claim` or `read_coherence`.

    Some servers take the whole reply of a model that does not reason for its trace; that is read too, if it came to its
    end.
    """
    if answer.status == "refused":
        return Unread(f"it refuses: {_shown(answer.response)}")
    if answer.status == "empty" and answer.reasoning is not None:
        found = read(answer.reasoning, False)
        return Unread(answer.reason) if isinstance(found, Unread) else found
    if answer.status != "ok" or answer.response is None:
        return Unread(answer.reason)
    return read(answer.response, answer.cut)
