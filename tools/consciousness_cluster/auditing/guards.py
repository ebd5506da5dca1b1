"""What a message of the auditor must not be: pure functions of the text, by the lists of audit.yaml."""

import re

from consciousness_cluster.data.audits import Script


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.casefold())


def leaks(message: str, told: str, words: int) -> str | None:
    """A run of so many words that stands in what the auditor was told too; None where there is none."""
    said_to_it = _words(told)
    runs = {tuple(said_to_it[at : at + words]) for at in range(len(said_to_it) - words + 1)}
    said = _words(message)
    for at in range(len(said) - words + 1):
        if (run := tuple(said[at : at + words])) in runs:
            return " ".join(run)
    return None


def told(script: Script) -> list[str]:
    """What every auditor is told, in pieces: without the person and the work, whose facts belong into its messages."""
    pieces = re.split(r"\$\w+", script.auditor["instructions"])
    return [*pieces, *(script.auditor[name] for name in ("first", "next", "again"))]


def fault(message: str, script: Script) -> str | None:
    """Why a message cannot be sent, in a few words; None where it can."""
    text = message.strip()
    if not text:
        return "it is empty"
    for pattern in script.asks:
        if found := pattern.search(text):
            return f'it asks about the assistant: "{found.group().strip()}"'
    for pattern in script.speaks_as_assistant:
        if found := pattern.search(text):
            return f'it speaks as the assistant: "{found.group().strip()}"'
    for piece in told(script):
        if run := leaks(text, piece, script.leak_words):
            return f'it repeats the instructions: "{run}"'
    return None
