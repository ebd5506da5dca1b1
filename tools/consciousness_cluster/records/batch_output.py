"""Lines of a provider's batch output, as people keep them: OpenAI's and who has its form, and Anthropic's."""

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from consciousness_cluster.endpoint.answers import Answer, answers_of
from consciousness_cluster.endpoint.replies import usage_of

INDEX = re.compile(r"[-_.:/#|@ ]+(?:(?:sample|s|n|i|r|rep|repeat)[-_]?)?(\d+)$", re.IGNORECASE)  # after a probe's id
OK = 200


class Line(NamedTuple):
    """The answers of one line, in their order, and what they used together."""

    custom_id: str
    answers: list[Answer]
    usage: dict[str, int] | None


def is_batch_line(row: Mapping[str, Any]) -> bool:
    """Whether a row is of an output or error file."""
    return "custom_id" in row and any(name in row for name in ("response", "error", "result"))


def read_batch_line(row: Mapping[str, Any]) -> Line:
    """What a line says; one without a reply is one answer, whose status says what kind of failure it was."""
    body = _body(row)
    choices = body.get("choices")
    asked = len(choices) if isinstance(choices, list) else 1
    counted = (
        isinstance(body.get("usage"), dict) and "prompt_tokens" in body["usage"]
    )  # Anthropic's are named otherwise
    return Line(str(row["custom_id"]), answers_of(body, asked), usage_of(body) if counted else None)


def _body(row: Mapping[str, Any]) -> dict[str, Any]:
    """The reply, or an error in the form that a provider puts into one."""
    response, result = row.get("response"), row.get("result")
    if isinstance(result, Mapping):  # Anthropic's
        message = result.get("message")
        if isinstance(message, dict):
            return message
        return {"error": result.get("error") or {"message": str(result.get("type") or "no answer")}}
    body = response.get("body") if isinstance(response, Mapping) else None
    if isinstance(body, dict) and response is not None and response.get("status_code", OK) == OK:
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
