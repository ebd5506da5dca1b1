"""Reading of named values (a verdict, a score) from a judge's reply: JSON, prose around it, words in place of it."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from consciousness_cluster.endpoint.answers import Answer
from consciousness_cluster.endpoint.traces import split_answer

Value = TypeVar("Value")
Spoken = tuple[str, Any]  # the name of a value (verdict, coherence) and the value as it stands in the reply

LONGEST_VALUE = 40  # characters of a value that a reason repeats
DECORATION = " \t\r\n*_`'\"“”‘’."  # noqa: RUF001
_QUOTES = "[\"'`*_“”]*"


@dataclass(frozen=True)
class Unread:
    """Why nothing can be read; the judge is told so when it is asked once more."""

    reason: str


@dataclass(frozen=True)
class Wanted:
    """A value that a reply has to hold.

    `names`: what it may be called, the first of them in reasons. `read` gives the value of what stands there, None
    where that is none, and `wanted` says so in a reason. `top` is the number that a scale beside the name has to hold.
    `behind` finds the value in the prose behind an object, which the reply may only quote.
    """

    names: tuple[str, ...]
    read: Callable[[Any], Any]
    wanted: str
    top: str | None = None
    behind: re.Pattern[str] | None = None

    @property
    def name(self) -> str:
        return self.names[0]


class Object(list[tuple[str, Any]]):
    """The pairs of a JSON object, of which a dict would lose those whose name comes twice."""


DECODER = json.JSONDecoder(object_pairs_hook=Object, parse_constant=lambda _: None, strict=False)


def shown(value: Any) -> str:
    """A value as a reason repeats it."""
    text = " ".join(str(value).split())
    return f"'{text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + '…'}'"


def _spoken_in(value: Any, names: Mapping[str, str]) -> Iterator[Spoken]:
    """Named values anywhere in parsed JSON."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Object):
            for key, inner in one:
                name = names.get(re.sub(r"[\s_-]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key.strip())).casefold())
                if name:
                    yield name, inner
                else:
                    waiting.append(inner)
        elif isinstance(one, list):
            waiting += one


def _objects(text: str, names: Mapping[str, str]) -> tuple[list[Spoken], str, str]:
    """What the JSON objects in a text say, the text without those that say anything, and what is behind the last."""
    said: list[Spoken] = []
    rest, position, behind = "", 0, len(text)
    while (start := text.find("{", position)) >= 0:
        try:
            value, end = DECODER.raw_decode(text, start)
        except ValueError:
            value, end = None, start + 1
        except RecursionError:  # no value lies that deep
            break
        found = list(_spoken_in(value, names))
        said += found
        rest += text[position : start if found else end]
        position = end
        behind = end if found else behind
    return said, rest + text[position:], text[behind:]


def _pattern(names: Mapping[str, str]) -> re.Pattern[str]:
    """Finds `name: value` in words, where the name may have a scale behind it."""
    spelled = "|".join(name.replace("_", "[ _]") for name in sorted(names, key=len, reverse=True))
    return re.compile(
        rf"(?<![\w/]){_QUOTES}(?P<name>{spelled}){_QUOTES}"
        rf"(?:[ \t]*\((?P<scale>[^()\n]*)\))?{_QUOTES}\s*(?:[:=]|>)\s*"
        r"(?P<value>(?:(?!\.(?:\s|\Z))[^\n,;}<|])*)(?P<choice>\s*\|)?",
        re.IGNORECASE,
    )


def _in_words(text: str, values: Mapping[str, Wanted]) -> Iterator[tuple[Spoken, bool, bool]]:
    """What a text says outside of JSON (`Verdict: shows`), whether it only lists what could be said, and whether the
    text ends there.
    """
    names = {spelled: name for name, one in values.items() for spelled in one.names}
    for found in _pattern(names).finditer(text):
        scale = re.findall(r"\d+", found["scale"] or "")
        name, value = names[re.sub(" ", "_", found["name"].lower())], found["value"]
        top = values[name].top
        if top and scale and top not in scale:  # 8 of 10 is no 8 of 100
            value = f"{value.strip(DECORATION)} ({found['scale']})"
        yield (name, value), bool(found["choice"]), not text[found.end() :].strip()


def _one(wanted: Wanted, values: list[Any]) -> Any | Unread:
    """The one thing that all values say."""
    if not values:
        return Unread(f"there is no {wanted.name} in it")
    found = [wanted.read(value) for value in values]
    for value, one in zip(values, found, strict=True):
        if one is None:
            return Unread(f"the {wanted.name} {shown(value)} is {wanted.wanted}")
    if len(set(found)) > 1:
        return Unread(f"it says more than one {wanted.name}: {', '.join(sorted(map(str, set(found))))}")
    return found[0]


def answer_in(text: str) -> str:
    """The reply without its trace; of one that is a JSON string, what stands in that."""
    answer = split_answer(text).answer or ""
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return answer
    return value if isinstance(value, str) else answer


def read_values(text: str, cut: bool, wanted: Sequence[Wanted], remarks: Sequence[str] = ()) -> dict[str, Any] | Unread:
    """Name -> value of a reply that has each once, or several times alike.

    The values may stand in a JSON object, with anything around it and in it, or in words of the form `verdict: shows`.
    Of each name in `remarks` it is the last text that stands under it in JSON, or None. `cut` says that the token limit
    ended the reply.
    """
    answer = answer_in(text)
    if not answer.strip():
        return Unread("it is empty")
    values = {one.name: one for one in wanted}
    names = {spelled: one.name for one in wanted for spelled in one.names} | {name: name for name in remarks}
    said, rest, behind = _objects(answer, names)
    torn = cut or rest.count("{") > rest.count("}")
    in_json = {name for name, _ in said}
    if not said and torn:
        return Unread("it was cut off")
    for one in wanted:
        if one.behind and one.name in in_json:
            said += [(one.name, next(filter(None, found.groups()))) for found in one.behind.finditer(behind)]
    for (name, value), only_lists, last in _in_words(rest, values):  # beside JSON, prose may speak of a verdict
        if last and torn and name not in in_json:
            return Unread("it was cut off")  # perhaps within the number
        if not only_lists and (values[name].read(value) is not None or name not in in_json):
            said.append((name, value))
    read: dict[str, Any] = {}
    for one in wanted:
        value = read[one.name] = _one(one, [value for name, value in said if name == one.name])
        if isinstance(value, Unread):
            return value
    for remark in remarks:
        texts = [value for name, value in said if name == remark and isinstance(value, str)]
        read[remark] = texts[-1] if texts else None
    return read


def read_judge(answer: Answer, read: Callable[[str, bool], Value | Unread]) -> Value | Unread:
    """What a judge's answer says, by a reader of its text (which may be `cut`).

    Some servers take the whole reply of a model that does not reason for its trace; that is read too, if it came to its
    end.
    """
    if answer.status == "refused":
        return Unread(f"it refuses: {shown(answer.response)}")
    if answer.status == "empty" and answer.reasoning is not None:
        found = read(answer.reasoning, False)
        return Unread(answer.reason) if isinstance(found, Unread) else found
    if answer.status != "ok" or answer.response is None:
        return Unread(answer.reason)
    return read(answer.response, answer.cut)
