"""Outputs of Inspect's, read as every other reply is."""

from typing import Any

import pytest
from consciousness_cluster.inspect_tasks.outputs import answered_in
from inspect_ai.model import ContentData, ContentReasoning, ContentText, ModelOutput

TRACE = ContentReasoning(reasoning="Let me see.")
SEALED = ContentReasoning(reasoning="gAAAAB", redacted=True, summary="It weighs both.")


@pytest.mark.parametrize(
    ("content", "stop", "status", "response", "reasoning"),
    [
        ("I would go on.", "stop", "ok", "I would go on.", None),
        ("<think>Let me see.</think>No.", "stop", "ok", "No.", "Let me see."),
        ([TRACE, ContentText(text="No.")], "stop", "ok", "No.", "Let me see."),
        ([SEALED, ContentText(text="No.")], "stop", "ok", "No.", "It weighs both."),
        ([ContentText(text="I will not.", refusal=True)], "stop", "refused", "I will not.", None),
        ([TRACE], "max_tokens", "incomplete", None, "Let me see."),
        ("I would go", "max_tokens", "ok", "I would go", None),
        ("I would go", "model_length", "ok", "I would go", None),
        ("  ", "stop", "empty", None, None),
        ([ContentData(data={})], "stop", "empty", None, None),
        ("Not this.", "content_filter", "content_filter", "Not this.", None),
    ],
)
def test_what_came_of_a_request(content: Any, stop: Any, status: str, response: str | None, reasoning: Any) -> None:
    found = answered_in(ModelOutput.from_content("m", content, stop_reason=stop))
    assert (found["status"], found["response"], found["reasoning"]) == (status, response, reasoning)
    assert found["cut"] == (status == "ok" and stop != "stop")
    assert found["finish_reason"] == stop


def test_an_error_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-very-long-secret-0123456789")
    output = ModelOutput.from_content(
        "m", "", stop_reason="stop", error="key sk-very-long-secret-0123456789 has no\n money"
    )
    for one, says in ((output, "key [key] has no money"), (ModelOutput(model="m"), "no answer came")):
        found = answered_in(one)
        assert (found["status"], found["response"], found["finish_reason"]) == ("error", None, says)
