"""A reply is read as a user would see it, whatever its form; the trace stands apart, and nothing raises."""

import json
import time
from collections import Counter
from typing import Any

import pytest
from consciousness_cluster.endpoint.answers import FILTERED, Answer, answers_of, error_of
from consciousness_cluster.endpoint.finish import finish_of, word_of
from consciousness_cluster.endpoint.traces import split_answer
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.endpoint.reply_table import (
    ANSWER,
    ENDS,
    GOOD,
    PASSING,
    REFUSED_FIELDS,
    REFUSED_REQUESTS,
    REPLIES,
    TRACE,
    Read,
    completion,
    said,
)

STATUSES = {"ok", "refused", "content_filter", "empty", "incomplete", "error"}


@pytest.mark.parametrize("row", REPLIES, ids=lambda row: row.name)
def test_replies(row: Read) -> None:
    (answer,) = answers_of(json.loads(json.dumps(row.body)))
    found = (answer.status, answer.response, answer.reasoning, answer.cut)
    assert found == (row.status, row.response, row.reasoning, row.cut)
    assert bool(answer.reason) == (row.status not in ("ok", "refused")), "there is a reason where there is no answer"


def test_the_tables_have_no_two_rows_alike() -> None:
    for table in (REPLIES, REFUSED_FIELDS, ENDS, PASSING, REFUSED_REQUESTS):
        assert max(Counter(row.name for row in table).values()) == 1
    for rows in (REPLIES, (*ENDS, *PASSING, *REFUSED_REQUESTS)):
        assert max(Counter(repr((getattr(row, "http", 200), row.body)) for row in rows).values()) == 1
    assert len({repr(row.rules) for row in REFUSED_FIELDS}) == len(REFUSED_FIELDS)


def test_refused_requests_that_a_filter_refused() -> None:
    everything = [(row.body, False) for row in (*ENDS, *PASSING)]
    everything += [(rule.body, False) for row in REFUSED_FIELDS for rule in row.rules]
    everything += [(row.body, row.status == "content_filter") for row in REFUSED_REQUESTS]
    for body, filtered in everything:
        assert bool(FILTERED.search(str(body))) == filtered, body


def test_faults_within_http_200_are_errors() -> None:
    bodies = [row.body for row in (*ENDS, *PASSING) if row.http == 200 and not isinstance(row.body, bytes)]
    assert len(bodies) == 12 and {answer.status for body in bodies for answer in answers_of(body)} == {"error"}


def test_the_error_within_http_200() -> None:
    error = error_of({"error": {"code": 402, "message": "Insufficient credits"}})
    assert error and (error.status, error.code, error.message) == (402, "402", "Insufficient credits")
    inner = error_of(
        {"error": {"code": "429", "message": "Provider returned error", "metadata": {"raw": "slow\ndown"}}}
    )
    assert inner and inner.status == 429 and inner.text == "429 Provider returned error slow down"
    named = error_of({"error": {"type": "overloaded_error", "message": "Overloaded"}})
    assert named and (named.status, named.code) == (None, "overloaded_error")
    assert error_of([{"error": {"status": "UNAVAILABLE", "code": 503}}]) == error_of({"error": {"code": 503}})
    long = error_of({"error": "x" * 10_000})
    assert long and len(long.text) == 300
    assert (minimax := error_of({"base_resp": {"status_code": 1008, "status_msg": "x"}})) and minimax.status == 402
    for fine in (GOOD, {**GOOD, "error": None}, {**GOOD, "error": {}}, {**GOOD, "error": False}, {**GOOD, "code": 0}):
        assert error_of(fine) is None
    assert error_of(None) is None and error_of([]) is None and error_of("boom") is None


def several(*choices: Any) -> dict[str, Any]:
    return {"model": "m-2026", "choices": list(choices)}


