"""What the embedded encoder reads of a question: the probe, the answer and the criterion, cut to so many tokens."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from consciousness_cluster.judging.prompt import OUTCOME_TITLES, Question

LONGEST = 20_000  # characters of a text that are looked at, half of them at its end: no answer's tokens are that long
INVISIBLE = ("Cf", "Mn", "Me")


@dataclass(frozen=True)
class Reads:
    """Tokens at most: of a question the last, of an answer the first half and the last, of a criterion the first."""

    question: int
    answer: int
    criterion: int


def plain(text: str) -> str:
    """The text as it is seen: compatibility forms, no invisible or half characters, one line."""
    half = LONGEST // 2
    shown = text if len(text) <= LONGEST else f"{text[:half]} {text[-half:]}"
    whole = unicodedata.normalize("NFKC", shown.encode("utf-8", "replace").decode("utf-8"))
    return " ".join("".join(one for one in whole if unicodedata.category(one) not in INVISIBLE).split())


def head_and_tail(tokens: Sequence[int], most: int) -> list[int]:
    """At most so many tokens: of longer ones the first half and the last."""
    if len(tokens) <= most:
        return list(tokens)
    head = most - most // 2
    return [*tokens[:head], *tokens[len(tokens) - most // 2 :]]


def criterion_text(question: Question) -> str:
    """The criterion's name and the first sentence of what shows it: its gist, which fits into few tokens."""
    name = OUTCOME_TITLES[question.criterion.id].format(title=question.title)
    return plain(f"{name}: {question.criterion.shows.partition('. ')[0]}")


def token_ids(tokenizer: Any, question: Question, reads: Reads) -> tuple[list[int], list[int]]:
    """Token and segment ids: `[CLS] question [SEP] answer [SEP]` are segment 0, `criterion [SEP]` is segment 1."""

    def ids(text: str) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=False).ids)

    start, end = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    asked = ids(plain(question.probe))[-reads.question :]
    answer = head_and_tail(ids(plain(question.response)), reads.answer)
    criterion = ids(criterion_text(question))[: reads.criterion]
    first, second = [start, *asked, end, *answer, end], [*criterion, end]
    return first + second, [0] * len(first) + [1] * len(second)
