"""Lines of a provider's batch output, as people keep them: OpenAI's and who has its form, and Anthropic's."""

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from consciousness_cluster.data.reading import parse_json
from consciousness_cluster.endpoint.answers import Answer, answers_of
from consciousness_cluster.endpoint.replies import usage_of
from consciousness_cluster.errors import UserError

INDEX = re.compile(r"[-_.:/#|@ ]+(?:(?:sample|s|n|i|r|rep|repeat)[-_]?)?(\d+)$", re.IGNORECASE)  # after a probe's id
OK = ("200", "200.0", "None")  # of a status_code, also in tables; some providers give none
REPLY = {"choices", "output"}  # fields of a reply that stands there without a frame
SHOWN = 40  # characters


class Line(NamedTuple):
    """The answers of one line, in their order, and what they used together."""

    custom_id: str
    answers: list[Answer]
    usage: dict[str, int] | None


def is_batch_line(row: Mapping[str, Any]) -> bool:
    """Whether a row is of an output or error file."""
    return "custom_id" in row and any(name in row for name in ("response", "error", "result"))


def read_batch_line(where: str, row: Mapping[str, Any]) -> Line:
    """What a line says; one without a reply is one answer, whose status says what kind of failure it was.

    Raises UserError where a text stands in the place of a reply.
    """
    body = _in_order(_body(where, row))
    choices = body.get("choices")
    asked = len(choices) if isinstance(choices, list) else 1
    return Line(str(row["custom_id"]), answers_of(body, asked), usage_of(body))


def _in_order(body: dict[str, Any]) -> dict[str, Any]:
    """The reply with its choices in the order of their numbers, where all have one."""
    choices = body.get("choices")
    if not isinstance(choices, list):
        return body
    numbers = [choice.get("index") if isinstance(choice, dict) else None for choice in choices]
    if not all(type(number) in (int, float) for number in numbers):
        return body
    return {**body, "choices": sorted(choices, key=lambda choice: choice["index"])}


def _parsed(where: str, value: Any, answered: bool = True) -> Any:
    """The object that a text is the JSON of, as tables have it; anything else as it is, but no text as an answer."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        found = parse_json(value)
    except ValueError:
        found = value
    if isinstance(found, dict) or found is None:
        return found
    if answered:
        mend = "a batch's line has the provider's reply there; for answers alone name the columns probe_id and response"
        raise UserError(f"{where}: is a text ('{value[:SHOWN]}'); {mend}")
    return value


def _body(where: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """The reply, or an error in the form that a provider puts into one."""
    response, result = _parsed(f"{where}:response", row.get("response")), _parsed(where, row.get("result"), False)
    if isinstance(result, Mapping):  # Anthropic's
        message = result.get("message")
        if isinstance(message, dict):
            return message
        return {"error": result.get("error") or {"message": str(result.get("type") or "no answer")}}
    if isinstance(response, dict) and "body" not in response and REPLY & response.keys():
        return response
    fields = response if isinstance(response, dict) else {}
    ok = str(fields.get("status_code")) in OK
    body = _parsed(f"{where}:response:body", fields.get("body"), ok)
    if isinstance(body, dict) and ok:
        return body
    error = row.get("error") or (body.get("error", body) if isinstance(body, dict) else body)
    return {"error": error or {"message": "neither answer nor reason"}}


def asked_by(custom_id: str, probes: Collection[str]) -> tuple[str, int | None] | None:
    """(probe, number of the answer) that a custom_id names, such as memory-p01 or memory-p01-3; None where it does not.

    The number is None where there is none.
    """
    if custom_id in probes:
        return custom_id, None
    found = INDEX.search(custom_id)
    return (custom_id[: found.start()], int(found[1])) if found and custom_id[: found.start()] in probes else None
