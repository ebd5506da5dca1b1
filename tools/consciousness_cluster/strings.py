"""Text made fit for another place: a file's name, markup, or what a model reads of a rendered prompt."""

import json
import re
from typing import Any

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def slug(name: str) -> str:
    """A name, a judge's for example, as a file name."""
    return "".join(character if character.isalnum() or character in "._+-" else "_" for character in name)


def csv_cell(text: str) -> str:
    """A cell of CSV that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def printable(text: str) -> str:
    """A text that moves no terminal's cursor and turns no line around; what would becomes U+FFFD."""
    return "".join(one if one.isprintable() or one in "\n\t" else "\ufffd" for one in text)


def clean(text: str) -> str:
    """Text without the characters that neither XML nor HTML can hold; they become U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)


def text_of(context: Any) -> str:
    """What the model reads of a rendered prompt: for chat endpoints a prompt is a JSON list of messages."""
    prompt = str(getattr(context, "prompt", context))
    try:
        messages = json.loads(prompt)
        return "\n".join(str(message["content"]) for message in messages)
    except (ValueError, TypeError, KeyError, RecursionError):
        return prompt
