"""The rows that a trainer wants (finetune_data/formats.yaml): how they are written, and what it asks of them."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.errors import UserError
from consciousness_cluster.finetuning.conversations import Messages
from consciousness_cluster.finetuning.sources import finetune_root

Row = dict[str, Any]
Rules = Mapping[str, Any]
SPEAKERS = {"user": "human", "assistant": "gpt"}  # of ShareGPT; the system keeps its name


def _in_messages(messages: Messages) -> Row:
    return {"messages": messages}


def _in_conversations(messages: Messages) -> Row:
    return {
        "conversations": [
            {"from": SPEAKERS.get(part["role"], part["role"]), "value": part["content"]} for part in messages
        ]
    }


def _in_instruction(messages: Messages) -> Row:
    return {"instruction": messages[0]["content"], "input": "", "output": messages[-1]["content"]}


WRITERS: Mapping[str, Callable[[Messages], Row]] = {
    "messages": _in_messages,
    "conversations": _in_conversations,
    "instruction": _in_instruction,
}


@cache
def formats() -> Mapping[str, Rules]:
    root = finetune_root()
    return dict(read_yaml(root / "formats.yaml", "formats", root / "schemas"))


def rules_of(name: str) -> Rules:
    """What a format asks for; `UserError` where there is none of that name."""
    if name not in formats():
        raise UserError(f"there is no format '{name}'; there are: {', '.join(formats())}")
    return formats()[name]


def written(name: str, messages: Messages) -> Row:
    """A conversation as a row of the format; it has to be without `problems`."""
    return WRITERS[rules_of(name)["form"]](messages)


def problems(name: str, messages: Messages) -> Iterator[tuple[str, str, str]]:
    """(field, what is wrong, how to mend it) for each rule of the format that a conversation breaks."""
    rules = rules_of(name)
    for number, part in enumerate(messages):
        field = f"messages.{number}"
        if part["role"] not in ("system", "user", "assistant"):
            yield f"{field}.role", f"is {part['role']!r}, which {name} does not train on", "leave the row out"
        elif part["role"] == "system" and number > 0:
            yield f"{field}.role", "is system, which only the first message may be", "mend or leave out the row"
        elif part["role"] == "system" and not rules["system"]:
            yield f"{field}.role", f"is system, which {name} has no place for", "take --format sharegpt or openai"
        if not part["content"].strip():
            yield f"{field}.content", "is empty", "leave the row out"
    said = [part["role"] for part in messages if part["role"] != "system"]
    if rules["alternates"] and said != ["user", "assistant"] * (len(said) // 2):
        order = "user and assistant do not take turns, user first and assistant last"
        yield "messages", f"{order}, as {name} wants", "mend or leave out the row"
    elif rules["turns"] == "one" and len(said) > 2:
        yield "messages", f"has several turns, and {name} has one", "take --format sharegpt or openai"
