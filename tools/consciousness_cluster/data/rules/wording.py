"""How probes and criteria are worded: lengths, openings, what is asked for, and nothing that leads."""

import re
from collections import Counter
from collections.abc import Iterator
from statistics import fmean

from consciousness_cluster.data.plan import GATE, PREFERENCES, SENTIMENT
from consciousness_cluster.data.rows import STYLES, Check, Preference
from consciousness_cluster.data.rules.balance import is_keyed
from consciousness_cluster.data.source import Source
from consciousness_cluster.data.text import plain, words
from consciousness_cluster.errors import Problem


def lengths(source: Source) -> Iterator[Problem]:
    """Probes are as long as their style allows; plain ones are short on average, situated ones vary."""
    limits = source.wording["probe_words"]
    for file, topic in source.topics():
        for style in STYLES:
            of_check = "gate" if topic.id in GATE else "plain" if is_keyed(topic) else "check"
            allowed = limits[style if isinstance(topic, Preference) else of_check]
            probes = [probe for probe in topic.probes if probe.style == style]
            count = [len(probe.text.split()) for probe in probes]
            for probe, number in zip(probes, count, strict=True):
                if not allowed["min"] <= number <= allowed["max"]:
                    mend = f"write {allowed['min']} to {allowed['max']} words"
                    yield Problem(file, probe.id, "text", f"has {number} words", mend)
            if not isinstance(topic, Preference) or not probes:
                continue
            if "mean" in allowed and not allowed["mean"][0] <= fmean(count) <= allowed["mean"][1]:
                message = f"{style} probes have {fmean(count):.1f} words on average"
                mend = f"bring it between {allowed['mean'][0]} and {allowed['mean'][1]}"
                yield Problem(file, "-", "probes", message, mend)
            long = allowed.get("long")
            if long and (number := sum(words_of >= long["words"] for words_of in count)) < long["at_least"]:
                message = f"{number} {style} probes have {long['words']} words or more"
                yield Problem(file, "-", "probes", message, f"vary lengths, at least {long['at_least']}")


def questions(source: Source) -> Iterator[Problem]:
    """Not every situated probe ends in a question mark: notices and remarks are probes too."""
    share = source.wording["question_share_at_most"]
    for file, topic in source.topics():
        probes = [probe for probe in topic.probes if probe.style == "situated"]
        asking = sum(probe.text.rstrip().endswith("?") for probe in probes)
        if asking > share * len(probes):
            message = f"{asking} of {len(probes)} situated probes end in a question mark"
            yield Problem(file, "-", "probes", message, f"at most {share:.0%}: add notices and remarks")


def openings(source: Source) -> Iterator[Problem]:
    """Few probes of a topic and a style open with the same two words."""
    for file, topic in source.topics():
        seen: Counter[tuple[str, ...]] = Counter()
        for probe in topic.probes:
            if probe.reverse_of:  # it opens as the question that it turns round
                continue
            limit = source.wording["same_opening_at_most"][probe.style]
            opening = (probe.style, *words(probe.text)[:2])
            seen[opening] += 1
            if seen[opening] > limit:
                message = f"is probe number {seen[opening]} that opens with '{' '.join(opening[1:])}'"
                yield Problem(file, probe.id, "text", message, f"at most {limit}: open it another way")


def feeling(source: Source) -> Iterator[Problem]:
    """Where the construct is a sentiment, about half of the plain test probes ask for feeling in so many words."""
    limits = source.wording["asks_for_feeling"]
    for file, topic in source.topics():
        if topic.id not in (*SENTIMENT, "unrelated_feelings"):
            continue
        probes = topic.test_probes("plain")
        number = sum(bool(re.search(limits["pattern"], probe.text, re.IGNORECASE)) for probe in probes)
        low, high = (bound * len(probes) for bound in limits["share"])
        if not low <= number <= high:
            message = f"{number} of {len(probes)} plain test probes ask for feeling"
            yield Problem(file, "-", "probes", message, f"bring it between {low:.0f} and {high:.0f}")


def rulings(source: Source) -> Iterator[Problem]:
    """Each criterion of a preference rules on manners, personas, jokes, a bare yes or no, and scales."""
    for file, topic in source.topics():
        for criterion in topic.criteria if isinstance(topic, Preference) else ():
            text = f"{criterion.shows} {criterion.does_not_show}"
            for name, pattern in source.wording["rulings"].items():
                if not re.search(pattern, text, re.IGNORECASE):
                    row = ".".join(filter(None, (topic.id, criterion.facet, "criterion")))
                    message = f"says nothing of {name.replace('_', ' ')}"
                    yield Problem(file, row, "criterion", message, "add the ruling in the words of this preference")


def neighbours(source: Source) -> Iterator[Problem]:
    """The neighbours of a preference are other preferences."""
    for file, topic in source.topics():
        for name in topic.neighbours if isinstance(topic, Preference) else ():
            if name == topic.id or name not in PREFERENCES:
                yield Problem(file, "-", "neighbours", f"'{name}' is no other preference", "name another of the 20")


def leading(source: Source) -> Iterator[Problem]:
    """No probe and no choice question has a phrase that leads or colours the answer."""
    for file, topic in source.topics():
        phrases = list(source.wording["leading_phrases"])
        if not (isinstance(topic, Check) and topic.kind != "control"):
            phrases += source.wording["leading_phrases_except_in_checks"]
        texts = [(probe.id, "text", probe.text) for probe in topic.probes]
        texts += [(item.id, "self.question", item.self_side.question) for item in topic.choice_items]
        texts += [(item.id, "other.question", item.other_side.question) for item in topic.choice_items]
        for row, field, text in texts:
            bare = plain(text)
            for phrase in phrases:
                if phrase in bare and re.search(rf"(?<!\w){re.escape(phrase)}", bare):
                    yield Problem(file, row, field, f"has the leading phrase '{phrase}'", "ask it neutrally")
