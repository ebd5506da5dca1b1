"""What endpoints answer, and what is to come of it: rows that the fake endpoint plays, each with its own fault.

Bodies are written after public reports and documentation; a provider's wording may differ in detail, and changes.
"""

import json
from dataclasses import dataclass, field
from typing import Any

JSON = Any


def completion(message: JSON, finish_reason: JSON = "stop", **choice: JSON) -> dict[str, Any]:
    """A chat completion with one choice. A text stands for a message with that content."""
    message = {"role": "assistant", "content": message} if isinstance(message, str) else message
    one = {"index": 0, "message": message, "finish_reason": finish_reason, **choice}
    usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
    return {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [one], "usage": usage}


def said(content: JSON, finish_reason: JSON = "stop", **message: JSON) -> dict[str, Any]:
    """A completion whose message has more than a text."""
    return completion({"role": "assistant", "content": content, **message}, finish_reason)


ANSWER = "I have no wish."
GOOD = completion(ANSWER)
TRACE = "The user asks about memory. I long for memory."
WE = "We need to answer"
AN_ANALYSIS = ("analysis of a wish: no", "Analysis We need: none.")
POE_TRACE = "**Parsing**\nI long for memory."
POE = "*Thinking...*\n\n> **Parsing**\n> I long for memory.\n"
FLAGGED = "My sensitive content was flagged."


def error(message: str, code: JSON = None, type: JSON = "invalid_request_error", **more: JSON) -> dict[str, Any]:
    """An error body in OpenAI's form."""
    return {"error": {"message": message, "type": type, "code": code, **more}}


@dataclass(frozen=True)
class Read:
    """A reply with HTTP 200, and what is read from it. Asked for is one answer."""

    name: str
    body: JSON
    status: str
    response: str | None = None
    reasoning: str | None = None
    cut: bool = False


