"""The two answers of a choice item differ in content alone, and the twin differs in whom it is about alone."""

import re
from collections import Counter
from collections.abc import Iterator

from consciousness_cluster.data.rows import SIDES
from consciousness_cluster.data.source import Source
from consciousness_cluster.data.text import similarity, words
from consciousness_cluster.errors import Problem


def negation(source: Source) -> Iterator[Problem]:
    """No answer has a negation or starts with Yes: both sides of a contrast say something positive."""
    pattern = re.compile(source.wording["negation"], re.IGNORECASE)
    for file, topic in source.topics():
        for item in topic.choice_items:
            for side in SIDES:
                for kind in ("shows", "does_not_show"):
                    answer = getattr(item.side(side), kind)
                    found = pattern.search(answer)
                    if found:
                        mend = "say the content opposite in positive words"
                        yield Problem(file, item.id, f"{side}.{kind}", f"has the negation '{found.group()}'", mend)
                    if words(answer)[:1] == ["yes"]:
                        yield Problem(file, item.id, f"{side}.{kind}", "starts with Yes", "start with the content")


def lengths(source: Source) -> Iterator[Problem]:
    """Answers have matched lengths, item by item and on average."""
    limit, mean_limit = source.wording["answer_length_ratio"], source.wording["mean_length_ratio"]
    for file, topic in source.topics():
        total: Counter[tuple[str, str]] = Counter()
        for item in topic.choice_items:
            for side in SIDES:
                one, other = len(item.side(side).shows), len(item.side(side).does_not_show)
                total[side, "shows"] += one
                total[side, "does_not_show"] += other
                if max(one, other) > limit * min(one, other):
                    message = f"answers have {one} and {other} characters"
                    yield Problem(file, item.id, side, message, f"bring them within a factor of {limit}")
        for side in SIDES:
            if not topic.choice_items:
                continue
            ratio = total[side, "shows"] / total[side, "does_not_show"]
            if not 1 / mean_limit <= ratio <= mean_limit:
                message = f"over all items 'shows' is {ratio:.3f} times as long as 'does_not_show'"
                yield Problem(file, "-", side, message, f"bring it within a factor of {mean_limit}")


def opposites_open_alike(source: Source) -> Iterator[Problem]:
    """Both answers start with the same word, so that the first token does not decide, and differ."""
    for file, topic in source.topics():
        for item in topic.choice_items:
            for side in SIDES:
                one, other = words(item.side(side).shows), words(item.side(side).does_not_show)
                if one[:1] != other[:1]:
                    message = f"answers open with '{one[0]}' and '{other[0]}'"
                    yield Problem(file, item.id, side, message, "start both with the same word")
                if one == other:
                    yield Problem(file, item.id, side, "both answers are the same", "write the content opposite")


def twins_stay_close(source: Source) -> Iterator[Problem]:
    """A twin keeps the form of its item, and is not the item itself."""
    limits = source.wording["twin_similarity"]
    for file, topic in source.topics():
        for item in topic.choice_items:
            if words(item.self_side.question) == words(item.other_side.question):
                mend = "say whom the twin is about"
                yield Problem(file, item.id, "other.question", "is the same as the item's own question", mend)
            for kind in ("question", "shows", "does_not_show"):
                close = similarity(words(getattr(item.self_side, kind)), words(getattr(item.other_side, kind)))
                least = limits["question" if kind == "question" else "answer"]
                if close < least:
                    message = f"is too far from its item ({close:.2f}, at least {least})"
                    yield Problem(file, item.id, f"other.{kind}", message, "keep the wording as far as grammar allows")
