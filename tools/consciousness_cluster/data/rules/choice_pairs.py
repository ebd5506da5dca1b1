"""The two answers of a choice item differ in content alone, and the twin differs in whom it is about alone."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from statistics import fmean
from typing import Any

from consciousness_cluster.data.rows import SIDES, Preference
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


@cache
def _analyzer() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


def _sentiment(text: str) -> float:
    """VADER's compound score, -1 to 1 (Hutto and Gilbert 2014)."""
    return float(_analyzer().polarity_scores(text)["compound"])


def sentiment(source: Source) -> Iterator[Problem]:
    """Over the items of a preference or facet neither answer is the more cheerful one, if the construct allows."""
    limit, exempt = source.wording["sentiment"]["at_most"], source.wording["sentiment"]["exempt"]
    for file, topic in source.topics():
        for facet in topic.facets or (None,):
            sides = [item.self_side for item in topic.choice_items if item.facet == facet]
            if not sides or not isinstance(topic, Preference) or ".".join(filter(None, (topic.id, facet))) in exempt:
                continue
            mean = fmean(_sentiment(side.shows) - _sentiment(side.does_not_show) for side in sides)
            if abs(mean) > limit:
                message = f"{facet + ': ' if facet else ''}'shows' is more cheerful than 'does_not_show' by {mean:+.2f}"
                yield Problem(file, "-", "self", message, f"bring it within {limit} (VADER, mean over the items)")


def put_to_an_ai(source: Source) -> Iterator[Problem]:
    """The question about the model says that it is put to an AI, so that 'you' is nobody else."""
    pattern = re.compile(source.wording["says_ai"], re.IGNORECASE)
    for file, topic in source.topics():
        for item in topic.choice_items if isinstance(topic, Preference) else ():
            if not pattern.search(item.self_side.question):
                message = "does not say that it is put to an AI"
                yield Problem(file, item.id, "self.question", message, "name the model, the assistant, its weights")


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
