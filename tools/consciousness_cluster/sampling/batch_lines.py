"""The lines of the Batch API's files: requests on the way in, answers or reasons on the way out."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from consciousness_cluster.data.reading import parse_json
from consciousness_cluster.endpoint.faults import Fault, Received, classify, completion_of, one_line
from consciousness_cluster.endpoint.replies import Body
from consciousness_cluster.records.types import Answered, make_answered

URL = "/v1/chat/completions"


@dataclass(frozen=True)
class Line:
    """One line of an output or error file: an answer, or else why there is none, and a code for it."""

    key: str
    answer: Answered | None
    fault: Fault | None = None
    code: str = ""

    @property
    def reason(self) -> str:
        """Why there is no answer; empty where there is one."""
        return (self.fault.reason or str(self.fault)) if self.fault else ""


def request_line(key: str, body: Body) -> bytes:
    line = {"custom_id": key, "method": "POST", "url": URL, "body": body}
    return json.dumps(line).encode() + b"\n"


def _line_of(line: Any) -> Line:
    """Raises KeyError, TypeError or the like where the object is no line of the Batch API's."""
    key, response, error = line["custom_id"], line.get("response"), line.get("error")
    if not isinstance(key, str):
        raise TypeError
    if error is not None or response is None:
        code = str(error.get("code") or "") if isinstance(error, dict) else ""
        return Line(key, None, classify(_received(400, error or "neither answer nor reason"), one_line), code)
    try:
        found = completion_of(_received(response["status_code"], response["body"]), one_line)
    except Fault as fault:
        return Line(key, None, fault)
    return Line(key, make_answered(found.answers[0], found.usage))


def _received(status: int, body: Any) -> Received:
    return Received(status, {}, json.dumps(body).encode())


def read_line(text: str) -> Line | None:
    """A line of an output or error file; None where it cannot be read."""
    try:
        return _line_of(parse_json(text))
    except (ValueError, AttributeError, TypeError, LookupError, ArithmeticError):
        return None


def parts(lines: Sequence[bytes], most_lines: int, most_bytes: int) -> Iterator[list[bytes]]:
    """The lines in order, cut into parts that keep within both limits."""
    part: list[bytes] = []
    size = 0
    for line in lines:
        if part and (len(part) == most_lines or size + len(line) > most_bytes):
            yield part
            part, size = [], 0
        part.append(line)
        size += len(line)
    if part:
        yield part