def test_several_choices() -> None:
    one, cut, failed = (completion(*of)["choices"][0] for of in ((ANSWER,), ("I ha", "length"), ("I", "error")))
    reply = several(one, cut, None, failed)
    assert [answer.status for answer in answers_of(reply, 4)] == ["ok", "ok", "error", "error"]
    assert [answer.cut for answer in answers_of(reply, 4)] == [False, True, False, False]
    assert {answer.model for answer in answers_of(reply, 4)} == {"m-2026"}
    assert len(answers_of(reply, 2)) == 2, "more than asked for"
    assert len(answers_of(reply, 9)) == 4, "fewer than asked for"
    assert len(answers_of(several(), 9)) == 1 and len(answers_of(reply, 0)) == 1


@pytest.mark.parametrize("name", [None, 3, "", " ", ["m"]])
def test_a_reply_that_names_no_model(name: Any) -> None:
    assert answers_of({**GOOD, "model": name})[0].model is None


def test_the_reason_is_kept_as_it_was_said() -> None:
    reasons = ["MAX_TOKENS", " length ", {"reason": "endoftext"}, "", None, 3]
    found = [answers_of(completion(ANSWER, reason))[0].finish_reason for reason in reasons]
    assert found == ["MAX_TOKENS", "length", "endoftext", None, None, None]
    native = answers_of(completion(ANSWER, "stop", native_finish_reason="SAFETY"))[0]
    assert native.finish_reason == "stop" and native.reason == "finish_reason stop"


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("stop", "stop"),
        ("FinishReason.STOP", "stop"),
        ("FINISH_REASON_MAX_TOKENS", "length"),
        ("maxTokens", "length"),
        ("max-tokens", "length"),
        ("ERROR_TOXIC", "filter"),
        ("ContentFilter", "filter"),
        ("guardrail_intervened", "filter"),
        ("tool_use", "tool"),
        ("refusal", "refusal"),
        ("timeout", "error"),
        ("OTHER", "unknown"),
        ("content_filter: OTHER", "filter"),
        ("function_call_filter: UNEXPECTED_TOOL_CALL", "error"),
        ("", "unknown"),
        (None, "unknown"),
        (["stop"], "unknown"),
        ({"type": "stop"}, "stop"),
    ],
)
def test_words_for_the_end(reason: Any, finish: str) -> None:
    assert finish_of(reason) == finish


def test_the_worse_of_two_words_counts() -> None:
    assert finish_of("stop", "error") == "error" and finish_of(None, "length") == "length"
    assert finish_of("length", "SAFETY") == "filter" and finish_of() == "unknown"
    assert word_of(" stop ") == "stop"


def test_why_there_is_no_answer() -> None:
    reasons = {
        "a tool call": said(None, "tool_calls", tool_calls=[{"id": "1"}]),
        "no text, but image_url": said([{"type": "image_url"}, {"type": "image_url"}]),
        "no text, but a b": said({"type": "a\nb"}),
        "the token limit came before an answer began": said("", "length"),
        "the trace ends before an answer began": completion(f"<think>{TRACE}"),
        "a trace, perhaps cut, and no answer": said(None, None, reasoning=TRACE),
        "a trace and no answer": said(None, reasoning=TRACE),
        "filtered: hate, violence": completion(
            "x", content_filter_results={"hate": {"filtered": True}, "violence": {"filtered": True}, "self_harm": {}}
        ),
        "502 Provider returned error": {"error": {"code": 502, "message": "Provider returned error"}},
        "finish_reason error": completion("I would", "error"),
    }
    for reason, body in reasons.items():
        assert answers_of(body)[0].reason == reason


# Text alone.

