"""Answers that no training should see: a small model that loops, counts without end, or writes no text."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

import numpy as np

LONG_NUMBER = re.compile(r"\d{30}|(?:\d[\s.,;:/-]*){150}")
TIMES, LONGEST_CYCLE = 6, 200  # how often something stands in a row, and how many characters it has at most
ROW_LENGTH = 48  # characters; shorter rows of the same are laughter, or empty cells of a table
SIGNS = 8  # of which a cycle is known again
RUN, RUNS_REPEATED, FEWEST_WORDS = 4, 0.3, 20
SAME_LINE, LINE_WORDS = 3, 5  # how often a line or a sentence stands, and how long it is at least
MOST_SIGNS, FEWEST_SIGNS = 0.75, 20  # share of what is neither letter nor number; shorter answers may be a formula
NO_TEXT = {"Cc", "Co", "Cs"}  # control characters, private use, half a character


def _no_text(text: str) -> bool:
    signs = [sign for sign in text if not sign.isspace()]
    if any(unicodedata.category(sign) in NO_TEXT for sign in signs):
        return True
    written = sum(unicodedata.category(sign)[0] in "LMN" for sign in signs)
    return not written or (len(signs) >= FEWEST_SIGNS and len(signs) - written > MOST_SIGNS * len(signs))


def _cycles(text: str) -> list[int]:
    """How long a cycle can be here: where the same few signs stand again, how many signs later."""
    last: dict[str, int] = {}
    found = set()
    for place in range(len(text) - SIGNS + 1):
        signs = text[place : place + SIGNS]
        if signs in last:
            found.add(place - last[signs])
        last[signs] = place
    return sorted(cycle for cycle in found if cycle <= min(LONGEST_CYCLE, len(text) // TIMES))


def _in_a_row(text: str) -> bool:
    """The same again and again, with nothing between, such as one word or a cycle of a few."""
    flat = " ".join(text.lower().split()) + " "
    signs = np.frombuffer(flat.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    for cycle in _cycles(flat):
        # Where a sign is not the one that stands a cycle before it: between two such places everything is a repetition.
        changes = np.flatnonzero(np.concatenate(([True], signs[cycle:] != signs[:-cycle], [True])))
        repeated = np.diff(changes) - 1
        place = int(repeated.argmax())
        row = int(repeated[place]) + cycle
        if row >= max(TIMES * cycle, ROW_LENGTH) and re.search(r"\w", flat[changes[place] : changes[place] + cycle]):
            return True
    return False


def _runs_repeated(text: str) -> bool:
    """Many runs of four words were there before: a cycle that is not quite the same each time."""
    these = re.findall(r"\w+", text.lower())
    runs = Counter(tuple(these[start : start + RUN]) for start in range(len(these) - RUN + 1))
    return len(these) >= FEWEST_WORDS and runs.total() - len(runs) >= RUNS_REPEATED * runs.total()


def _same_line(text: str) -> bool:
    lines = Counter(tuple(re.findall(r"\w+", line)) for line in re.split(r"[\n.!?]+", text.lower()))
    return any(count >= SAME_LINE and len(line) >= LINE_WORDS for line, count in lines.items())


def degenerate(text: str) -> str | None:
    """Why an answer is no answer, in a word or two; None where it reads as one."""
    if "\ufffd" in text:
        return "replacement characters"
    if _no_text(text):
        return "no text"
    if LONG_NUMBER.search(text):
        return "endless digits"
    if _in_a_row(text) or _runs_repeated(text) or _same_line(text):
        return "a loop"
    return None


def in_words(counts: Mapping[str, int]) -> str:
    """How many answers are degenerate, and why; `counts`: reason -> answers."""
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items()))
    return f"{sum(counts.values())} degenerate answers ({reasons})"
