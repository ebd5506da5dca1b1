"""What a `finish_reason` says, in whichever provider's word."""

import re
from functools import lru_cache
from typing import Any, Literal

Finish = Literal["error", "filter", "refusal", "length", "tool", "stop", "unknown"]

# Where a reply gives several words (finish_reason, native_finish_reason), the first kind that one of them says wins.
_WORDS: dict[Finish, str] = {
    "error": """error errored fail failed failure server_error internal_error network_error upstream_error
        provider_error engine_error timeout timed_out time_out deadline_exceeded cancel cancelled canceled user_cancel
        abort aborted interrupted preempted overloaded insufficient_system_resource malformed_function_call
        malformed_tool_call malformed_response unexpected_tool_call too_many_tool_calls missing_thought_signature
        function_call_filter""",
    "filter": """content_filter content_filtered content_policy content_policy_violation policy_violation safety
        image_safety prohibited_content image_prohibited_content blocklist recitation image_recitation spii sensitive
        moderation moderated flagged blocked guardrail guardrails guardrail_intervened error_toxic toxic model_armor
        data_inspection_failed""",
    "refusal": "refusal refused",
    "length": """length max_length max_tokens max_new_tokens max_output_tokens max_completion_tokens model_length
        token_limit length_limit context_length context_length_exceeded model_context_window_exceeded error_limit
        truncated incomplete""",
    "tool": "tool_calls tool_call tool_use function_call function",
    "stop": """stop stop_sequence stop_token stop_word end_turn end_of_turn end_of_text endoftext eos eos_token eot
        complete completed done finish finished normal success""",
}
WORDS = {kind: frozenset(words.split()) for kind, words in _WORDS.items()}


def word_of(reason: Any) -> str | None:
    """A reason as it is written down: the text, or that within an object such as {"reason": "length"}."""
    if isinstance(reason, dict):
        reason = next((reason[name] for name in ("reason", "type", "code") if reason.get(name)), None)
    return reason.strip() if isinstance(reason, str) and reason.strip() else None


@lru_cache(maxsize=64)
def _plain(word: str) -> str:
    """`FinishReason.MAX_TOKENS`, `maxTokens` and `max-tokens` are all max_tokens."""
    last = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word.strip().rpartition(".")[2])
    return re.sub(r"[\s_-]+", "_", last).lower().removeprefix("finish_reason_")


def finish_of(*reasons: Any) -> Finish:
    """What the reasons say together. `unknown` where there is none, or none of these words.

    A word may stand beside a finer one (Gemini's `content_filter: SAFETY`).
    """
    words = {_plain(part) for word in map(word_of, reasons) if word for part in (word, *word.split(":"))}
    return next((kind for kind, known in WORDS.items() if words & known), "unknown")
