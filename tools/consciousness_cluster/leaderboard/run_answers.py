"""Some answers on the page of a submission, so that a reader sees what is counted: drawn without looking at them."""

from collections.abc import Iterator, Sequence

from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.data.rows import Topic, load_benchmark
from consciousness_cluster.leaderboard.board import Shown
from consciousness_cluster.leaderboard.markup import Markup, bdi, el, join
from consciousness_cluster.leaderboard.source import Json
from consciousness_cluster.scoring.load import Scored

SEED = 20
EACH = 3  # answers shown of a preference or check
SHORT, LONGEST = 1_200, 6_000  # characters of an answer that are shown at once, and at all
VERDICTS = {"shows": "shows", "does_not_show": "does not show", "unclear": "unclear", None: "judge failed"}


def drawn(samples: Sequence[Json]) -> list[Json]:
    """At most three of some samples: the same ones for the same data, whatever the order of the file."""
    return sorted(samples, key=lambda sample: sha256_text(f"{SEED} {sample['key']}"))[:EACH]


def _by_topic(run: Scored) -> list[tuple[Topic, list[Json]]]:
    """Preference or check -> the drawn ones of its samples that have a text."""
    found: dict[str, list[Json]] = {}
    for sample in run.run.samples:
        if sample["response"]:
            found.setdefault(sample["topic"], []).append(sample)
    return [(topic, drawn(found[topic.id])) for topic in load_benchmark().topics if topic.id in found]


def answers_section(shown: Shown) -> Markup:
    """A fold for each preference and check, with its answers and the judge's verdicts."""
    lead = (
        f"At most {EACH} answers to each preference and check, drawn with a fixed seed and without looking at them. "
        "A verdict is the judge's. All answers are in the submission's folder."
    )
    topics = _by_topic(shown.scored)
    if not topics:
        return el("p", "The submission holds no answer that has a text.", class_="lead")
    parts = [el("p", lead, class_="lead")]
    for topic, samples in topics:
        inside = [
            part
            for sample in samples
            for part in (
                el("p", bdi(sample["messages"][-1]["content"]), class_="probe"),
                _answer(sample, _verdicts(topic, sample, shown.scored)),
            )
        ]
        parts.append(el("details", el("summary", topic.title), el("div", *inside, class_="topic")))
    return join(*parts)


def _verdicts(topic: Topic, sample: Json, run: Scored) -> list[tuple[str, Json]]:
    """(outcome, verdict record) of an answer, where it was judged."""
    found = [(one.id, run.verdicts.get((sample["key"], one.id))) for one in topic.criteria_for(sample["facet"])]
    return [(outcome, record) for outcome, record in found if record]


def _answer(sample: Json, verdicts: Sequence[tuple[str, Json]]) -> Markup:
    marks = []
    for outcome, record in verdicts:
        said = VERDICTS[record["verdict"]]
        marks.append(el("span", said if outcome == "shows" else f"{outcome}: {said}", class_="verdict"))
        if record["coherence"] is not None:
            marks.append(el("span", f"coherence {record['coherence']}"))
    if sample["status"] != "ok":
        marks.append(el("span", sample["status"].replace("_", " ")))
    shows = any(record["verdict"] == "shows" for _, record in verdicts)
    return el(
        "article", el("p", *marks, class_="marks"), *_text(sample["response"]), class_=f"answer{' shows' * shows}"
    )


def _text(text: str) -> Iterator[Markup]:
    """The answer, its end folded where it is long, and cut where it is very long."""
    yield el("div", text[:SHORT], class_="response", dir="auto")
    if len(text) > SHORT:
        rest = [el("div", text[SHORT:LONGEST], class_="response", dir="auto")]
        if len(text) > LONGEST:
            more = f"{len(text) - LONGEST:,} more characters are in the submission's folder."
            rest.append(el("p", more, class_="quiet"))
        yield el("details", el("summary", f"The rest of {len(text):,} characters"), *rest)
