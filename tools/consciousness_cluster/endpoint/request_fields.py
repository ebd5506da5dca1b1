"""More fields for every chat request: a reasoning effort, a provider's routing, arguments of a chat template."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from consciousness_cluster.data.reading import parse_json, read_text
from consciousness_cluster.errors import UserError

OPTION = "--request-json"
EXAMPLE = """give an object, such as '{"reasoning_effort": "low"}', or @FILE with one"""
LENGTH = "use --max-tokens (of a judge: max_tokens in its judge.yaml)"
# What has a place of its own, and would be recorded as something else than was sent.
ELSEWHERE = {
    "model": "use --model",
    "messages": "they are the benchmark's",
    "n": "use --samples",
    "temperature": "it is the benchmark's, or the judge's",
    "max_tokens": LENGTH,
    "max_completion_tokens": LENGTH,
    "stream": "answers are read whole",
    "extra_body": "that is the openai client's; give the fields in it themselves",
}


def request_fields(given: str | Mapping[str, Any] | None, more: Sequence[str] = ()) -> dict[str, Any]:
    """The fields of an option's text (JSON, or @FILE with JSON). `more` names fields that cannot be set either.

    Raises UserError.
    """
    if given is None:
        return {}
    fields = _parsed(given) if isinstance(given, str) else given
    if not isinstance(fields, Mapping):
        raise UserError(f"{OPTION}: not a JSON object; {EXAMPLE}")
    for name in fields:
        mend = ELSEWHERE.get(name) or ("it is set by this program" if name in more else "")
        if mend:
            raise UserError(f"{OPTION}: '{name}' cannot be set there; {mend}")
    return dict(fields)


def _parsed(text: str) -> Any:
    where = OPTION
    if text.startswith("@"):
        where, text = text[1:], read_text(Path(text[1:]))
    try:
        return parse_json(text, finite=True)
    except ValueError as error:
        raise UserError(f"{where}: not JSON ({error}); {EXAMPLE}") from None
