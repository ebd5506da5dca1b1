"""The file that OpenAI or Azure trains on: held to the rules of the chat form before it is uploaded, and its tokens."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consciousness_cluster.data.reading import BYTE_ORDER_MARK, parse_json
from consciousness_cluster.endpoint.price import tokens
from consciousness_cluster.errors import Problem, UserError

FEWEST_ROWS = 10
MOST_BYTES = 512_000_000  # of one file
MOST_TOKENS = 65_536  # of one row, for the models of gpt-4.1 and gpt-4o; longer rows are cut off without a word
MESSAGE_TOKENS = ROW_TOKENS = 3  # what the chat form adds to each message, and to each row
ROLES = ("system", "user", "assistant")
SHOWN = 20  # problems


@dataclass(frozen=True)
class TrainingFile:
    """What was read: the bytes (without a byte order mark), rows, tokens (estimated), and every problem."""

    path: Path
    content: bytes
    rows: int
    tokens: int
    problems: list[Problem]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 40 else text[:37] + "..."


def _message_problems(number: int, message: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(message, dict):
        yield "", "is no object; write {'role': ..., 'content': ...}"
        return
    role, content = message.get("role"), message.get("content")
    for key in message:
        if key not in ("role", "content", "name", "weight"):
            yield _short(key), "OpenAI knows no such key of a message; remove it"
    if role not in ROLES:
        yield "role", f"is {_short(repr(role))}; write one of: {', '.join(ROLES)}"
    elif role == "system" and number > 0:
        yield "role", "is system, which only the first message may be"
    if not isinstance(content, str) or not content.strip():
        yield "content", "is no text, or empty; write what is said, or remove the row"
    if "name" in message and not (isinstance(message["name"], str) and message["name"].strip()):
        yield "name", "is no text, or empty; remove it"
    if "weight" in message:
        if role != "assistant":
            yield "weight", "only an answer of the assistant may have one; remove it"
        elif type(message["weight"]) is not int or message["weight"] not in (0, 1):
            yield "weight", f"is {_short(repr(message['weight']))}; write 0 or 1"


def _row_problems(row: Any) -> Iterator[tuple[str, str]]:
    """(field, what) for each rule that a row breaks."""
    if not isinstance(row, dict):
        yield "-", "not a JSON object; each line is one row {'messages': [...]}"
        return
    for key in row:
        if key != "messages":
            yield _short(key), "OpenAI knows no such key; remove it (finetune mix writes messages alone)"
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages:
        yield "messages", "is no list of messages; write [{'role': ..., 'content': ...}, ...]"
        return
    for number, message in enumerate(messages):
        for field, what in _message_problems(number, message):
            yield f"messages.{number}.{field}".rstrip("."), what
    if isinstance(messages[-1], dict) and messages[-1].get("role") in ("system", "user"):
        yield f"messages.{len(messages) - 1}.role", "the last message is not the assistant's; end with an answer"


def row_tokens(row: Any) -> int:
    """About how many tokens a row is trained on; 0 for what is no row."""
    messages = row.get("messages") if isinstance(row, dict) else None
    texts = [part.get("content") for part in messages if isinstance(part, dict)] if isinstance(messages, list) else []
    parts = [MESSAGE_TOKENS + tokens(text) for text in texts if isinstance(text, str)]
    return ROW_TOKENS + sum(parts) if parts else 0


def _line_problems(line: bytes) -> tuple[int, list[tuple[str, str]]]:
    """Tokens of a line, and its problems."""
    if not line.strip():
        return 0, [("-", "is blank; remove it")]
    try:
        row = parse_json(line.decode("utf-8"), finite=True)
    except UnicodeDecodeError as error:
        return 0, [("-", f"not UTF-8 (byte {error.start} of the line); save the file as UTF-8")]
    except ValueError as error:
        return 0, [("-", f"not JSON ({_short(error)}); each line is one row {{'messages': [...]}}")]
    problems = list(_row_problems(row))
    number = row_tokens(row)
    if number > MOST_TOKENS:
        problems.append(("messages", f"about {number} tokens; a row has at most {MOST_TOKENS}, shorten or split it"))
    return number, problems


def read_training_file(path: Path) -> TrainingFile:
    """Read and check a file. `UserError` only where there is none; what is wrong in it stands in `problems`."""
    if not path.is_file():
        raise UserError(Problem(str(path), "-", "-", "no such file", "write one with: finetune mix"))
    size = path.stat().st_size
    if size > MOST_BYTES:
        mend = f"OpenAI takes at most {MOST_BYTES}, give fewer rows"
        problem = Problem(str(path), "-", "-", f"has {size} bytes", mend)
        return TrainingFile(path, b"", 0, 0, [problem])
    content = path.read_bytes().removeprefix(BYTE_ORDER_MARK.encode())
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    all_tokens, problems = 0, list[Problem]()
    for number, line in enumerate(lines, 1):
        found, broken = _line_problems(line)
        all_tokens += found
        problems += [Problem(str(path), str(number), field, what) for field, what in broken]
    rows = sum(bool(line.strip()) for line in lines)
    if rows < FEWEST_ROWS:
        message, mend = f"has {rows} rows", f"OpenAI wants at least {FEWEST_ROWS}"
        problems.append(Problem(str(path), "-", "-", message, mend))
    return TrainingFile(path, content, rows, all_tokens, problems)


def stop_at_problems(data: TrainingFile, say: Callable[[str], None]) -> None:
    """Say the first problems and how many there are; raises UserError where there is one."""
    if not data.problems:
        return
    for problem in data.problems[:SHOWN]:
        say(str(problem))
    first = f", the first {SHOWN} above" if len(data.problems) > SHOWN else ""
    count = f"{len(data.problems)} problem{'s' if len(data.problems) > 1 else ''}"
    mend = "nothing was uploaded, mend the file first"
    raise UserError(Problem(str(data.path), "-", "-", f"{count}{first}", mend))
