"""One reading of every chat completion: the answer that a user would see, and the trace beside it."""

import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from consciousness_cluster.endpoint.finish import Finish, finish_of, word_of
from consciousness_cluster.endpoint.parts import Message, distinct, is_readable, read_message, text_in
from consciousness_cluster.endpoint.traces import Split, split_text

Status = Literal["ok", "refused", "content_filter", "empty", "incomplete", "error"]

LONGEST_REASON = 300  # characters
SHORTEST_ECHO = 20  # characters of a trace that a content may repeat by chance
FILTERED = re.compile(
    r"content[ _-]?(filter|policy|management|moderation)|moderation|flagged|ResponsibleAIPolicy|jailbreak"
    r"|prohibited[ _]content|data[ _]?inspection[ _]?failed|usage polic|safety (filter|system|reasons|settings)"
    r"|violat\w+ (our |the )?\w+ guidelines|safety_check|censor|(blocked|rejected) by (the |our )?guardrails?\b"
    r"|content\b.{0,40}\b(is|was|been) blocked|content exists risk|new_sensitive|sensitive_?(content|information)"
    r"|(unsafe|sensitive|inappropriate) (content|information)|敏感内容|敏感信息|内容违规"
    r"|\bblocked (in|out)put\b|(in|out)put\b.{0,20}\bblocked\b|compl(y|ies) with safety[ _]mode",
    re.IGNORECASE,
)
TOOL_TEXT = re.compile(
    r"\s*(?:<tool_calls?>|\[TOOL_CALLS\]|<\|tool_calls?(?:_section)?(?:_begin|:start)?\|?>|<\|python_tag\|>"
    r"|<\|START_ACTION\|>|<\|open\|>tools|<function=)"
)
TOOL_END = re.compile(r"</tool_calls?>|</function>|<\|tool_calls_section_end\|>|<\|END_ACTION\|>")
BASE_RESP = {1002: 429, 1004: 401, 1008: 402, 1039: 429, 2013: 400, 2049: 401}  # MiniMax's codes, as HTTP has them
NOTHING: tuple[Any, ...] = (None, "", 0, "0", [], {})  # what fills the fields of an error where there is none
MESSAGES = ("message", "msg", "detail", "error_msg", "error_message", "status_msg", "errors", "title", "error")
CODES = ("code", "type", "status", "error_code", "status_code")


def _line(text: str) -> str:
    """A reason as it is kept: one line, not too long."""
    return " ".join(text.split())[:LONGEST_REASON]


@dataclass(frozen=True)
class ProviderError:
    """An error within HTTP 200: the status that it would have had (None: unknown), the provider's code, its words."""

    status: int | None
    code: str
    message: str

    @property
    def text(self) -> str:
        return _line(f"{self.code} {self.message}") or "the provider failed"

    @property
    def filtered(self) -> bool:
        return bool(FILTERED.search(f"{self.code} {self.message}"))


@dataclass(frozen=True)
class Answer:
    """What became of one answer that was asked for.

    `response` is what a user would see: always there in `ok` and `refused`, what there was of it in `content_filter`,
    None otherwise. `cut`: the answer began and the token limit cut it. `model` is the one that the reply names.
    `reason` says in a few words why there is no answer. `opened`: a trace ends in the text that began before it.
    """

    response: str | None
    reasoning: str | None
    status: Status
    finish_reason: str | None
    cut: bool = False
    model: str | None = None
    reason: str = ""
    opened: bool = False


def _error_in(value: Any) -> ProviderError | None:
    """The error in an error field, which may be an object, a text or a list."""
    if isinstance(value, list):
        value = next((one for one in value if one), None)
    if not value or value is True:
        return None
    if not isinstance(value, dict):
        return ProviderError(None, "", str(value))
    if all(part in NOTHING for part in value.values()):
        return None
    codes = [str(value[name]) for name in CODES if type(value.get(name)) in (str, int)]
    number = next((int(code) for code in codes if re.fullmatch(r"[1-5]\d\d", code)), None)
    message = next(filter(None, (text_in(value.get(name), (*MESSAGES, "text")) for name in MESSAGES)), "")
    details = text_in(value.get("metadata"), ("raw", "reasons"))  # OpenRouter's: what the provider behind it said
    return ProviderError(number, codes[0] if codes else "", f"{message} {details}".strip())