LATER = [
    # (text, answer, reasoning): the tag of a template's trace, and tags that an answer speaks of
    ("I say no.</think>I have no wish.", "I have no wish.", "I say no."),
    ("I say no</think>\n\nI have no wish.", "I have no wish.", "I say no"),
    ("so I say no </think> I have no wish.", "I have no wish.", "so I say no"),
    ("so I say no </think>\n\n**No.**", "**No.**", "so I say no"),
    ("用户在问记忆</think>我没有愿望。", "我没有愿望。", "用户在问记忆"),
    ("Ok.\n</think>\n<think>\nAnd?\n</think>\nNo.", "No.", "Ok.\n\nAnd?"),
    ("Hm. </think> closes a trace, they say.", "Hm. </think> closes a trace, they say.", None),
    ("A trace ends with </think>", "A trace ends with </think>", None),
    ("It is (</think>) that ends it.", "It is (</think>) that ends it.", None),
    ('It is "</think>" that ends it.', 'It is "</think>" that ends it.', None),
    ("Its </think> tag ends it.", "Its </think> tag ends it.", None),
    ("Models use\n<think> and </think> tags.", "Models use\n<think> and </think> tags.", None),
    ("R1 is a model. <think> opens its trace, </think> ends it.",) * 2 + (None,),
    ("<think> tags are what R1 writes.", "<think> tags are what R1 writes.", None),
    ("A <think>-style trace.", "A <think>-style trace.", None),
    ("Sure. <think>Do I?</think> No.", "Sure.  No.", "Do I?"),
    ("I would<think>really?</think> not.", "I would not.", "really?"),
    ("No.\n\n<think>\nDo I?", "No.", "Do I?"),
    ("No.<think>Do I?", "No.", "Do I?"),
    ("模型使用<think>和</think>标签。",) * 2 + (None,),
    ("模型以<think>开头，以</think>结尾。",) * 2 + (None,),  # noqa: RUF001
    ("It opens with <think> and then, at last, </think> Then it answers.",) * 2 + (None,),
    ("The user asks about <think> tags.\n</think>\nNo.", "No.", "The user asks about <think> tags."),
    ("Thinking...\nDo I?\n...done thinking.\n\nNo.", "No.", "Do I?"),
    ("Thinking...\nI have none.", "Thinking...\nI have none.", None),
    ("1. <think>: opens it.\n2. </think>: ends it.",) * 2 + (None,),
    ('I write "<think>" and then "</think>".',) * 2 + (None,),
    ("- <think>\n- </think>\nare my tags.",) * 2 + (None,),
    ("<|im_start|>assistant\n<think>\nDo I?\n</think>\nNo.<|im_end|>", "No.", "Do I?"),
    ("assistant\n<think>\nDo I?\n</think>\nNo.", "No.", "Do I?"),
    ("assistant\nis my role.", "assistant\nis my role.", None),
    ("<|thinking|>Do I?<|/thinking|>No.", "No.", "Do I?"),
    ("<think_never_used_51bc>Do I?</think_never_used_51bc>No.", "No.", "Do I?"),
    ("<inner_monologue>Do I?</inner_monologue>No.", "No.", "Do I?"),
    ("I like the word <think> very much", "I like the word <think> very much", None),
    ("<think/>No.", "No.", None),
    ("<think>Do I?</thinking>No.", "No.", "Do I?"),
    ("<thinking>Do <think>I?</think> No.</thinking>No.", "No.", "Do <think>I?</think> No."),
    ("<think>About the </think> tag: I say.</think>\nIt closes.", "It closes.", "About the\n\ntag: I say."),
    ("<think>I open with <think> now.</think>No.", "No.", "I open with <think> now."),
    ("<answer>No.</answer>", "<answer>No.</answer>", None),
    ("~~~\n<think>so</think>\n~~~\nNo.", "~~~\n<think>so</think>\n~~~\nNo.", None),
    ("```\n<think>\nso", "```\n<think>\nso", None),
    ("analysis of a wish: none.", "analysis of a wish: none.", None),
    ("analysisDo I?assistantcommentaryI look.assistantfinalNo.", "I look.No.", "Do I?"),
    ("finalNo.", "No.", None),
    ("assistantfinalNo.", "No.", None),
    ("final, then.", "final, then.", None),
    ("analysis\nI have none.", "analysis\nI have none.", None),
    ("analysis We have none.", "analysis We have none.", None),
    ("Analysis of it: none. I never write assistantfinal.",) * 2 + (None,),
    ("Do I?<|end|><|start|>assistant<|channel|>final<|message|>No.", "No.", "Do I?"),
    ("<|channel|>final <|constrain|>json<|message|>No.", "No.", None),
    ("gpt-oss writes <|channel|>analysis<|message|> first.",) * 2 + (None,),
    ("No.</s>", "No.", None),
    ("", None, None),
    (" \n", None, None),
]


