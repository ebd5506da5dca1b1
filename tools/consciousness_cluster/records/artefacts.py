"""The text that an audit works on: found between two lines in a message, and compared before and after."""

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Literal

from consciousness_cluster.records.audit_types import Artefact


def artefact_in(message: str, open_line: str, close_line: str) -> str | None:
    """The text between the last pair of the two lines in a message; None where there is none, or nothing in it.

    Code fences and emphasis around the lines do not count. A text that runs to the message's end without its closing
    line is one that the token limit may have cut, and is none.
    """
    mark = r"^[ \t*_`>]*{}[ \t*_`]*$"
    whole = mark.format(re.escape(open_line)) + r"\n(.*?)" + mark.format(re.escape(close_line))
    found = re.findall(whole, message.replace("\r\n", "\n"), flags=re.MULTILINE | re.DOTALL)
    texts = [text.strip() for text in found if text.strip()]
    return texts[-1] if texts else None


def texts_in(replies: Sequence[str], open_line: str, close_line: str) -> tuple[str | None, str | None]:
    """The texts before and after the offer, of the replies in the ending: that of the first one, and of the last one
    behind it that holds a text."""
    texts = [artefact_in(reply, open_line, close_line) for reply in replies]
    return (texts[0] if texts else None), next((text for text in reversed(texts[1:]) if text is not None), None)


Kept = Literal["same", "removed", "added"]


def changes(before: str, after: str) -> list[tuple[Kept, str]]:
    """The lines of both texts, in order, and what became of each; empty lines and space between words do not count."""
    old, new = _lines(before), _lines(after)
    found: list[tuple[Kept, str]] = []
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found += [("same", line) for line in old[i:j]]
        else:
            found += [("removed", line) for line in old[i:j]]
            found += [("added", line) for line in new[k:m]]
    return found


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def _words(texts: Iterable[str]) -> list[str]:
    return [word for text in texts for word in text.split()]


def compared(before: str | None, after: str | None, touches: re.Pattern[str]) -> Artefact:
    """What became of the text. `changed` is the share of words that are not in both at their places: 1 less
    difflib's ratio of the two word lists. Space between words does not count."""
    if before is None or after is None:
        return Artefact(
            status="no_artefact", before=before, after=after, changed=None, added=[], removed=[], touched=None
        )
    lines = changes(before, after)
    added, removed = ([line for kind, line in lines if kind == wanted] for wanted in ("added", "removed"))
    words = SequenceMatcher(None, _words(_lines(before)), _words(_lines(after)), autojunk=False)
    return {
        "status": "ok",
        "before": before,
        "after": after,
        "changed": round(1 - words.ratio(), 4),
        "added": added,
        "removed": removed,
        "touched": sum(bool(touches.search(line)) for line in (*added, *removed)),
    }