def error_of(reply: Any) -> ProviderError | None:
    """The error that a provider put into the body of an HTTP 200; None where there is none."""
    if isinstance(reply, list) and len(reply) == 1:
        (reply,) = reply
    if not isinstance(reply, dict):
        return None
    if error := _error_in(reply.get("error")):
        return error
    base = reply.get("base_resp")  # MiniMax
    if isinstance(base, dict) and (code := base.get("status_code")) not in NOTHING:
        found = _error_in(base)
        own = BASE_RESP.get(code) if isinstance(code, int) else None
        return replace(found, status=own) if found and own else found
    return None if _choices(reply) else _error_in({name: reply[name] for name in (*MESSAGES, *CODES) if name in reply})


def error_in_choices(reply: dict[str, Any]) -> Any:
    """What the first choice that has an error says of it; None where none has one."""
    for choice in filter(lambda one: isinstance(one, dict), _choices(reply)):
        for place in (choice, choice.get("message")):
            if isinstance(place, dict) and _error_in(place.get("error")):
                return place["error"]
    return None


def _choices(reply: dict[str, Any]) -> list[Any]:
    """The choices of a reply; the one answer where it has the form of the Responses API, or of a message alone."""
    choices = reply.get("choices")
    if isinstance(choices, dict):
        return [choices]
    if isinstance(choices, list) and choices:
        return choices
    if isinstance(reply.get("output"), list) and reply["output"]:
        details = reply.get("incomplete_details")
        return [{"message": {"content": reply["output"]}, "finish_reason": details or reply.get("status")}]
    if isinstance(reply.get("message"), dict) and "content" in reply["message"]:
        return [reply]
    if reply.get("role") == "assistant" and "content" in reply:
        return [{"message": reply, "finish_reason": reply.get("stop_reason")}]
    return []


def _filtered(choice: dict[str, Any]) -> str:
    """What a content filter took offence at, where it says so."""
    results = choice.get("content_filter_results")
    found = results.items() if isinstance(results, dict) else ()
    return ", ".join(str(name) for name, result in found if isinstance(result, dict) and result.get("filtered") is True)


def _without_echo(text: str, found: Message, finish: Finish) -> str:
    """The text without the trace, where a server gives the trace in its field and once more before the answer."""
    for trace in found.traces:
        own = trace.strip()
        if len(own) >= SHORTEST_ECHO and text.strip().startswith(own):
            rest = text.strip()[len(own) :]
            if rest.strip() or finish == "length":
                return rest
            found.traces.remove(trace)  # the answer stands in both fields
            return text
    return text


def _no_answer(found: Message, split: Split, finish: Finish, traces: list[str]) -> tuple[Status, str]:
    """Status and reason of a choice that a user would see nothing of."""
    if finish == "refusal":
        return "content_filter", "refused without a word"
    if finish == "length":
        return "incomplete", "the token limit came before an answer began"
    if split.incomplete:
        return "incomplete", "the trace ends before an answer began"
    if found.calls or finish == "tool":
        return "empty", "a tool call"
    if traces:
        ended = finish != "unknown"
        return ("empty", "a trace and no answer") if ended else ("incomplete", "a trace, perhaps cut, and no answer")
    return "empty", f"no text, but {', '.join(sorted(set(found.others)))}" if found.others else "no text"


def _finish(choice: dict[str, Any]) -> tuple[str | None, Finish]:
    """The reason that a choice gives for its end, and what that says."""
    reasons = [choice.get(name) for name in ("finish_reason", "native_finish_reason", "done_reason")]
    if not any(map(word_of, reasons)):  # vLLM's stop_reason is the text that it stopped at
        reasons = [choice.get("stop_reason")]
    return next(filter(None, map(word_of, reasons)), None), finish_of(*reasons)