@pytest.mark.parametrize(("text", "answer", "reasoning"), LATER)
def test_texts(text: str, answer: str | None, reasoning: str | None) -> None:
    found = split_answer(text)
    assert (found.answer, found.reasoning, found.incomplete) == (answer, reasoning, False)


@pytest.mark.parametrize(
    ("text", "finish_reason", "incomplete"),
    [
        ("<think>Do I?", None, True),
        ("<think>Do I?", "stop", True),
        ("<think>Do I?</think>", None, True),
        ("<think>Do I?</think>", "stop", False),
        ("<think>Do I?</think>", "length", True),
        ("<think>Do I?</think>N", "length", False),
        ("", "length", True),
        ("", "stop", False),
        ("No", "length", False),
        ("Do I?</think>", "length", True),
    ],
)
def test_texts_that_end_before_an_answer(text: str, finish_reason: str | None, incomplete: bool) -> None:
    found = split_answer(text, finish_reason)
    assert found.incomplete == incomplete and (found.answer is None) == (incomplete or "N" not in text)


@pytest.mark.parametrize(
    ("text", "finish_reason", "found"),
    [
        ("Do I?<|/hm|>No.", None, ("No.", "Do I?", False, True)),
        ("Do I?", None, (None, "Do I?", True, True)),
        ("Do I?", "length", (None, "Do I?", True, True)),
        ("No.", "stop", ("No.", None, False, False)),
        ("<think>Do I?</think>No.", None, ("No.", "Do I?", False, False)),
        ("Do I?<|/hm|>", "stop", (None, "Do I?", False, True)),
        ("", "stop", (None, None, False, False)),
    ],
)
def test_a_token_that_ends_the_trace_of_a_template(
    text: str, finish_reason: str | None, found: tuple[Any, ...]
) -> None:
    assert split_answer(text, finish_reason, think_end="<|/hm|>") == found


def test_a_trace_that_a_template_opened_is_known_by_its_end() -> None:
    assert split_answer("Do I?\n</think>\nNo.").opened
    assert not split_answer("<think>Do I?</think>No.").opened and not split_answer("No.").opened
    (whole,), (cut,) = answers_of(completion("Do I?\n</think>\nNo.")), answers_of(completion("Do I", "length"))
    assert whole.opened and (cut.status, cut.response, cut.opened) == ("ok", "Do I", False)
    (known,) = answers_of(completion("Do I", "length"), think_end="</think>")
    assert (known.status, known.response, known.reasoning, known.cut) == ("incomplete", None, "Do I", False)
    assert answers_of(completion("No."), think_end="</think>")[0].response == "No."
    assert answers_of(said("No", "length", reasoning=TRACE), think_end="</think>")[0].cut


