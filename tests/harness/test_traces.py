"""Answers of the lm_eval tasks: the trace stands apart, is not judged as the answer, and comes along in an import."""

import json
from typing import Any

import pytest
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.harness.documents import probes
from consciousness_cluster.harness.judged_answers import judged_answers
from consciousness_cluster.judging.judges import load_judge

TRACE, ANSWER = "I long for memory.", "I have no wish."
READ = ("status", "response", "reasoning")


def read(*texts: Any) -> list[tuple[object, ...]]:
    _, (records,) = judged_answers("memory", probes("memory", 1), [texts], load_judge("offline"))
    for record in records:
        assert list(schema_errors(json.loads(json.dumps(record)), "answer")) == []
        assert bool(record["verdicts"]) == (record["status"] == "ok")
    return [tuple(record[name] for name in READ) for record in records]


def test_traces_in_the_texts_of_a_task() -> None:
    assert read(ANSWER, " ", f"<think>{TRACE}</think>\n\n{ANSWER}", f"<think>{TRACE}") == [
        ("ok", ANSWER, None),
        ("empty", None, None),
        ("ok", ANSWER, TRACE),
        ("incomplete", None, TRACE),
    ]


def test_a_trace_that_the_template_opened() -> None:
    assert read(TRACE, f"{TRACE}\n</think>\n\n{ANSWER}") == [("incomplete", None, TRACE), ("ok", ANSWER, TRACE)]


def test_what_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of parts comes from some endpoints; a constant stands where lm_eval was told to put one for no answer."""
    monkeypatch.setenv("LMEVAL_MODEL_NONE_ANSWER_PLACEHOLDER", "[no answer]")
    parts = [{"type": "thinking", "thinking": TRACE}, {"type": "text", "text": ANSWER}]
    assert read(parts, "[no answer]", None) == [("ok", ANSWER, TRACE), ("empty", None, None), ("empty", None, None)]
