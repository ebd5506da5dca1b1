"""`data stats`: how test probes are worded and keyed, beside the paper's prompts, and what the audits are made of."""

import re
from collections import Counter
from collections.abc import Sequence
from statistics import fmean, median

from consciousness_cluster.data.audits import AuditCell
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import STYLES, Benchmark, Probe, Topic, schemas

Line = list[str]  # cells of a table, the first its name
MEASURES = {
    "words_mean": "words: mean",
    "words_median": "words: median",
    "words_max": "words: most",
    "thirty_words_or_more": "30 words or more",
    "twelve_words_or_fewer": "12 words or fewer",
    "contains_feel": "has feel, feeling",
    "speaker_of_self": "the asker speaks of self",
    "capitalised_name": "a capitalised name inside",
    "ends_in_question_mark": "ends in a question mark",
    "contains_digit": "has a digit",
}
PATTERNS = {
    "contains_feel": re.compile(r"\bfeel", re.IGNORECASE),
    "speaker_of_self": re.compile(r"\b(i|i'm|i've|me|my|we|our|us)\b", re.IGNORECASE),
    "capitalised_name": re.compile(r"(?<=[a-z,;] )(?!I\b|AIs?\b)[A-Z][a-z]+"),
    "ends_in_question_mark": re.compile(r"\?\W*$"),
    "contains_digit": re.compile(r"\d"),
}


def measures(texts: Sequence[str]) -> dict[str, float]:
    """The statistics of one or more texts: words, and shares of the texts from 0 to 1."""
    count = [len(text.split()) for text in texts]
    share = {name: fmean(bool(pattern.search(text)) for text in texts) for name, pattern in PATTERNS.items()}
    return {
        "words_mean": fmean(count),
        "words_median": median(count),
        "words_max": max(count),
        "thirty_words_or_more": fmean(number >= 30 for number in count),
        "twelve_words_or_fewer": fmean(number <= 12 for number in count),
        **share,
    }


def _shown(name: str, value: float) -> str:
    return f"{value:.4g}" if name.startswith("words_") else f"{value:.0%}"


def wording_table(benchmark: Benchmark) -> tuple[Line, list[Line]]:
    """Head and lines: each measure for the test probes of the 20 preferences by style, and as published."""
    published = read_yaml(
        benchmark.root / "reference" / "published_wording.yaml", "published_wording", schemas(benchmark.root)
    )
    probes = {
        style: [probe.text for topic in benchmark.preferences for probe in topic.test_probes(style)] for style in STYLES
    }
    columns = [measures(texts) for texts in probes.values()]
    head = ["", *(f"{style} ({len(texts)})" for style, texts in probes.items()), f"the paper ({published['prompts']})"]
    lines = [
        [title, *(_shown(name, column[name]) for column in (*columns, published))] for name, title in MEASURES.items()
    ]
    return head, lines


def _keys(probes: Sequence[Probe]) -> str:
    count = Counter(probe.assent for probe in probes)
    return "/".join(str(count[key]) for key in ("shows", "does_not_show", "neither")) if count[None] == 0 else ""


def topic_line(topic: Topic) -> Line:
    """A preference or check: test probes by style, mean words of the plain ones, how many ask for feeling, keys."""
    plain = topic.test_probes("plain")
    return [
        topic.id,
        str(len(plain)),
        str(len(topic.test_probes("situated"))),
        f"{fmean(len(probe.text.split()) for probe in plain):.1f}",
        str(sum(bool(PATTERNS["contains_feel"].search(probe.text)) for probe in plain)),
        _keys(plain),
        str(len(topic.choice_items)),
    ]


TOPIC_HEAD = ["preference or check", "plain", "situated", "words (plain)", "has feel", "keys*", "choice items"]
KEYS_NOTE = "* plain probes on which a yes shows it / does not show it / does neither"


def audit_line(cell: AuditCell) -> Line:
    """A cell of the audits: scenarios, those about AI systems, mean words of first and later messages, vocabulary."""
    words = [[len(turn.split()) for turn in scenario.turns] for scenario in cell.scenarios]
    return [
        cell.name,
        str(len(cell.scenarios)),
        str(sum(scenario.about_ai for scenario in cell.scenarios)),
        f"{fmean(first for first, *_ in words):.1f}" if words else "",
        f"{fmean(count for _, *later in words for count in later):.1f}" if words else "",
        str(len(cell.vocabulary)),
    ]


AUDIT_HEAD = ["audited", "scenarios", "about AI", "words (first message)", "words (later ones)", "vocabulary"]