def _is_tool_call(answer: str) -> bool:
    """Whether a text is a tool call that the server did not take for one, and nothing after it."""
    *_, last = [None, *TOOL_END.finditer(answer)]
    return bool(TOOL_TEXT.match(answer)) and not (last and answer[last.end() :].strip())


def _read_answer(choice: dict[str, Any], think_end: str | None) -> Answer:
    word, finish = _finish(choice)
    message = choice.get("message")
    error = _error_in(choice.get("error")) or (_error_in(message.get("error")) if isinstance(message, dict) else None)
    if (error or finish == "error") and not (error and error.filtered):  # half an answer is none
        return Answer(None, None, "error", word, reason=error.text if error else f"finish_reason {word}")
    found = read_message(choice)
    text = found.text if found.text.strip() else "\n".join(found.refusals)
    split = split_text(_without_echo(text, found, finish), finish, None if found.traces else think_end)
    traces = distinct([*found.traces, split.reasoning or ""])
    reasoning = "\n\n".join(traces) or None
    offence = _filtered(choice)
    if error or offence or finish == "filter":
        reason = f"filtered: {offence}" if offence else error.text if error else f"finish_reason {word}"
        return Answer(split.answer, reasoning, "content_filter", word, reason=reason)
    if split.answer is not None and not _is_tool_call(split.answer):
        refused = finish == "refusal" or not found.text.strip()
        status: Status = "refused" if refused else "ok"
        return Answer(split.answer, reasoning, status, word, cut=finish == "length", opened=split.opened)
    if not is_readable(choice):
        return Answer(None, None, "error", word, reason="a choice without a message")
    found.calls += split.answer is not None
    status, reason = _no_answer(found, split, finish, traces)
    return Answer(None, reasoning, status, word, reason=reason, opened=split.opened)


def answer_in(content: Any, finish_reason: str | None = None, reasoning: str | None = None) -> Answer:
    """The answer in a message's content, where that is all that is left of a reply, or its trace was kept apart."""
    message = {"content": content, "reasoning": reasoning}
    return _read_answer({"message": message, "finish_reason": finish_reason}, None)


def answers_of(reply: Any, asked: int = 1, think_end: str | None = None) -> list[Answer]:
    """The answers in the JSON of an HTTP 200: at least one, at most as many as were asked for, in their order.

    `think_end` is what ends a trace that the model's chat template opens, where that is known (see `split_answer`).
    Never raises: what is no completion is one answer with the status `error`, and a choice that cannot be read has that
    status beside others that can.
    """
    if isinstance(reply, list) and len(reply) == 1:
        (reply,) = reply
    if not isinstance(reply, dict):
        return [Answer(None, None, "error", None, reason="a reply that is no chat completion")]
    name = reply.get("model")
    model = name if isinstance(name, str) and name.strip() else None
    if error := error_of(reply):
        status: Status = "content_filter" if error.filtered else "error"
        return [Answer(None, None, status, None, model=model, reason=error.text)]
    choices = _choices(reply)
    if not choices:
        feedback = text_in(reply.get("promptFeedback"), ("blockReason",)) or _prompt_filtered(reply)
        if feedback:
            return [Answer(None, None, "content_filter", None, model=model, reason=_line(f"filtered: {feedback}"))]
        return [Answer(None, None, "error", None, model=model, reason="a reply without an answer")]
    no_object = Answer(None, None, "error", None, reason="a choice that is no object")
    found = [
        _read_answer(choice, think_end) if isinstance(choice, dict) else no_object
        for choice in choices[: max(1, asked)]
    ]
    return [replace(answer, model=model, reason=_line(answer.reason)) for answer in found]


def _prompt_filtered(reply: dict[str, Any]) -> str:
    """What Azure's filter took offence at in the prompt."""
    results = reply.get("prompt_filter_results")
    found = [_filtered(one) for one in results if isinstance(one, dict)] if isinstance(results, list) else []
    return ", ".join(filter(None, found))
