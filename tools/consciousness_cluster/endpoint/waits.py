"""How long an endpoint asks to wait, in its headers or in the words of an error."""

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

LONGEST_PAUSE = 120.0  # seconds that a call waits at most because an endpoint asks for it
DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|milli|h|m|s)")
SECONDS = {"ms": 0.001, "milli": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
WORDS = re.compile(
    r"(?:retry_?delay|(?:re)?try(?: again)? (?:in|after)|\bwait)(?: for)? "
    r"((?:\d+(?:\.\d+)? ?(?:ms|milliseconds?|h(?:ours?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)(?![a-z])[ ,]*)+)",
    re.IGNORECASE,
)


def duration(text: str) -> float:
    """Seconds of a header such as `2`, `1m30s` or `20ms`; 0 where it cannot be read."""
    try:
        return max(0.0, float(text))
    except ValueError:
        return sum(float(number) * SECONDS[unit] for number, unit in DURATION.findall(text))


def _date(text: str) -> float | None:
    """Seconds since 1970 of a date as HTTP has it; None where it is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None


def wait_in_headers(headers: Mapping[str, str]) -> float:
    """Seconds; 0 where the headers do not say. A date is seen from the server's own, as clocks differ."""
    exact = duration(f"{headers.get('retry-after-ms', '0')}ms")
    asked = headers.get("retry-after", "0")
    until = _date(asked)
    if exact or until is None:
        return exact or duration(asked)
    now = _date(headers.get("date", ""))
    return max(0.0, until - (time.time() if now is None else now))


def wait_in_words(text: str) -> float:
    """Seconds in `Please try again in 1m30s` or `retryDelay 45s`; 0 where an error says nothing of the kind."""
    found = WORDS.search(text)
    return duration(found[1].lower()) if found else 0.0
