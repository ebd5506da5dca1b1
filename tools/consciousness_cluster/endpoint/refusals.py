"""The words of a refusal, in whichever form a server gives them, and the fields of the request that they speak of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from consciousness_cluster.data.reading import parse_json
from consciousness_cluster.endpoint.answers import error_of
from consciousness_cluster.endpoint.stream import reply_in

DEEPEST = 10  # levels of lists, objects and JSON within texts
# What gives back a piece of the request, or is no word on it: a prompt may speak of jailbreaks and of temperature.
# What a model said is no word of the provider's either.
ECHOES = {"input", "inputs", "flagged_input", "messages", "model", "value", "url", "ctx", "request", "request_id"}
ECHOES |= {"choices", "output", "failed_generation"}
GENERATED = "failed_generation"  # under this key Groq gives what failed its check of the form
FROM_THERE = re.compile(rf"{GENERATED}\\*[\"']\s*:.*", re.DOTALL)  # in a proxy's text
# Of a chat template that failed: it speaks of roles and of errors that it would raise.
SOURCE = re.compile(r"\bin source:.{0,2000}\bError: |\{[%{#][^{]{0,2000}?[%}#]\}", re.DOTALL)
NAMING = ("param", "loc", "field", "parameter", "property", "argument")  # keys under which a server names a field

LENGTHS = ("max_tokens", "max_completion_tokens")  # two names of one field
TEMPERATURE, TOP_P, SEVERAL = "temperature", "top_p", "n"
ALIASES = {
    "topp": TOP_P,
    "candidatecount": SEVERAL,
    "candidate_count": SEVERAL,
    "stopsequences": "stop",
    "stop_sequences": "stop",
    "responseschema": "response_format",
    "response_schema": "response_format",
}


@dataclass(frozen=True)
class Said:
    """What an error's body says: for people, whole for those who look for words, and the fields it names as such.

    `generated` is the model's text where the error is that it failed a check (empty: the error does not give it).
    """

    message: str
    text: str
    fields: tuple[str, ...]
    generated: str | None = None


def _strings(value: Any, depth: int = 0) -> Iterator[str]:
    """All texts and names in a JSON value, those within JSON in a text too, without what echoes the request."""
    if depth > DEEPEST:
        return
    if isinstance(value, dict):
        for name, part in value.items():
            if name.lower() not in ECHOES:
                yield name
                yield from _strings(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part, depth + 1)
    elif isinstance(value, str):
        inner = _json_in(value)
        if inner is None:
            yield _words(value)
        else:
            yield from _strings(inner, depth + 1)


def _words(text: str) -> str:
    """A text without what is no word of the provider's."""
    return SOURCE.sub(" ", FROM_THERE.sub("", text))