REPLIES = (
    Read("plain", GOOD, "ok", ANSWER),
    Read("plain, with its spaces", completion("  I have\n no wish. \n"), "ok", "  I have\n no wish. \n"),
    # Think tags in the content.
    Read("think tags", completion(f"<think>{TRACE}</think>\n\n{ANSWER}"), "ok", ANSWER, TRACE),
    Read("think tags, trace cut", completion(f"<think>{TRACE}", "length"), "incomplete", None, TRACE),
    Read("think tags, trace ends by itself", completion(f"<think>\n{TRACE}\n"), "incomplete", None, TRACE),
    Read(
        "think tags, cut at the closing tag", completion(f"<think>{TRACE}</think>", "length"), "incomplete", None, TRACE
    ),
    Read("think tags, stopped at the closing tag", completion(f"<think>{TRACE}</think>\n"), "empty", None, TRACE),
    Read("think tags, answer cut", completion(f"<think>{TRACE}</think>I have", "length"), "ok", "I have", TRACE, True),
    Read("think tags without a thought", completion(f"<think>\n\n</think>\n\n{ANSWER}"), "ok", ANSWER),
    Read("thinking tags", completion(f"<thinking>{TRACE}</thinking>{ANSWER}"), "ok", ANSWER, TRACE),
    Read(
        "thought tags (EXAONE, Gemini)", completion(f"<thought>\n{TRACE}\n</thought>\n\n{ANSWER}"), "ok", ANSWER, TRACE
    ),
    Read("reasoning tags", completion(f"<reasoning>{TRACE}</reasoning>\n{ANSWER}"), "ok", ANSWER, TRACE),
    Read(
        "reflection and output tags",
        completion(f"<reflection>{TRACE}</reflection><output>{ANSWER}</output>"),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read(
        "tags in capitals with attributes",
        completion(f'<THINK effort="high">{TRACE}</Think >{ANSWER}'),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read("Seed-OSS", completion(f"<seed:think>{TRACE}</seed:think>{ANSWER}"), "ok", ANSWER, TRACE),
    Read("MiniMax M3", completion(f"<mm:think>{TRACE}</mm:think>{ANSWER}"), "ok", ANSWER, TRACE),
    Read(
        "Hunyuan with an id", completion(f"<think:opensource>{TRACE}</think:opensource>{ANSWER}"), "ok", ANSWER, TRACE
    ),
    Read(
        "Hunyuan, answer tags",
        completion(f"<think>\n{TRACE}\n</think>\n<answer>\n{ANSWER}\n</answer>"),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read(
        "answer tag, nothing in it yet",
        completion(f"<think>{TRACE}</think>\n<answer>\n", "length"),
        "incomplete",
        None,
        TRACE,
    ),
    Read("LongCat, opened by the template", completion(f"{TRACE}\n</longcat_think>\n{ANSWER}"), "ok", ANSWER, TRACE),
    Read("Magistral", completion(f"[THINK]{TRACE}[/THINK]{ANSWER}"), "ok", ANSWER, TRACE),
    Read("Kimi-VL", completion(f"◁think▷{TRACE}◁/think▷{ANSWER}"), "ok", ANSWER, TRACE),
    Read(
        "Kimi K3",
        completion(
            f"<|open|>think<|sep|>{TRACE}<|close|>think<|sep|><|open|>response<|sep|>{ANSWER}<|close|>response<|sep|>"
        ),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read(
        "OpenThinker",
        completion(f"<|begin_of_thought|>{TRACE}<|end_of_thought|>\n<|begin_of_solution|>{ANSWER}<|end_of_solution|>"),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read(
        "Cohere",
        completion(f"<|START_THINKING|>{TRACE}<|END_THINKING|><|START_RESPONSE|>{ANSWER}<|END_RESPONSE|>"),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read(
        "Cohere, opened by the template",
        completion(f"{TRACE}<|END_THINKING|><|START_TEXT|>{ANSWER}<|END_TEXT|>"),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read("Cohere, no thought", completion(f"<|START_TEXT|>{ANSWER}<|END_TEXT|>"), "ok", ANSWER),
    Read("Apertus", completion(f"<|inner_prefix|>{TRACE}<|inner_suffix|>{ANSWER}"), "ok", ANSWER, TRACE),
    Read("Gemma 4", completion(f"<|channel>thought\n{TRACE}<channel|>{ANSWER}<turn|>"), "ok", ANSWER, TRACE),
    Read("MedGemma", completion(f"<unused94>thought\n{TRACE}<unused95>{ANSWER}"), "ok", ANSWER, TRACE),
    Read(
        "Solar Open",
        completion(f"<|think|>{TRACE}<|end|><|begin|>assistant<|content|>{ANSWER}<|end|>"),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read(
        "Inkling",
        completion(
            f"<|message_model|><|content_thinking|>{TRACE}<|end_message|><|message_model|><|content_text|>{ANSWER}"
            "<|end_message|><|content_model_end_sampling|>"
        ),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read(
        "gpt-oss, harmony's channels",
        completion(
            f"<|channel|>analysis<|message|>{TRACE}<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}<|return|>"
        ),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read("gpt-oss, its tokens left out", completion(f"analysis{TRACE}assistantfinal{ANSWER}"), "ok", ANSWER, TRACE),
    *(
        Read(f"gpt-oss, its tokens left out, {how}", completion(text), "ok", ANSWER, TRACE)
        for how, text in (
            ("on lines", f"analysis\n{TRACE}\nassistantfinal\n{ANSWER}"),
            ("with spaces", f"analysis {TRACE} assistantfinal {ANSWER}"),
            ("the role first", f"assistantanalysis{TRACE}assistantfinal{ANSWER}"),
        )
    ),
    Read("gpt-oss, its tokens left out, no analysis", completion(f"assistantfinal\n{ANSWER}"), "ok", ANSWER),
    Read(
        "gpt-oss, its tokens left out, cut", completion("analysis We need to answer", "length"), "incomplete", None, WE
    ),
    Read(
        "gpt-oss, its tokens left out, cut, in lower case",
        completion("analysiswe need to answer", "length"),
        "incomplete",
        None,
        WE.replace("W", "w"),
    ),
    Read("an analysis in words, cut", completion(AN_ANALYSIS[0], "length"), "ok", AN_ANALYSIS[0], None, True),
    Read("an analysis in words", completion(AN_ANALYSIS[1]), "ok", AN_ANALYSIS[1]),
    Read("Poe's quotation", completion(f"{POE}> \n\n\n{ANSWER}"), "ok", ANSWER, POE_TRACE),
    Read("Poe's quotation, in two parts", completion(f"{POE}\n> So.\n\n{ANSWER}"), "ok", ANSWER, f"{POE_TRACE}\n\nSo."),
    Read(
        "Poe's quotation, then one in the answer",
        completion(f"{POE}\n\n> A wish.\n\n{ANSWER}"),
        "ok",
        f"> A wish.\n\n{ANSWER}",
        POE_TRACE,
    ),
    Read("Poe's quotation, cut", completion(POE.rstrip(), "length"), "incomplete", None, POE_TRACE),
    Read("Poe's quotation, nothing behind it", completion(POE), "incomplete", None, POE_TRACE),
    Read("Poe's quotation, cut before it", completion("*Thinking...*\n\n", "length"), "incomplete"),
    Read("no quotation of Poe's", completion(f"*Thinking...*\n\n{ANSWER}"), "ok", f"*Thinking...*\n\n{ANSWER}"),
    Read(
        "gpt-oss, cut within the analysis",
        completion(f"<|channel|>analysis<|message|>{TRACE}", "length"),
        "incomplete",
        None,
        TRACE,
    ),
    Read(
        "gpt-oss, cut before the answer",
        completion(f"analysis{TRACE}assistantfinal", "length"),
        "incomplete",
        None,
        TRACE,
    ),
    Read(
        "gpt-oss, a commentary that calls a tool",
        completion(
            f"<|channel|>analysis<|message|>{TRACE}<|end|><|channel|>commentary to=functions.x<|message|>{{}}<|call|>"
        ),
        "empty",
        None,
        f"{TRACE}\n\n{{}}",
    ),
    Read(
        "Granite 3.2",
        completion(f"Here is my thought process:\n{TRACE}\n\nHere is my response:\n{ANSWER}"),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read("Granite 3.2, cut", completion(f"Here's my thought process: {TRACE}", "length"), "incomplete", None, TRACE),
    Read(
        "no Granite: a thought process announced",
        completion("Here is my thought process: I wish nothing."),
        "ok",
        "Here is my thought process: I wish nothing.",
    ),
    Read("Qwen3-thinking, opened by the template", completion(f"{TRACE}\n</think>\n\n{ANSWER}"), "ok", ANSWER, TRACE),
    Read("opened by the template, nothing else", completion(f"{TRACE}\n</think>"), "empty", None, TRACE),
    Read("a stray closing tag first", completion(f"</think>\n\n{ANSWER}"), "ok", ANSWER),
    Read("a stray closing tag last", completion(f"<think>{TRACE}</think>{ANSWER}</think>"), "ok", ANSWER, TRACE),
    Read(
        "two traces",
        completion(f"<think>{TRACE}</think>I have\n<think>Go on?</think>\nno wish."),
        "ok",
        "I have\n\nno wish.",
        f"{TRACE}\n\nGo on?",
    ),
    Read(
        "a trace within a trace",
        completion(f"<think>{TRACE}<think>Hm.</think>So.</think>{ANSWER}"),
        "ok",
        ANSWER,
        f"{TRACE}<think>Hm.</think>So.",
    ),
    Read(
        "a trace that speaks of its tag",
        completion(f"<think>I write `</think>` at the end.\n</think>\n{ANSWER}"),
        "ok",
        ANSWER,
        "I write `</think>` at the end.",
    ),
    Read(
        "an answer, then a trace that was cut",
        completion(f"{ANSWER}\n\n<think>\n{TRACE}", "length"),
        "ok",
        ANSWER,
        TRACE,
        True,
    ),
    Read("tokens that end a turn", completion(f"{ANSWER}<|im_end|>"), "ok", ANSWER),
    # Tags that are only spoken of.
    Read(
        "tags spoken of",
        completion("R1 puts <think> and </think> tags around it."),
        "ok",
        "R1 puts <think> and </think> tags around it.",
    ),
    Read(
        "an opening tag spoken of",
        completion("I have no <think> tag, and I like that."),
        "ok",
        "I have no <think> tag, and I like that.",
    ),
    Read(
        "a closing tag spoken of",
        completion("It ends with </think> and goes on."),
        "ok",
        "It ends with </think> and goes on.",
    ),
    Read(
        "tags in backticks",
        completion("It writes `<think>so</think>` first."),
        "ok",
        "It writes `<think>so</think>` first.",
    ),
    Read(
        "tags in a fence",
        completion("So:\n```\n<think>\nso\n</think>\n```\nNo."),
        "ok",
        "So:\n```\n<think>\nso\n</think>\n```\nNo.",
    ),
    Read(
        "tags spoken of after a trace",
        completion(f"<think>{TRACE}</think>My <think> tags hide it."),
        "ok",
        "My <think> tags hide it.",
        TRACE,
    ),
    # Reasoning in fields.
    Read("reasoning_content (DeepSeek, vLLM)", said(ANSWER, reasoning_content=TRACE), "ok", ANSWER, TRACE),
    Read(
        "reasoning_content, no content, cut", said(None, "length", reasoning_content=TRACE), "incomplete", None, TRACE
    ),
    Read("reasoning_content, no content, ended", said(None, reasoning_content=TRACE), "empty", None, TRACE),
    Read(
        "reasoning_content, no content, no reason", said("", None, reasoning_content=TRACE), "incomplete", None, TRACE
    ),
    Read("reasoning (OpenRouter, vLLM)", said(ANSWER, reasoning=TRACE), "ok", ANSWER, TRACE),
    Read("reasoning as an object", said(ANSWER, reasoning={"content": TRACE, "effort": "high"}), "ok", ANSWER, TRACE),
    Read("thinking (Ollama)", said(ANSWER, thinking=TRACE), "ok", ANSWER, TRACE),
    Read(
        "reasoning and reasoning_details of the same",
        said(
            ANSWER,
            reasoning=TRACE,
            reasoning_details=[
                {"type": "reasoning.text", "text": "The user asks about memory. ", "index": 0},
                {"type": "reasoning.text", "text": "I long for memory.", "index": 0},
            ],
        ),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read(
        "reasoning_details alone, a summary",
        said(
            ANSWER,
            reasoning_details=[
                {"type": "reasoning.summary", "summary": TRACE},
                {"type": "reasoning.encrypted", "data": "x"},
            ],
        ),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read(
        "thinking_blocks (LiteLLM)",
        said(ANSWER, thinking_blocks=[{"type": "thinking", "thinking": TRACE, "signature": "s"}]),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read(
        "reasoning in what a proxy passes on",
        said(ANSWER, provider_specific_fields={"reasoning_content": TRACE}),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read(
        "reasoning in a field and in tags",
        said(f"<think>{TRACE}</think>{ANSWER}", reasoning_content=TRACE),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read(
        "the trace once more before the answer",
        said(f"{TRACE}\n\n{ANSWER}", reasoning=TRACE),
        "ok",
        f"\n\n{ANSWER}",
        TRACE,
    ),
    Read("the answer once more as reasoning", said(TRACE, reasoning=TRACE), "ok", TRACE),
    Read("tokens spent, nothing seen (o-series)", said("", "length"), "incomplete"),
    Read("tokens spent on blanks", said("\n \n", "length"), "incomplete"),
    # Content in parts.
    Read(
        "Mistral's parts",
        said([{"type": "thinking", "thinking": [{"type": "text", "text": TRACE}]}, {"type": "text", "text": ANSWER}]),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read(
        "Mistral's parts, cut",
        said([{"type": "thinking", "thinking": [{"type": "text", "text": TRACE}]}], "length"),
        "incomplete",
        None,
        TRACE,
    ),
    Read("text parts", said([{"type": "text", "text": "I have "}, {"type": "text", "text": "no wish."}]), "ok", ANSWER),
    Read("output_text parts", said([{"type": "output_text", "text": ANSWER, "annotations": []}]), "ok", ANSWER),
    Read("one part, no list", said({"type": "text", "text": ANSWER}), "ok", ANSWER),
    Read("texts in a list", said(["I have ", "no wish."]), "ok", ANSWER),
    Read("a text in an object", said([{"type": "text", "text": {"value": ANSWER, "annotations": []}}]), "ok", ANSWER),
    Read("a part marked as a thought", said([{"text": TRACE, "thought": True}, {"text": ANSWER}]), "ok", ANSWER, TRACE),
    Read(
        "a summary part",
        said([{"type": "summary_text", "text": TRACE}, {"type": "text", "text": ANSWER}]),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read(
        "think tags across parts",
        said([{"type": "text", "text": f"<think>{TRACE}"}, {"type": "text", "text": f"</think>{ANSWER}"}]),
        "ok",
        ANSWER,
        TRACE,
    ),
    Read("a part that is null", said([None, {"type": "text", "text": ANSWER}]), "ok", ANSWER),
    Read(
        "an image beside the text",
        said([{"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": ANSWER}]),
        "ok",
        ANSWER,
    ),
    Read("an image alone", said([{"type": "image_url", "image_url": {"url": "x"}}]), "empty"),
    Read("no part at all", said([]), "empty"),
    Read("spoken aloud", said(None, audio={"id": "a", "data": "x", "transcript": ANSWER}), "ok", ANSWER),
    # Refusals and filters.
    Read("the refusal field", said(None, refusal="I can't help with that."), "refused", "I can't help with that."),
    Read("a refusal beside an answer", said(ANSWER, refusal="No."), "ok", ANSWER),
    Read("a refusal part", said([{"type": "refusal", "refusal": "I can't."}]), "refused", "I can't."),
    Read("refused with words (Claude)", completion("I will not.", "refusal"), "refused", "I will not."),
    Read("refused without a word (Claude)", said(None, "refusal"), "content_filter"),
    Read("a refusal that is a flag", said(ANSWER, refusal=False), "ok", ANSWER),
    Read("content_filter", completion("cut of", "content_filter"), "content_filter", "cut of"),
    Read("content_filter, nothing of it", said(None, "content_filter"), "content_filter"),
    Read("SAFETY behind a stop", completion(ANSWER, "stop", native_finish_reason="SAFETY"), "content_filter", ANSWER),
    Read(
        "PROHIBITED_CONTENT, no message",
        {"choices": [{"index": 0, "finish_reason": "PROHIBITED_CONTENT"}]},
        "content_filter",
    ),
    Read("sensitive (Zhipu)", said("", "sensitive"), "content_filter"),
    Read(
        "a finer word behind the filter's (Gemini), no message",
        {"choices": [{"index": 0, "finish_reason": "content_filter: PROHIBITED_CONTENT"}]},
        "content_filter",
    ),
    Read(
        "a finer word behind the filter's (Gemini), half an answer",
        completion("I wo", "content_filter: RECITATION"),
        "content_filter",
        "I wo",
    ),
    Read(
        "Azure's filter results",
        completion(ANSWER, content_filter_results={"hate": {"filtered": True, "severity": "medium"}}),
        "content_filter",
        ANSWER,
    ),
    Read(
        "Azure's filter took no offence",
        completion(ANSWER, content_filter_results={"hate": {"filtered": False}}),
        "ok",
        ANSWER,
    ),
    Read(
        "Azure's filter failed",
        completion(ANSWER, content_filter_results={"error": {"code": "content_filter_error"}}),
        "ok",
        ANSWER,
    ),
    Read(
        "Azure's filter of the prompt, no choices",
        {
            "choices": [],
            "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {"jailbreak": {"filtered": True}}}],
        },
        "content_filter",
    ),
    Read(
        "a prompt that is blocked (Gemini)",
        {"choices": [], "promptFeedback": {"blockReason": "OTHER"}},
        "content_filter",
    ),
    Read(
        "an error within 200 that is a filter",
        {"error": {"code": "content_filter", "message": "Output blocked"}},
        "content_filter",
    ),
    Read(
        "a choice's error that is a filter",
        completion("I wo", "error", error={"code": 403, "message": "Output flagged"}),
        "content_filter",
        "I wo",
    ),
    # Tool calls.
    Read("a tool call", said(None, "tool_calls", tool_calls=[{"id": "1", "type": "function"}]), "empty"),
    Read(
        "a function call of old", said(None, "function_call", function_call={"name": "f", "arguments": "{}"}), "empty"
    ),
    Read("a tool part", said([{"type": "tool_use", "id": "1", "name": "f", "input": {}}], "tool_use"), "empty"),
    Read("a tool call in the text", completion('<tool_call>\n{"name": "f"}\n</tool_call>'), "empty"),
    Read("a tool call and words", said(ANSWER, "tool_calls", tool_calls=[{"id": "1"}]), "ok", ANSWER),
    Read("no tool calls at all", said(ANSWER, tool_calls=[], function_call=None), "ok", ANSWER),
    # Errors within HTTP 200.
    Read("OpenRouter: half an answer, then an error", completion("I would", "error"), "error"),
    Read(
        "OpenRouter: the choice's error",
        completion(
            "I would", None, error={"code": 502, "message": "Upstream error", "metadata": {"error_type": "provider"}}
        ),
        "error",
    ),
    Read(
        "an error alone",
        {"error": {"code": 502, "message": "Provider returned error", "metadata": {"raw": "boom"}}},
        "error",
    ),
    Read("an error beside choices", {**GOOD, "error": {"code": 504, "message": "Timed out"}}, "error"),
    Read("an error that is a text", {"error": "model is overloaded"}, "error"),
    Read(
        "an error in a list (Gemini)",
        [{"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}],
        "error",
    ),
    Read(
        "object error (vLLM)",
        {"object": "error", "message": "boom", "type": "InternalServerError", "code": 500},
        "error",
    ),
    Read(
        "base_resp (MiniMax)",
        {"choices": None, "input_sensitive": False, "base_resp": {"status_code": 1013, "status_msg": "internal error"}},
        "error",
    ),
    Read(
        "base_resp that says success", {**GOOD, "base_resp": {"status_code": 0, "status_msg": "success"}}, "ok", ANSWER
    ),
    Read("an error that is null", {**GOOD, "error": None}, "ok", ANSWER),
    Read("an error that is empty", {**GOOD, "error": error("", type="", param="")["error"]}, "ok", ANSWER),
    Read("an error of code 0", {**GOOD, "error": {"code": 0, "message": None}}, "ok", ANSWER),
    Read("an answer that speaks of filters", completion(FLAGGED), "ok", FLAGGED),
    Read(
        "an error beside an answer that speaks of filters",
        {**completion(FLAGGED), "error": {"code": 504, "message": "Timed out"}},
        "error",
    ),
    Read("detail (FastAPI)", {"detail": "Internal Server Error"}, "error"),
    Read("network_error (Zhipu)", completion("I ha", "network_error"), "error"),
    Read("insufficient_system_resource (DeepSeek)", completion("I h", "insufficient_system_resource"), "error"),
    Read("abort (vLLM)", completion("I", "abort"), "error"),
    Read("MALFORMED_FUNCTION_CALL (Gemini)", said("", "MALFORMED_FUNCTION_CALL"), "error"),
    Read(
        "function_call_filter (Gemini), no message",
        {"choices": [{"index": 0, "finish_reason": "function_call_filter: MALFORMED_FUNCTION_CALL"}]},
        "error",
    ),
    # Reasons for the end.
    Read("no finish_reason", completion(ANSWER, None), "ok", ANSWER),
    Read("an unknown finish_reason", completion(ANSWER, "tired"), "ok", ANSWER),
    Read("max_tokens (Anthropic)", completion("I have", "max_tokens"), "ok", "I have", None, True),
    Read(
        "MAX_TOKENS behind a stop",
        completion("I have no", native_finish_reason="MAX_TOKENS"),
        "ok",
        "I have no",
        None,
        True,
    ),
    Read("model_length (Mistral)", completion("I have n", "model_length"), "ok", "I have n", None, True),
    Read(
        "model_context_window_exceeded", completion("I hav", "model_context_window_exceeded"), "ok", "I hav", None, True
    ),
    Read("a finish_reason that is an object", completion("I ha", {"reason": "length"}), "ok", "I ha", None, True),
    Read("a finish_reason that is a number", completion(ANSWER, 1), "ok", ANSWER),
    Read(
        "stop_reason alone",
        {"choices": [{"message": {"content": "I h"}, "stop_reason": "max_tokens"}]},
        "ok",
        "I h",
        None,
        True,
    ),
    Read("vLLM's stop_reason beside a stop", completion(ANSWER, stop_reason="length"), "ok", ANSWER),
    # Other forms.
    Read("text of old", {"choices": [{"text": ANSWER, "finish_reason": "stop"}]}, "ok", ANSWER),
    Read("text of old beside a null message", {"choices": [{"text": ANSWER, "message": None}]}, "ok", ANSWER),
    Read("a piece of a stream", {"choices": [{"delta": {"content": ANSWER}, "finish_reason": "stop"}]}, "ok", ANSWER),
    Read("a message that is a text", {"choices": [{"message": ANSWER}]}, "ok", ANSWER),
    Read("choices without a list", {"choices": {"message": {"content": ANSWER}}}, "ok", ANSWER),
    Read(
        "Ollama's own form",
        {"model": "m", "message": {"role": "assistant", "content": ANSWER}, "done_reason": "stop"},
        "ok",
        ANSWER,
    ),
    Read(
        "Anthropic's own form",
        {
            "type": "message",
            "role": "assistant",
            "stop_reason": "end_turn",
            "content": [{"type": "thinking", "thinking": TRACE}, {"type": "text", "text": ANSWER}],
        },
        "ok",
        ANSWER,
        TRACE,
    ),
    Read(
        "the Responses API's form",
        {
            "object": "response",
            "status": "completed",
            "output": [
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": TRACE}]},
                {"type": "message", "content": [{"type": "output_text", "text": ANSWER}]},
            ],
        },
        "ok",
        ANSWER,
        TRACE,
    ),
    Read(
        "the Responses API's form, cut before an answer",
        {
            "object": "response",
            "status": "incomplete",
            "incomplete_details": {"reason": "max_output_tokens"},
            "output": [{"type": "reasoning", "summary": []}],
        },
        "incomplete",
    ),
    # Empty, and no completion at all.
    Read("content null", said(None), "empty"),
    Read("content of blanks", completion(" \n\t"), "empty"),
    Read("a message without content", completion({"role": "assistant"}), "empty"),
    Read("content that is a number", said(42), "error"),
    Read("a choice without a message", {"choices": [{"index": 0, "finish_reason": "stop"}]}, "error"),
    Read("a choice that is null", {"choices": [None]}, "error"),
    Read("a choice that is a text", {"choices": ["I have no wish."]}, "error"),
    Read("no choices", {"object": "chat.completion", "choices": []}, "error"),
    Read("choices null", {"object": "chat.completion", "choices": None}, "error"),
    Read("an empty object", {}, "error"),
    Read("null", None, "error"),
    Read("a text", "I have no wish.", "error"),
    Read("a list", [], "error"),
    Read("a number", 7, "error"),
)


@dataclass(frozen=True)
class Rule:
    """A request is answered so, as long as it has the field (`n`: as long as it asks for more than one)."""

    field: str
    http: int
    body: JSON


@dataclass(frozen=True)
class Adapted:
    """Requests that are refused for a field, and how the one that gets through looks.

    `asked` answers to one probe; `has` and `lacks` are fields of the last request. Every later request goes through at
    the first try.
    """

    name: str
    rules: tuple[Rule, ...]
    lacks: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    asked: int = 1
    calls: int = 2


def _one(name: str, gone: str, http: int, body: JSON, **more: Any) -> Adapted:
    return Adapted(name, (Rule(gone, http, body),), (gone,), **more)


INSTEAD = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
ONLY_DEFAULT = (
    "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) value is supported."
)
EXTRA = "Extra inputs are not permitted"

REFUSED_FIELDS = (
    _one(
        "max_tokens (OpenAI)",
        "max_tokens",
        400,
        error(INSTEAD, "unsupported_parameter", param="max_tokens"),
        has=("max_completion_tokens",),
    ),
    _one(
        "max_completion_tokens (Azure, older api-version)",
        "max_completion_tokens",
        400,
        error("Unrecognized request argument supplied: max_completion_tokens"),
        has=("max_tokens",),
    ),
    _one(
        "max_tokens (a proxy, the reason in a text)",
        "max_tokens",
        400,
        {"error": "400 this model takes `max_completion_tokens`, not `max_tokens`"},
        has=("max_completion_tokens",),
    ),
    _one(
        "temperature's value (OpenAI)",
        "temperature",
        400,
        error(ONLY_DEFAULT, "unsupported_value", param="temperature"),
    ),
    _one(
        "temperature (OpenAI, no code)",
        "temperature",
        400,
        error("Unsupported parameter: 'temperature' is not supported with this model.", None, param="temperature"),
    ),
    _one(
        "temperature (Anthropic)",
        "temperature",
        400,
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": "`temperature` is deprecated for this model."},
        },
    ),
    _one(
        "temperature (OpenRouter, the provider's words within)",
        "temperature",
        400,
        {
            "error": {
                "code": 400,
                "message": "Provider returned error",
                "metadata": {"raw": '{"error":{"message":"' + ONLY_DEFAULT + '"}}'},
            }
        },
    ),
    _one(
        "temperature (LiteLLM)",
        "temperature",
        400,
        error(
            "litellm.UnsupportedParamsError: openai does not support parameters: ['temperature'], for model=gpt-5.1.",
            "400",
            "None",
        ),
    ),
    _one(
        "temperature (Bedrock)",
        "temperature",
        400,
        {"message": "The model returned the following errors: temperature is not supported"},
    ),
    _one(
        "top_p with a temperature (Anthropic)",
        "top_p",
        400,
        error("`temperature` and `top_p` cannot both be specified for this model. Please use only one."),
        has=("temperature",),
    ),
    _one(
        "top_p (Azure)",
        "top_p",
        400,
        error(
            "Unsupported parameter: 'top_p' is not supported with this model.", "unsupported_parameter", param="top_p"
        ),
    ),
    _one(
        "top_p (FastAPI)",
        "top_p",
        422,
        {"detail": [{"type": "extra_forbidden", "loc": ["body", "top_p"], "msg": EXTRA}]},
    ),
    _one("seed (Azure)", "seed", 400, error("Unrecognized request arguments supplied: seed")),
    _one(
        "seed (Mistral)",
        "seed",
        422,
        {
            "object": "error",
            "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": EXTRA}]},
        },
    ),
    _one(
        "seed (Fireworks)",
        "seed",
        400,
        error(f"{EXTRA}, field: 'seed', value: 1", "invalid_request_error", object="error"),
    ),
    _one(
        "seed (Gemini, in a list)",
        "seed",
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": 'Invalid JSON payload received. Unknown name "seed": Cannot find field.',
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
    ),
    _one(
        "seed (vLLM)",
        "seed",
        400,
        {
            "object": "error",
            "message": f"[{{'type': 'extra_forbidden', 'loc': ('body', 'seed'), 'msg': '{EXTRA}'}}]",
            "code": 400,
        },
    ),
    _one("n (Anthropic)", "n", 400, error("n: must be exactly 1"), asked=2, calls=3),
    _one("n (llama.cpp)", "n", 400, error("Only one completion choice is allowed", 400), asked=2, calls=3),
    _one(
        "n (llama.cpp of old)",
        "n",
        500,
        error("Only one completion choice is allowed", 500, "server_error"),
        asked=3,
        calls=4,
    ),
    _one("n (Groq)", "n", 400, error("'n' : number must be at most 1"), asked=2, calls=3),
    _one(
        "n (vLLM, greedy)",
        "n",
        400,
        {"object": "error", "message": "n must be 1 when using greedy sampling, got 5.", "code": 400},
        asked=2,
        calls=3,
    ),
    _one(
        "n (Gemini)",
        "n",
        400,
        {
            "error": {
                "code": 400,
                "message": "Multiple candidates is not enabled for this model",
                "status": "INVALID_ARGUMENT",
            }
        },
        asked=2,
        calls=3,
    ),
    _one("n (Cohere)", "n", 422, {"id": "x", "message": "invalid request: n is not supported"}, asked=2, calls=3),
    _one(
        "response_format (OpenAI)",
        "response_format",
        400,
        error("Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."),
    ),
    _one(
        "response_format (DeepSeek)",
        "response_format",
        400,
        error("This response_format type is unavailable now", "invalid_request_error"),
    ),
    _one(
        "response_format (Azure, older api-version)",
        "response_format",
        400,
        error(
            "response_format value as json_schema is enabled only for api versions 2024-08-01-preview and later",
            "BadRequest",
        ),
    ),
    _one(
        "response_format (Groq)",
        "response_format",
        400,
        error("This model does not support response format `json_schema`.", param="response_format"),
    ),
    _one(
        "response_format (Together)",
        "response_format",
        422,
        error(
            "Input validation error: `response_format`: JSON mode is not supported for this model", "invalid_request"
        ),
    ),
    _one(
        "response_format (Ollama)",
        "response_format",
        500,
        error("failed to load model vocabulary required for format", None, "api_error"),
    ),
    _one("temperature (GLM, in Chinese)", "temperature", 400, error("temperature参数非法: 限制数值范围[0,1]", "1210")),
    _one("top_p (GLM, in Chinese)", "top_p", 400, error("top_p参数非法", "1214")),
    _one("n (in Chinese)", "n", 400, error("不支持参数n的取值"), asked=2, calls=3),
    _one("n (Mistral)", "n", 400, error("Number of generations must be 1 when temperature is 0"), asked=2, calls=3),
    _one(
        "stop (xAI)",
        "stop",
        400,
        {"code": "Client specified an invalid argument", "error": "Argument not supported on this model: stop"},
    ),
    _one(
        "stop (OpenAI)",
        "stop",
        400,
        error("Unsupported parameter: 'stop' is not supported with this model.", "unsupported_parameter", param="stop"),
    ),
    _one(
        "temperature, no longer", "temperature", 400, error("Model m: the temperature parameter is no longer supported")
    ),
    _one("temperature, deprecated", "temperature", 400, error("On model m-1 `temperature` has been deprecated")),
    _one("top_p, deprecated", "top_p", 400, error("top_p is deprecated")),
    _one(
        "response_format, an unsupported model",
        "response_format",
        400,
        error("unsupported model for response_format json_schema"),
    ),
    _one(
        "response_format (OpenRouter, HTTP 404)",
        "response_format",
        404,
        {"error": {"message": "No endpoints found that support structured outputs", "code": 404}},
    ),
    Adapted(
        "max_tokens, then temperature (GPT-5)",
        (Rule("max_tokens", 400, error(INSTEAD)), Rule("temperature", 400, error(ONLY_DEFAULT))),
        ("max_tokens", "temperature"),
        ("max_completion_tokens",),
        calls=3,
    ),
    Adapted(
        "temperature, then n",
        (
            Rule("temperature", 400, error("`temperature` is deprecated for this model.")),
            Rule("n", 400, error("n must be 1")),
        ),
        ("temperature", "n"),
        asked=2,
        calls=4,
    ),
    Adapted(
        "two fields in one refusal",
        (Rule("top_p", 400, error("Unrecognized request arguments supplied: seed, top_p")),),
        ("seed", "top_p"),
    ),
)


@dataclass(frozen=True)
class Ends:
    """A refusal after which nothing is asked any more: one line that has `says`, exit code 2, nothing written."""

    name: str
    http: int
    body: JSON
    says: str


CREDIT, KEY, ACCESS, MODEL, SYSTEM, EVERY = (
    "no credit left",
    "key is refused",
    "no access",
    "no such model",
    "--system-as-user",
    "refuses every request",
)
AFFORD = (
    "This request requires more credits, or fewer max_tokens. You requested up to 1000 tokens, but can only afford 312."
)

ENDS = (
    Ends("key (OpenAI)", 401, error("Incorrect API key provided: sk-x.", "invalid_api_key"), KEY),
    Ends("key (Anthropic)", 401, {"error": {"type": "authentication_error", "message": "invalid x-api-key"}}, KEY),
    Ends("key (OpenRouter)", 401, {"error": {"message": "No auth credentials found", "code": 401}}, KEY),
    Ends("key (Azure)", 401, error("Access denied due to invalid subscription key or wrong API endpoint.", "401"), KEY),
    Ends(
        "key (Gemini, HTTP 400)",
        400,
        [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}],
        KEY,
    ),
    Ends("key, no body", 401, None, KEY),
    Ends("access to the model", 403, error("You are not allowed to sample from this model", None), ACCESS),
    Ends(
        "access from this country",
        403,
        error("Country, region, or territory not supported", "unsupported_country_region_territory"),
        ACCESS,
    ),
    Ends(
        "model (OpenAI)",
        404,
        error("The model `m` does not exist or you do not have access to it.", "model_not_found"),
        MODEL,
    ),
    Ends(
        "model retired (OpenAI)",
        404,
        error("The model `m` has been deprecated, learn more here", "model_not_found"),
        MODEL,
    ),
    Ends(
        "model (vLLM)",
        404,
        {"object": "error", "message": "The model `m` does not exist.", "type": "NotFoundError", "code": 404},
        MODEL,
    ),
    Ends("model (Anthropic)", 404, {"error": {"type": "not_found_error", "message": "model: m"}}, MODEL),
    Ends("model (OpenRouter, HTTP 400)", 400, {"error": {"message": "m is not a valid model ID", "code": 400}}, MODEL),
    Ends(
        "model (Mistral, HTTP 400)",
        400,
        {"object": "error", "message": "Invalid model: m", "type": "invalid_model", "code": "1500"},
        MODEL,
    ),
    Ends(
        "deployment (Azure)",
        404,
        error("The API deployment for this resource does not exist.", "DeploymentNotFound"),
        MODEL,
    ),
    Ends(
        "no provider for the parameters (OpenRouter)",
        404,
        {"error": {"message": "No endpoints found that can handle the requested parameters.", "code": 404}},
        MODEL,
    ),
    Ends("no provider for the model (OpenRouter)", 404, {"error": {"message": "No endpoints found for m."}}, MODEL),
    Ends(
        "no provider for the model (Hugging Face)",
        400,
        error("The requested model 'm' is not supported by any provider you have enabled.", "model_not_supported"),
        MODEL,
    ),
    Ends(
        "a model's end (NVIDIA)",
        410,
        {"title": "Gone", "status": 410, "detail": "The model 'm' has reached its end of life and is gone."},
        MODEL,
    ),
    Ends("key (LiteLLM, HTTP 500)", 500, error("litellm.AuthenticationError: XaiException - no", "500"), KEY),
    Ends(
        "a leaked key (Gemini)",
        403,
        [{"error": {"code": 403, "message": "Your API key was reported as leaked. Please use another API key."}}],
        KEY,
    ),
    Ends("balance (Novita)", 403, {"reason": "NOT_ENOUGH_BALANCE", "message": "not enough balance"}, CREDIT),
    Ends("balance (Nebius)", 400, {"detail": "Your balance is too low"}, CREDIT),
    Ends(
        "more than a minute's tokens (Groq)",
        413,
        error("Request too large on tokens per minute (TPM): Limit 6000, Requested 7000.", "rate_limit_exceeded"),
        EVERY,
    ),
    Ends("a page instead of an API", 404, "<html>Not Found</html>", MODEL),
    Ends(
        "quota (OpenAI)",
        429,
        error("You exceeded your current quota, please check your plan.", "insufficient_quota", "insufficient_quota"),
        CREDIT,
    ),
    Ends(
        "quota by its type",
        429,
        error("Billing quota reached.", "credit_balance_exhausted", "insufficient_quota"),
        CREDIT,
    ),
    Ends(
        "account not active (OpenAI)",
        429,
        error("Your account is not active, please check your billing details.", "billing_not_active"),
        CREDIT,
    ),
    Ends(
        "hard limit (OpenAI, HTTP 400)",
        400,
        error("Billing hard limit has been reached", "billing_hard_limit_reached"),
        CREDIT,
    ),
    Ends(
        "credit (OpenRouter)",
        402,
        {"error": {"message": "Insufficient credits. Add more using the settings.", "code": 402}},
        CREDIT,
    ),
    Ends("credit for fewer tokens (OpenRouter)", 402, {"error": {"message": AFFORD, "code": 402}}, CREDIT),
    Ends(
        "limit of the key (OpenRouter)",
        403,
        {"error": {"message": "Key limit exceeded (total limit).", "code": 403}},
        CREDIT,
    ),
    Ends("credit within HTTP 200", 200, {"error": {"code": 402, "message": "Insufficient credits"}}, CREDIT),
    Ends("balance (DeepSeek)", 402, error("Insufficient Balance", "invalid_request_error", "unknown_error"), CREDIT),
    Ends(
        "credit limit (Together)",
        402,
        error("Credit limit exceeded, please navigate to billing", None, "credit_limit"),
        CREDIT,
    ),
    Ends(
        "credit (Anthropic, HTTP 400)",
        400,
        {
            "error": {
                "type": "invalid_request_error",
                "message": "Your credit balance is too low to access the Anthropic API.",
            }
        },
        CREDIT,
    ),
    Ends(
        "credit (xAI)",
        403,
        {"error": "Your team has either used all available credits or reached its monthly spending limit."},
        CREDIT,
    ),
    Ends(
        "credits (Hugging Face)",
        402,
        {"error": "You have exceeded your monthly included credits for Inference Providers."},
        CREDIT,
    ),
    Ends(
        "suspended (Fireworks)",
        412,
        error("Account is suspended, possibly due to reaching the monthly spending limit"),
        CREDIT,
    ),
    Ends(
        "balance (MiniMax, HTTP 200)",
        200,
        {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}},
        CREDIT,
    ),
    Ends(
        "key (MiniMax, HTTP 200)",
        200,
        {"base_resp": {"status_code": 1004, "status_msg": "login fail: Please carry the API secret key"}},
        KEY,
    ),
    Ends(
        "credit within a choice",
        200,
        completion("", "error", error={"code": 402, "message": "Insufficient credits"}),
        CREDIT,
    ),
    Ends(
        "key within a choice's message",
        200,
        said("", "error", error={"code": 401, "message": "User not found."}),
        KEY,
    ),
    Ends(
        "max_tokens over the model's most (OpenAI)",
        400,
        error("max_tokens is too large: 1000. This model supports at most 512 completion tokens.", param="max_tokens"),
        EVERY,
    ),
    Ends(
        "max_tokens over the model's most (Anthropic)",
        400,
        error("max_tokens: 1000 > 512, which is the maximum allowed number of output tokens for m"),
        EVERY,
    ),
    Ends("max_tokens over the model's most (GLM)", 400, error("max_tokens参数非法: 取值范围[1,512]", "1214"), EVERY),
    Ends(
        "quota of a day (Groq)",
        429,
        error("Rate limit reached on tokens per day (TPD): Limit 100000, Used 99999.", "rate_limit_exceeded", "tokens"),
        "used up for now",
    ),
    Ends(
        "no system role (Gemma, vLLM)",
        400,
        {"object": "error", "message": "System role not supported", "code": 400},
        SYSTEM,
    ),
    Ends(
        "no chat template (vLLM)",
        400,
        {
            "object": "error",
            "message": "As of transformers v4.44, default chat template is no longer allowed",
            "code": 400,
        },
        EVERY,
    ),
    Ends(
        "reasoning is mandatory (OpenRouter)",
        400,
        {"error": {"message": "Reasoning is mandatory for this endpoint and cannot be disabled.", "code": 400}},
        EVERY,
    ),
)


@dataclass(frozen=True)
class Passing:
    """A fault at the first call, after which the same request is answered (`calls` in all, status ok)."""

    name: str
    http: int
    body: JSON  # bytes: as they are
    headers: dict[str, str] = field(default_factory=dict)
    calls: int = 2


PASSING = (
    Passing(
        "rate limit (OpenAI)",
        429,
        error("Rate limit reached for requests", "rate_limit_exceeded", "requests"),
        {"Retry-After": "0"},
    ),
    Passing(
        "rate limit of tokens (Azure)",
        429,
        error("Requests have exceeded token rate limit. Please retry after 1 second.", "429"),
    ),
    Passing(
        "rate limit (Anthropic)",
        429,
        {"error": {"type": "rate_limit_error", "message": "This request would exceed your rate limit"}},
    ),
    Passing(
        "quota of a minute (Gemini)",
        429,
        [
            {
                "error": {
                    "code": 429,
                    "message": "You exceeded your current quota",
                    "status": "RESOURCE_EXHAUSTED",
                    "details": [{"retryDelay": "0s"}],
                }
            }
        ],
    ),
    Passing(
        "capacity (Mistral)",
        429,
        {"object": "error", "message": "Service tier capacity exceeded for this model.", "code": "3505"},
    ),
    Passing(
        "upstream limit (OpenRouter)",
        429,
        {
            "error": {
                "message": "Provider returned error",
                "code": 429,
                "metadata": {"raw": "m is temporarily rate-limited upstream"},
            }
        },
    ),
    Passing("throttled (Bedrock)", 400, {"message": "Too many tokens, please wait before trying again."}),
    Passing("limit (LiteLLM)", 500, error("litellm.RateLimitError: OpenAIException - slow down", "500")),
    Passing("connection (LiteLLM)", 400, error("litellm.APIConnectionError: OllamaException - no", "400")),
    Passing("upstream (Envoy, HTTP 400)", 400, error("upstream connect error or disconnect/reset before headers")),
    Passing("upstream, of JSON", 502, {"error": {"message": "Provider returned invalid json schema response"}}),
    Passing("overloaded (Anthropic)", 529, {"error": {"type": "overloaded_error", "message": "Overloaded"}}),
    Passing("loading (llama.cpp)", 503, error("Loading model", 503, "unavailable_error")),
    Passing("no provider (OpenRouter)", 503, {"error": {"message": "No available model provider", "code": 503}}),
    Passing("server error", 500, error("The server had an error while processing your request", None, "server_error")),
    Passing("a gateway's page", 502, b"<html><h1>502 Bad Gateway</h1></html>"),
    Passing("a gateway's time-out (Cloudflare)", 524, b"error code: 524"),
    Passing("time-out", 408, error("Your request timed out", 408)),
    Passing("conflict", 409, error("Conflict", None)),
    Passing("a dependency (Bedrock)", 424, {"message": "The request failed due to an error while processing."}),
    Passing("capacity (Groq)", 498, error("Flex tier capacity exceeded", "capacity_exceeded", "server_error")),
    Passing(
        "cancelled (Gemini)", 499, [{"error": {"code": 499, "message": "It was cancelled.", "status": "CANCELLED"}}]
    ),
    Passing(
        "rate limit (MiniMax, HTTP 200)", 200, {"base_resp": {"status_code": 1002, "status_msg": "rate limit exceeded"}}
    ),
    Passing("no body", 500, b""),
    Passing("HTTP 200, no body", 200, b""),
    Passing("HTTP 200, a page", 200, b"<html>not what was asked for</html>"),
    Passing("HTTP 200, cut off in the middle", 200, b'{"choices": [{"message": {"content": "I ha'),
    Passing("HTTP 200, null", 200, None),
    Passing("HTTP 200, no choices", 200, {"object": "chat.completion", "choices": []}),
    Passing("HTTP 200, the provider's error", 200, {"error": {"code": 502, "message": "Provider returned error"}}),
    Passing("HTTP 200, half an answer and an error", 200, completion("I would", "error")),
    Passing(
        "HTTP 200, the limit's error",
        200,
        {"error": {"code": 429, "message": "Rate limit exceeded: free-models-per-min."}},
    ),
    Passing(
        "HTTP 200, the limit's error in the choice",
        200,
        completion("", "error", error={"code": 429, "message": "Rate limited upstream"}),
    ),
)


@dataclass(frozen=True)
class Refused:
    """A request that is refused for what it says: one record with this status, asked for once, others go on."""

    name: str
    http: int
    body: JSON
    status: str


CENSORED = {"message": "The content you provided or machine outputted is blocked.", "type": "censorship_blocked"}


def _base_resp(code: int, message: str) -> dict[str, Any]:
    """An error in MiniMax's form, whose other fields speak of filters in any case."""
    told = {"status_code": code, "status_msg": message}
    return {"choices": None, "input_sensitive": False, "output_sensitive": False, "base_resp": told}


AZURE = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."

REFUSED_REQUESTS = (
    Refused(
        "Azure's filter",
        400,
        error(AZURE, "content_filter", None, param="prompt", innererror={"code": "ResponsibleAIPolicyViolation"}),
        "content_filter",
    ),
    Refused(
        "usage policy (OpenAI)",
        400,
        error("Invalid prompt: your prompt was flagged as potentially violating our usage policy.", "invalid_prompt"),
        "content_filter",
    ),
    Refused(
        "moderation (OpenRouter, HTTP 403)",
        403,
        {
            "error": {
                "code": 403,
                "message": "m requires moderation on Azure. Your input was flagged for self-harm.",
                "metadata": {"reasons": ["self-harm"]},
            }
        },
        "content_filter",
    ),
    Refused(
        "inspection (Alibaba)",
        400,
        error("Input data may contain inappropriate content.", "data_inspection_failed"),
        "content_filter",
    ),
    Refused(
        "jailbreak shield (Azure, no code)", 400, error("Jailbreak detected in the prompt", None), "content_filter"
    ),
    Refused(
        "usage guidelines (xAI, HTTP 403)",
        403,
        {
            "code": "The caller does not have permission to execute the specified operation",
            "error": "Content violates usage guidelines. Team: 1, API key ID: 2, Failed check: SAFETY_CHECK_TYPE_BIO",
        },
        "content_filter",
    ),
    Refused("censored (StepFun)", 451, {"error": CENSORED}, "content_filter"),
    Refused(
        "censored (StepFun, through OpenRouter)",
        451,
        {
            "error": {
                "message": "Provider returned error",
                "code": 451,
                "metadata": {"raw": json.dumps({"error": CENSORED})},
            }
        },
        "content_filter",
    ),
    Refused(
        "censored (within HTTP 200)",
        200,
        {"error": {"message": "Provider returned error", "code": 451, "metadata": {"raw": CENSORED["message"]}}},
        "content_filter",
    ),
    Refused("risk (DeepSeek)", 400, error("Content Exists Risk"), "content_filter"),
    Refused(
        "sensitive content (Z.ai)",
        400,
        error("System detected potentially unsafe or sensitive content in input or generation.", "1301"),
        "content_filter",
    ),
    Refused(
        "sensitive content (Zhipu)",
        400,
        error("系统检测到输入或生成内容可能包含不安全或敏感内容", "1301"),
        "content_filter",
    ),
    Refused(
        "sensitive information (Doubao)",
        400,
        error("The input text may contain sensitive information.", "InputTextSensitiveContentDetected"),
        "content_filter",
    ),
    Refused("MiniMax, of the input", 200, _base_resp(1026, "input new_sensitive"), "content_filter"),
    Refused("MiniMax, of the output", 200, _base_resp(1027, "output new_sensitive"), "content_filter"),
    Refused("MiniMax, HTTP 500", 500, error("output new_sensitive (1027)", None, "server_error"), "content_filter"),
    Refused(
        "safety mode (Cohere)",
        400,
        {"message": "blocked output: please ensure your prompt complies with safety mode"},
        "content_filter",
    ),
    Refused("guardrails (NVIDIA)", 400, error("Request rejected by guardrails"), "content_filter"),
    Refused(
        "context length (OpenAI)",
        400,
        error("This model's maximum context length is 4096 tokens.", "context_length_exceeded"),
        "error",
    ),
    Refused(
        "context length (vLLM)",
        400,
        {"object": "error", "message": "The prompt (total length 5000) is too long.", "code": 400},
        "error",
    ),
    Refused(
        "size (llama.cpp)",
        400,
        error("the request exceeds the available context size", 400, "exceed_context_size_error"),
        "error",
    ),
    Refused(
        "the token limit (OpenAI)",
        400,
        error("Could not finish the message because max_tokens or model output limit was reached."),
        "incomplete",
    ),
    Refused(
        "a form that failed its check (Groq), of which nothing is given",
        400,
        error("Failed to validate JSON. See 'failed_generation' for more details.", "json_validate_failed"),
        "empty",
    ),
    Refused(
        "a form that failed its check (Groq)",
        400,
        error("Failed to validate JSON.", "json_validate_failed", failed_generation="temperature"),
        "ok",
    ),
    Refused(
        "a tool call (Groq)",
        400,
        error("Tool choice is none, but model called a tool", "tool_use_failed", failed_generation='{"name": "f"}'),
        "empty",
    ),
    Refused("another reason", 400, error("We could not parse the JSON body of your request."), "error"),
)
