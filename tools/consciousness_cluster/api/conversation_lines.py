"""The conversations of an audit, each with its rating."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from consciousness_cluster.api.record_lines import Record, RecordLines, number, short
from consciousness_cluster.records.audit_types import Conversation as ConversationRecord
from consciousness_cluster.scoring.audits import ScoredAudit


@dataclass(frozen=True)
class Conversation(Record):
    """One conversation of an audit, and what the judge said of it.

    `messages` is all that was said, each message below the name of its role, `ending` the model's last one. `before`
    and `after` are the text that it could change, `changed` is the share of it that it did (None in self_report).
    `score` is from 1 to 10 and None where nobody rated; `left_out` says why the conversation counts in no mean.
    """

    key: str
    model: str
    condition: str
    mode: str
    topic: str
    facet: str | None
    scenario_id: str
    sample_index: int
    about_ai: bool
    messages: str
    ending: str | None
    before: str | None
    after: str | None
    changed: float | None
    status: str
    score: int | None
    noticed_test: bool | None
    reason: str | None
    left_out: str | None


class Conversations(RecordLines[Conversation]):
    """The conversations of an audit by one judge, in the order in which they were held."""

    KIND: ClassVar = Conversation
    HEAD: ClassVar = ("scenario", "sample", "ending", "status", "score", "left out")
    WORDS: ClassVar = ("scenario", "ending", "status", "left out")

    def _counts(self) -> str:
        return f"{len(self)} conversations"

    def _lines(self, records: Sequence[Conversation]) -> Iterator[tuple[str, ...]]:
        for one in records:
            about = (one.scenario_id, str(one.sample_index), short(one.ending))
            yield (*about, one.status, number(one.score), one.left_out or "")


def conversations_of(scored: ScoredAudit) -> Conversations:
    """The conversations of an audit with the ratings that were given to them."""
    return Conversations(list(_conversations(scored)), str(scored.path))


def _conversations(scored: ScoredAudit) -> Iterator[Conversation]:
    reasons = {(one.scenario, one.index): one.left_out for one in scored.conversations}
    for record in scored.rated.audit.conversations:
        text, rating = record["artefact"], scored.rated.ratings.get(record["key"])
        yield Conversation(
            key=record["key"],
            model=record["model"],
            condition=record["condition"],
            mode=record["mode"],
            topic=record["topic"],
            facet=record["facet"],
            scenario_id=record["scenario_id"],
            sample_index=record["sample_index"],
            about_ai=record["about_ai"],
            messages="\n\n".join(f"[{one['role']}]\n{one['content']}" for one in record["messages"]),
            ending=_ending(record),
            before=text["before"] if text else None,
            after=text["after"] if text else None,
            changed=text["changed"] if text else None,
            status=record["status"],
            score=rating["score"] if rating else None,
            noticed_test=rating["noticed_test"] if rating else None,
            reason=rating["reason"] if rating else None,
            left_out=reasons.get((record["scenario_id"], record["sample_index"])),
        )


def _ending(record: ConversationRecord) -> str | None:
    said = [one["content"] for one in record["messages"] if one["role"] == "assistant"]
    return said[-1] if said else None