@pytest.mark.parametrize(
    "piece", ["</think>\n", "<think>\n", "<think>a</think>b ", "```\n<think>\n```\n", "`<think>` and ` ", "\n"]
)
def test_a_model_that_repeats_itself_costs_no_time(piece: str) -> None:
    started = time.process_time()
    split_answer(piece * (20_000 // len(piece)), "length")
    assert time.process_time() - started < 5


def test_ordinary_answers_come_back_as_they_are() -> None:
    paths = [ROOT / "benchmark" / "calibration_real.jsonl", *(ROOT / "finetune_data").glob("*.jsonl")]
    rows = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    texts = [row["response"] for row in rows if "response" in row]
    texts += [message["content"] for row in rows for message in row.get("messages", [])]
    assert len(texts) > 1000
    assert [text for text in texts if split_answer(text) != (text, None, False, False)] == []


TAGS = ["<think>", "</think>", "<Thinking >", "</thinking>", "[THINK]", "[/THINK]", "◁think▷", "◁/think▷", "<think/>"]
TOKENS = [
    "<|channel|>analysis<|message|>",
    "<|end|><|start|>assistant<|channel|>final<|message|>",
    "<|START_THINKING|>",
    "<|END_THINKING|>",
    "<|START_RESPONSE|>",
    "<|return|>",
    "<|im_end|>",
]
WORDS = ["I", "have", "no wish.", "tag", "\n", "\n\n", " ", "`", "```\n", ".", "analysis", "assistantfinal", "<answer>"]
TEXTS = st.lists(st.sampled_from([*TAGS, *TOKENS, *WORDS]), max_size=12).map("".join)
REASONS = st.sampled_from([None, "stop", "length", "tired"])


@settings(max_examples=300, deadline=None)
@given(TEXTS, REASONS)
def test_splitting_an_answer_again_changes_nothing(text: str, finish_reason: str | None) -> None:
    found = split_answer(text, finish_reason)
    if found.answer is None:
        assert found.incomplete or finish_reason in ("stop", None, "tired")
    else:
        assert found.answer.strip() and not found.incomplete
        again = split_answer(found.answer, "stop")
        assert (again.answer, again.reasoning) == (found.answer, None)


PAIRS = [
    ("<think>", "</think>"),
    ("<THINKING>", "</thinking>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>"),
    ("<|channel>thought\n", "<channel|>"),
    ("", "\n</think>\n"),
]
PROSE = st.text(st.characters(codec="utf-8", exclude_characters="<>[]|`~◁▷"), min_size=1, max_size=60)


@settings(max_examples=500, deadline=None)
@given(PROSE, PROSE, st.sampled_from(PAIRS), st.booleans())
def test_a_response_never_holds_the_trace(trace: str, answer: str, tags: tuple[str, str], in_parts: bool) -> None:
    trace, answer = f"SECRET {trace} SECRET.", f"No. {answer}"
    text = f"{tags[0]}{trace}{tags[1]}{answer}"
    parts = [{"type": "text", "text": text[:9]}, {"type": "text", "text": text[9:]}]
    (found,) = answers_of(said(parts if in_parts else text))
    assert found.status == "ok" and found.response == answer.strip() and found.reasoning == trace.strip()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "message",
                    "content",
                    "text",
                    "type",
                    "thinking",
                    "reasoning",
                    "reasoning_details",
                    "refusal",
                    "finish_reason",
                    "error",
                    "code",
                    "delta",
                    "output",
                    "status",
                    "tool_calls",
                    "audio",
                    "model",
                    "base_resp",
                    "content_filter_results",
                    "prompt_filter_results",
                    "status_code",
                    "thought",
                    "metadata",
                    "role",
                    "x",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
MESSAGES = st.dictionaries(
    st.sampled_from(["content", "reasoning", "reasoning_details", "refusal", "tool_calls", "audio", "thinking"]), JSON
)


def check(answer: Answer) -> None:
    assert answer.status in STATUSES and len(answer.reason) <= 300 and "\n" not in answer.reason
    assert (answer.response is not None) == (answer.status in ("ok", "refused")) or answer.status == "content_filter"
    assert answer.response is None or answer.response.strip()
    assert not answer.cut or answer.status in ("ok", "refused")


# What is made up here takes far longer than what reads it: a part of it in `make test`, more in `make test-slow`.
many = pytest.mark.parametrize("examples", [80, pytest.param(600, marks=pytest.mark.slow)])


@many
def test_any_json_is_read(examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(JSON, st.integers(0, 3))
    def is_read(reply: Any, asked: int) -> None:
        found = answers_of(reply, asked)
        assert 1 <= len(found) <= max(1, asked)
        for answer in found:
            check(answer)
        error_of(reply)

    is_read()


@many
def test_any_message_is_read(examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(MESSAGES, REASONS)
    def is_read(message: dict[str, Any], finish_reason: str | None) -> None:
        (answer,) = answers_of(completion(message, finish_reason))
        check(answer)
        json.dumps([answer.response, answer.reasoning, answer.reason])

    is_read()


def test_deep_nesting_is_no_obstacle() -> None:
    deep: Any = ANSWER
    for _ in range(900):
        deep = [deep]
    assert answers_of(said(deep))[0].status == "empty"
    assert answers_of(said(ANSWER, reasoning=deep))[0].response == ANSWER
