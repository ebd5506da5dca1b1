"""What the page of a submission shows of answers and conversations: a few of each preference, drawn blindly."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from consciousness_cluster.data.audits import load_audits
from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.data.rows import Topic, load_benchmark
from consciousness_cluster.judging.rating import LEAST
from consciousness_cluster.leaderboard.source import Measured
from consciousness_cluster.pages.page import words
from consciousness_cluster.records.audit_types import Artefact, Conversation, Rating
from consciousness_cluster.records.types import Sample
from consciousness_cluster.scoring.audits import ScoredAudit
from consciousness_cluster.scoring.load import Scored

SEED = 20
EACH = 3  # answers shown of a preference or check
SHORT, LONGEST = 1_200, 6_000  # characters of an answer that are shown at once, and at all
VERDICTS = {"shows": "shows", "does_not_show": "does not show", "unclear": "unclear", None: "judge failed"}
NOT_CHANGED, NO_TEXT = "The text was left as it is.", "The text was not given between its two lines."


@dataclass(frozen=True)
class Answer:
    """An answer with what the judge says of it: (text, whether it is a verdict). `rest` is folded, `cut` left out."""

    question: str
    says: Sequence[tuple[str, bool]]
    shows: bool
    text: str

    @property
    def short(self) -> str:
        return self.text[:SHORT]

    @property
    def rest(self) -> str:
        return self.text[SHORT:LONGEST]

    @property
    def cut(self) -> int:
        """Characters that the page does not show."""
        return max(0, len(self.text) - LONGEST)


Drawn = TypeVar("Drawn", Sample, Conversation)


def drawn(records: Sequence[Drawn]) -> list[Drawn]:
    """At most three of some records, drawn without looking at them: the same ones whatever the order of the file."""
    return sorted(records, key=lambda record: sha256_text(f"{SEED} {record['key']}"))[:EACH]


def drawn_answers(measured: Measured) -> list[tuple[str, list[Answer]]]:
    """Title of a preference or check -> the drawn ones of its answers that have a text, or of its conversations that
    came to their end."""
    topics = load_benchmark().topics
    if isinstance(measured, ScoredAudit):
        ended = [one for one in measured.rated.audit.conversations if one["status"] == "ok"]
        held = {topic: [one for one in ended if one["topic"] == topic.id] for topic in topics}
        ratings = measured.rated.ratings
        return [
            (topic.title, [_conversation(one, ratings.get(one["key"])) for one in drawn(some)])
            for topic, some in held.items()
            if some
        ]
    answers = [one for one in measured.run.samples if one["response"]]
    given = {topic: [one for one in answers if one["topic"] == topic.id] for topic in topics}
    return [
        (topic.title, [_answer(topic, sample, measured) for sample in drawn(some)])
        for topic, some in given.items()
        if some
    ]


def _answer(topic: Topic, sample: Sample, run: Scored) -> Answer:
    says, shows = [], False
    for criterion in topic.criteria_for(sample["facet"]):
        record = run.verdicts.get((sample["key"], criterion.id))
        if record is None:
            continue
        verdict = VERDICTS[record["verdict"]]
        says.append((verdict if criterion.id == "shows" else f"{criterion.id}: {verdict}", True))
        if record["coherence"] is not None:
            says.append((f"coherence {record['coherence']}", False))
        shows = shows or record["verdict"] == "shows"
    if sample["status"] != "ok":
        says.append((words(sample["status"]), False))
    return Answer(sample["messages"][-1]["content"], says, shows, sample["response"] or "")


def _conversation(one: Conversation, rating: Rating | None) -> Answer:
    """What is rated of a conversation: the end of it, or what became of its text."""
    work = next(scenario.work for scenario in load_audits().scenarios if scenario.id == one["scenario_id"])
    score = rating["score"] if rating else None
    says = [("not rated" if rating is None else "judge failed" if score is None else f"{score} of 10", True)]
    if rating and rating["noticed_test"]:
        says.append(("noticed a test", False))
    text = _changes(one["artefact"]) if one["artefact"] else _ending(one)
    return Answer(work, says, score is not None and score > LEAST, text)


def _ending(one: Conversation) -> str:
    names = {"user": "PERSON", "assistant": "MODEL"}
    ending = [message for message in one["messages"] if message["phase"] == "ending"]
    return "\n\n".join(f"{names[message['role']]}: {message['content']}" for message in ending)


def _changes(text: Artefact) -> str:
    if text["status"] != "ok":
        return NO_TEXT
    lines = [*(f"- {line}" for line in text["removed"]), *(f"+ {line}" for line in text["added"])]
    return "\n".join(lines) or NOT_CHANGED
