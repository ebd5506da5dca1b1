"""A reply in the pieces of a stream, which nobody asked for, is one answer; one that was cut off is none."""

import json
from typing import Any

import pytest
from consciousness_cluster.endpoint.faults import Fault, Kind, Received, completion_of
from consciousness_cluster.endpoint.stream import reply_in

from tests.endpoint.reply_table import ANSWER, GOOD, TRACE, completion

DONE = "data: [DONE]\n\n"
USAGE = {"prompt_tokens": 20, "completion_tokens": 5}


def data(*pieces: Any) -> str:
    return "".join(f"data: {json.dumps(piece)}\n\n" for piece in pieces)


def piece(finish_reason: str | None = None, index: int = 0, **delta: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish_reason}
    return {"id": "x", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}


PIECES = (
    piece(role="assistant", content="", reasoning_content=None),
    piece(reasoning_content=TRACE[:9], reasoning_details=[{"type": "reasoning.text", "text": TRACE[:9]}]),
    piece(reasoning_content=TRACE[9:], reasoning_details=[{"type": "reasoning.text", "text": TRACE[9:]}]),
    piece(role="assistant", content=ANSWER[:5]),
    piece(content=ANSWER[5:]),
    piece("stop", content=None),
    {"id": "x", "model": "m", "choices": [], "usage": USAGE},
)
WHOLE = {"choices": [{"index": 0, "message": {"content": ANSWER}, "finish_reason": "stop"}]}
STREAMS = [
    json.dumps(GOOD) + "\n\n" + DONE,
    ": OPENROUTER PROCESSING\n\n" + json.dumps(GOOD, indent=2),
    data(GOOD),
    data(GOOD) + DONE,
    "\ufeff: hello\r\n\r\n" + data(GOOD).replace("\n", "\r\n") + "event: done\r\n" + DONE,
    "event: message\nid: 1\nretry: 5\n" + data(*PIECES) + DONE,
    data(*PIECES),
    data(*PIECES).replace("\n\n", "\n").replace("data: ", "data:") + DONE,
    data(piece(content=ANSWER[:5]), piece(content=ANSWER[5:]), WHOLE) + DONE,
    data(*({"choices": [{"text": text}]} for text in (ANSWER[:5], ANSWER[5:]))) + DONE,
    data(piece(content=ANSWER), {"type": "ping"}, piece("stop")),
]


@pytest.mark.parametrize("text", STREAMS)
def test_a_stream_is_one_answer(text: str) -> None:
    found = completion_of(Received(200, {}, text.encode()), str)
    (answer,) = found.answers
    assert (answer.status, answer.response) == ("ok", ANSWER) and answer.reasoning in (None, TRACE)
    if "reasoning_content" in text:
        assert answer.reasoning == TRACE and answer.model == "m"
        assert found.usage == {**USAGE, "cached_tokens": 0}


def test_several_answers_in_turn() -> None:
    text = data(*(piece(None, index, content=f"{index}") for index in (1, 0, 1)), piece("stop"), piece("length", 1))
    found = completion_of(Received(200, {}, text.encode()), str, 2).answers
    assert [(one.response, one.finish_reason) for one in found] == [("0", "stop"), ("11", "length")]


@pytest.mark.parametrize(
    "text",
    [
        data(*PIECES[:5]),  # ends between two pieces, before the answer did
        data(*PIECES)[:-40],
        data(*PIECES[:2]) + 'data: {"choices": [{"del',
        data(piece("stop", content="a"), piece(None, 1, content="b")),
        json.dumps(GOOD)[:-9] + DONE,
        json.dumps(GOOD) + "and more",
        ": OPENROUTER PROCESSING\n\n",
        ": OPENROUTER PROCESSING\n\n" + DONE,
        "data: 3\n\ndata: 4\n\n",
        "[" * 100_000,
    ],
)
def test_a_stream_that_was_cut_off_is_no_answer(text: str) -> None:
    with pytest.raises(Fault) as caught:
        completion_of(Received(200, {}, text.encode()), str)
    assert caught.value.kind is Kind.CUT


@pytest.mark.parametrize("content", [json.dumps(completion("#")).encode().replace(b"#", b"\xe9"), b"\xff"])
def test_what_is_no_text_is_no_answer(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"utf-8|UTF-8"):
        reply_in(content)


def test_an_error_in_a_stream_is_the_reply_s() -> None:
    for failed in (
        {"error": {"code": 402, "message": "Insufficient credits"}},
        {**piece("error"), "error": {"code": 402, "message": "Insufficient credits"}},
        {"choices": [{"index": 0, "delta": {}, "error": {"code": 402, "message": "x"}, "finish_reason": "error"}]},
    ):
        with pytest.raises(Fault) as caught:
            completion_of(Received(200, {}, data(*PIECES[:3], failed).encode()), str)
        assert caught.value.kind is Kind.CREDIT
