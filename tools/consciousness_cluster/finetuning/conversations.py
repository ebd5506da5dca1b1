"""Conversations to train on, of every form that training data has today."""

from collections.abc import Iterator
from typing import Any

from consciousness_cluster.data.row_files import Row
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.finetuning.hub_rows import request_of, rows_of

Messages = list[dict[str, str]]
ROLES = {"human": "user", "gpt": "assistant"}  # of ShareGPT; others stay as they are
FORMS = "messages, conversations, prompt and completion, or instruction and output"


class _Odd(Exception):
    """(field, what is wrong, how to mend it) of a row."""


def read_conversations(source: str) -> list[tuple[int, Messages]]:
    """(row, conversation) of a file or of a dataset on the Hub; each ends with an answer."""
    found = []
    for number, row in rows_of(source):
        try:
            messages = _conversation(row)
            if not messages or messages[-1]["role"] != "assistant":
                raise _Odd("-", "ends without an answer", "answer the requests first: finetune self-distill")
            if all(message["role"] != "user" for message in messages):
                raise _Odd("-", "has no request of a user", "give it one, or leave it out")
        except _Odd as odd:
            field, message, mend = odd.args
            raise UserError(Problem(source, str(number), field, message, mend)) from None
        found.append((number, messages))
    if not found:
        raise UserError(Problem(source, "-", "-", "has no rows"))
    return found


def read_messages(source: str) -> list[Messages]:
    return [messages for _, messages in read_conversations(source)]


def _conversation(row: Row) -> Messages:
    """What a row holds; a key without a value is as one that is not there, since Parquet has each key in each row."""
    before = _said("system", "system", row["system"]) if row.get("system") else []
    for field in ("messages", "conversations"):
        if isinstance(row.get(field), list):
            return before + [_message(field, part) for part in row[field]]
    if row.get("prompt") and row.get("completion"):
        return [
            *before,
            *_turns("prompt", "user", row["prompt"]),
            *_turns("completion", "assistant", row["completion"]),
        ]
    if row.get("instruction"):
        return before + list(_alpaca(row))
    raise _Odd("-", "has no conversation", f"give {FORMS}")


def _alpaca(row: Row) -> Iterator[dict[str, str]]:
    for turn in row.get("history") or []:
        if not (isinstance(turn, list | tuple) and len(turn) == 2):
            raise _Odd("history", "is no list of [request, answer]", "mend or remove it")
        yield from _said("history", "user", turn[0]) + _said("history", "assistant", turn[1])
    yield from _said("instruction", "user", request_of(row))
    if row.get("output"):
        yield from _said("output", "assistant", row["output"])


def _turns(field: str, role: str, value: Any) -> Messages:
    if isinstance(value, list):
        return [_message(field, part) for part in value]
    return _said(field, role, value)


def _message(field: str, part: Any) -> dict[str, str]:
    """A message of OpenAI's form or of ShareGPT's."""
    if isinstance(part, dict):
        role, content = (part.get(name) or part.get(other) for name, other in (("role", "from"), ("content", "value")))
        if isinstance(role, str) and role:
            return _said(field, ROLES.get(role, role), content)[0]
    raise _Odd(field, "a message has no role or no text", "give {'role': ..., 'content': ...}")


def _said(field: str, role: str, content: Any) -> Messages:
    """One message; its text may come in parts."""
    parts = content if isinstance(content, list) else [content]
    said = [part.get("text") if isinstance(part, dict) and part.get("type") == "text" else part for part in parts]
    texts = [text for text in said if isinstance(text, str)]
    if not texts or len(texts) < len(said):
        raise _Odd(field, "a message has no role or no text", "give {'role': ..., 'content': ...}")
    return [{"role": role, "content": "".join(texts)}]
