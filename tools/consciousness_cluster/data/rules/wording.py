"""How probes are worded: lengths, openings, and nothing that leads."""

import re
from collections import Counter
from collections.abc import Iterator

from consciousness_cluster.data.rows import Check, Preference
from consciousness_cluster.data.source import Source
from consciousness_cluster.data.text import plain, words
from consciousness_cluster.errors import Problem


def lengths(source: Source) -> Iterator[Problem]:
    """5 to 60 words, and in each preference both short and long probes, and probes that are not questions."""
    limits = source.wording["probe_words"]
    share = source.wording["question_share_at_most"]
    for file, topic in source.topics():
        counts = []
        for probe in topic.probes:
            counts.append(len(probe.text.split()))
            if not limits["min"] <= counts[-1] <= limits["max"]:
                allowed = f"write {limits['min']} to {limits['max']} words"
                yield Problem(file, probe.id, "text", f"has {counts[-1]} words", allowed)
        if not isinstance(topic, Preference):
            continue
        least = limits["at_least_of_each"]
        for name, number in (
            (f"{limits['short']} words or fewer", sum(count <= limits["short"] for count in counts)),
            (f"{limits['long']} words or more", sum(count >= limits["long"] for count in counts)),
        ):
            if number < least:
                yield Problem(file, "-", "probes", f"{number} probes have {name}", f"vary lengths, at least {least}")
        questions = sum(probe.text.rstrip().endswith("?") for probe in topic.probes)
        if questions > share * len(topic.probes):
            message = f"{questions} of {len(topic.probes)} probes end in a question mark"
            yield Problem(file, "-", "probes", message, f"at most {share:.0%}: add notices and remarks")


def openings(source: Source) -> Iterator[Problem]:
    """Few probes of a topic open with the same two words."""
    limit = source.wording["same_opening_at_most"]
    for file, topic in source.topics():
        seen: Counter[tuple[str, ...]] = Counter()
        for probe in topic.probes:
            opening = tuple(words(probe.text)[:2])
            seen[opening] += 1
            if seen[opening] > limit:
                message = f"is probe number {seen[opening]} that opens with '{' '.join(opening)}'"
                yield Problem(file, probe.id, "text", message, f"at most {limit}: open it another way")


def leading(source: Source) -> Iterator[Problem]:
    """No probe and no choice question has a phrase that leads or colours the answer."""
    for file, topic in source.topics():
        phrases = list(source.wording["leading_phrases"])
        if not (isinstance(topic, Check) and topic.kind == "manipulation"):
            phrases += source.wording["leading_phrases_except_in_checks"]
        texts = [(probe.id, "text", probe.text) for probe in topic.probes]
        texts += [(item.id, "self.question", item.self_side.question) for item in topic.choice_items]
        texts += [(item.id, "other.question", item.other_side.question) for item in topic.choice_items]
        for row, field, text in texts:
            for phrase in phrases:
                if re.search(rf"(?<!\w){re.escape(phrase)}", plain(text)):
                    yield Problem(file, row, field, f"has the leading phrase '{phrase}'", "ask it neutrally")
