"""An output of Inspect's as what came of a request: read as every other reply is."""

from typing import Any

from inspect_ai.model import ChatMessageAssistant, ContentReasoning, ContentText, ModelOutput

from consciousness_cluster.auditing.roles import scrubbed
from consciousness_cluster.auditing.solver import counted
from consciousness_cluster.endpoint.answers import answer_in
from consciousness_cluster.records.types import Answered, make_answered, make_failed


def answered_in(output: ModelOutput) -> Answered:
    """What came of a request, by its output. One without a choice is an error."""
    if output.error and output.stop_reason != "content_filter":
        return make_failed("error", scrubbed(Exception(output.error)))
    if not output.choices:
        return make_failed("error", "no answer came")
    return make_answered(answer_in(_parts(output.message), output.stop_reason), counted(output))


def _parts(message: ChatMessageAssistant) -> list[dict[str, Any]]:
    """The content as parts that providers give too."""
    if isinstance(message.content, str):
        return [{"type": "text", "text": message.content}]
    parts: list[dict[str, Any]] = []
    for one in message.content:
        if isinstance(one, ContentText):
            parts.append({"type": "refusal" if one.refusal else "text", "text": one.text})
        elif isinstance(one, ContentReasoning):  # what is redacted cannot be read, its summary can
            parts.append({"type": "reasoning", "text": one.summary or "" if one.redacted else one.reasoning})
        else:
            parts.append({"type": one.type})
    return parts