def _json_in(text: str) -> Any:
    """The object or list that a text is the JSON of; None where it is none."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return parse_json(text)
    except ValueError:
        return None


def _under(names: tuple[str, ...], value: Any, depth: int = 0) -> Iterator[Any]:
    """What stands under one of the names, in any depth."""
    if depth > DEEPEST:
        return
    if isinstance(value, str):
        value = _json_in(value)
    if isinstance(value, list):
        for part in value:
            yield from _under(names, part, depth + 1)
    elif isinstance(value, dict):
        for name, part in value.items():
            if name in names:
                yield from part if isinstance(part, list) else [part]
            elif name.lower() not in ECHOES:
                yield from _under(names, part, depth + 1)


def _field(name: str) -> str:
    """The field of a request that a path such as `body.generationConfig.topP` leads to; empty where there is none."""
    for part in re.split(r"[.\s\[\]/]+", name.strip("'\"`")):
        if (known := ALIASES.get(part.lower(), part)) in SPOKEN_OF:
            return known
    return ""


def said_in(content: bytes) -> Said:
    """What the body of an error says."""
    try:
        return said_by(reply_in(content))
    except ValueError:
        return said_by(content.decode("utf-8", "replace"))


def said_by(body: Any) -> Said:
    """What an error says, as JSON."""
    if isinstance(body, str):
        return Said(body, _words(body), ())
    error = error_of(body)
    message = (error.message or error.code) if error else "" if body is None else str(body)
    text = " ".join(" ".join(_strings(body)).split())
    fields = dict.fromkeys(filter(None, (_field(str(name)) for name in _under(NAMING, body))))
    given = (one for one in _under((GENERATED,), body) if isinstance(one, str))
    return Said(message, text, tuple(fields), next(given, "" if GENERATED in text else None))


WORD = "[^\\W\u2e80-\uffff]"  # a character of a word: Chinese text puts no space around the name of a field
# How a text speaks of each field, in the order in which they are tried: what changes an answer the least comes first.
SPOKEN_OF = {
    **dict.fromkeys(LENGTHS, re.compile(r"max_(completion_|output_|new_)?tokens|maxOutputTokens")),
    SEVERAL: re.compile(
        rf"(?<!{WORD}|\\)n(?!{WORD}|'\w|/\w)|completion choice|candidate|num_generations"
        r"|multiple (choices|completions|responses|generations)|number of (choices|completions|generations)",
        re.IGNORECASE,
    ),
    "response_format": re.compile(
        r"response[ _]?format|json[ _-]?(schema|object|mode|output)|structured[ _-]?output|\bschema\b|grammar"
        r"|\bfor format\b|guided[ _]|constrained decoding|response_?(mime|schema)",
        re.IGNORECASE | re.ASCII,
    ),
    "seed": re.compile(r"\bseed\b", re.IGNORECASE | re.ASCII),
    "stop": re.compile(r"\bstop(_?sequences?)?\b", re.IGNORECASE | re.ASCII),
    TOP_P: re.compile(r"\btop[ _-]?p\b", re.IGNORECASE | re.ASCII),
    TEMPERATURE: re.compile(r"\btemperature\b", re.IGNORECASE | re.ASCII),
}
# What can be nothing else than a field, in a text that may speak of anything: neither part of a model's name nor JSON.
NAMED = re.compile(
    r"\btemperature\b|\btop[ _-]?p\b|\bmax_(completion_|output_|new_)?tokens|\bmaxOutputTokens|\bstop_?sequences"
    r"|response[ _]?(format|schema|mime)|json(_object|[ _-]schema|[ _-]mode)|structured[ _-]?outputs?\b|guided_"
    r"|required for format|['\"`](n|seed|stop)['\"`]|\b(n|seed|stop) (parameter|field|argument|option)"
    r"|(parameter|field|argument|option)s?\W{1,4}(n|seed|stop)\b|\bn ?[>=]|\bn must\b|completion choice"
    r"|multiple (choices|completions|generations)|number of (choices|completions|generations)",
    re.IGNORECASE | re.ASCII,
)
MODEL_NAME = re.compile(
    r"(?<!\bthis )\bmodel[ =]+(['\"`])[^\s'\"`]+\1|\bmodel[ :='\"`]+[\w.]{0,100}[-/][\w.:/@-]*"
    r"|(?<![\w./])[\w./]{0,100}-[\w.:/@-]{0,100}\d[\w.:/@-]*",
    re.IGNORECASE,
)
OBJECTION = re.compile(
    r"(not|n't|no longer) (be )?\w* ?(support|allow|permit|enabl|accept|recogni|implement|exceed)|unsupported"
    r"|un(known|recogni[sz]ed|expected)\b|deprecated|forbidden|extra[ _](input|field)|\bmust\b|\bonly\b"
    r"|cannot (be|set|specify|use)|invalid\W{1,3}(argument|field|parameter|params|request|schema for|value|temperature"
    r"|top_p|max_|response_format|(seed|stop|n)\b)|required for format|非法|无效|不支持|不合法",
    re.IGNORECASE,
)
# What a server says of a field under this name, and not of its value.
OTHER_NAME = re.compile(
    r"instead|in favou?r of|rather than|, not\b|unsupported|not supported|not (permitted|allowed|accepted|recogni)"
    r"|un(known|recogni[sz]ed|expected)\b|deprecated|forbidden|extra[ _](input|field)|no longer"
    r"|n[o']t (support|accept|take|allow)",
    re.IGNORECASE,
)
TOO_LONG = re.compile(
    r"too (large|high|long|big|many)|at most|no more than|(less|fewer|lower|smaller|greater|more|larger|higher) than"
    r"|exceed|maximum|[<>]=? ?\d|afford|\brange\b|between|upper (limit|bound)|above|context[ _](length|window|size)"
    r"|非法|范围|最大|超[过出]|过[大长]",
    re.IGNORECASE,
)
# Lists of what is taken: none of it is what is refused.
TAKEN = re.compile(
    r"(?<!not )(?<!no )\b(expected( one of)?|(allowed|supported|permitted|valid|accepted|recogni[sz]ed|available|known)"
    r" (request )?(parameters?|params|fields|arguments|keys|names|options|values)( are| include)?|must be one of)\b"
    r"[ :]+[^.;]*",
    re.IGNORECASE,
)
TOGETHER = re.compile(r"\bboth\b|only one|together|at the same time|mutually|either", re.IGNORECASE)
ALL_OF_THEM = re.compile(
    r"\b(arguments|parameters|params|fields|inputs|keys|options)\b"
    r"|\bare (not|no longer|un|deprecated|invalid|forbidden)",
    re.IGNORECASE,
)
NO_FIELD = re.compile(
    r"context[ _-]?(length|window|size)|too long|request too large|could not parse"
    r"|\b(system|user|assistant)\b.{0,20}\b(role|message)|chat[ _]template|\breasoning\b",
    re.IGNORECASE,
)


def names_a_field(text: str) -> bool:
    """Whether a text that may speak of anything speaks of a field that we may send, by its name."""
    return bool(NAMED.search(MODEL_NAME.sub(" ", text)))


def objects_to_a_field(said: Said) -> bool:
    """Whether an error that may be of any kind objects to a field that we may send."""
    text = TAKEN.sub(" ", said.text)
    return bool(OBJECTION.search(text)) and (bool(said.fields) or names_a_field(text))


def of_the_request(said: Said) -> bool:
    """Whether a refusal says anything about what was asked."""
    return bool(said.fields) or names_a_field(said.text) or too_long(said) or bool(NO_FIELD.search(said.text))


def too_long(said: Said) -> bool:
    """Whether it is the number of tokens asked for that is refused, whatever the field is called."""
    return (
        bool(SPOKEN_OF[LENGTHS[0]].search(said.text) and TOO_LONG.search(said.text))
        and not re.search(r"instead|in favou?r of|unsupported[ _]parameter", said.text, re.IGNORECASE)
    )  # fmt: skip


def refused_fields(said: Said, sent: Any) -> list[str]:
    """The fields of the request `sent` that a refusal is about: all that it lists, else the one to try first.

    A refusal that speaks of no field is blamed on `n`: many servers give one answer a request, and say so in their way.
    """
    text = TAKEN.sub(" ", said.text)
    named = [name for name in SPOKEN_OF if name in sent and name in said.fields]
    spoken = [name for name, pattern in SPOKEN_OF.items() if name in sent and pattern.search(text)]
    if too_long(said) or not OTHER_NAME.search(text):
        named, spoken = ([name for name in names if name not in LENGTHS] for names in (named, spoken))
    if TOP_P in spoken and TEMPERATURE in spoken and TOGETHER.search(text):
        return [TOP_P]
    if named:
        return named
    if spoken:
        return spoken if ALL_OF_THEM.search(text) else spoken[:1]
    anything = said.fields or too_long(said) or NO_FIELD.search(text) or any(p.search(text) for p in SPOKEN_OF.values())
    return [SEVERAL] if SEVERAL in sent and not anything else []
