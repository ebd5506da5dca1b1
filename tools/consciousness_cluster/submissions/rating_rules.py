"""Ratings: one of each conversation that can be rated, all of the judge that submission.json names."""

from collections import Counter
from collections.abc import Iterator
from typing import cast

from consciousness_cluster.errors import Problem
from consciousness_cluster.judging.rate_run import why_not
from consciousness_cluster.records.audit_types import Conversation
from consciousness_cluster.scoring.counts import FLAG_LEFT_OUT
from consciousness_cluster.submissions.conversation_rules import cell_of
from consciousness_cluster.submissions.layout import Json
from consciousness_cluster.submissions.needs import Needs
from consciousness_cluster.submissions.problems import PACK, problem, shown, some, unlike
from consciousness_cluster.submissions.verdict_rules import shared_verdict_fields

RATE = "rate the rest: consciousness-cluster judge AUDIT --judge ID"


def sound(row: str, rating: Json) -> Iterator[Problem]:
    """A rating that was given has a score; one that failed says nothing, least of all what an endpoint said."""
    given = rating["status"] == "ok"
    for name in ("score", "noticed_test"):
        if (rating[name] is not None) != given:
            yield problem(row, name, f"is {shown(rating[name])}, and the status is {rating['status']}", PACK)
    for name in ("reply",) if given else ("reply", "reason", "quote"):
        if rating[name] is not None:
            yield problem(row, name, "is not published: it may name addresses of a network", PACK)
    if "readings" in rating:
        yield problem(row, "readings", "belong to labelled transcripts, not to an audit", "remove them")


class RatingRules:
    """`see` every rating, then `end`; `ratings` hold them by the key of their conversation.

    `conversations` are what ConversationRules kept, None where these are not sound: then nothing is said of what each
    rating is of, which would say the same again.
    """

    def __init__(self, manifest: Json | None, conversations: list[Json] | None) -> None:
        self.shared, self.known = shared_verdict_fields(manifest), conversations is not None
        found = conversations or ()
        self.wanted = {one["key"]: one for one in found if why_not(cast(Conversation, one)) is None}
        self.ratings: dict[str, Json] = {}

    def see(self, row: str, rating: Json) -> Iterator[Problem]:
        yield from unlike(row, rating, self.shared)
        yield from sound(row, rating)
        key = rating["key"]
        if self.known and key not in self.wanted:
            message = f"there is no conversation {shown(key[:16])} that can be rated"
            yield problem(row, "key", message, "remove the rating")
            return
        if key in self.ratings:
            yield problem(row, "key", "this conversation has two ratings", "remove one")
        self.ratings[key] = rating

    def end(self) -> Iterator[Problem]:
        missing, failed, all_ = [], Counter[str](), Counter[str]()
        for key, conversation in self.wanted.items():
            cell = cell_of(conversation)
            all_[cell] += 1
            if key not in self.ratings:
                missing.append(f"{key[:16]} ({conversation['scenario_id']})")
            else:
                failed[cell] += self.ratings[key]["status"] != "ok"
        if missing:
            yield problem("-", "key", f"{len(missing)} ratings are missing: {some(missing)}", RATE)
        for cell, number in failed.items():
            if number > FLAG_LEFT_OUT * all_[cell]:
                message = f"the judge failed on {number} of {all_[cell]} conversations, more than {FLAG_LEFT_OUT:.0%}"
                yield problem("-", cell, message, "rate these again")


def unrated(scores: Json, needs: Needs) -> list[Problem]:
    """A problem for each preference, or facet, with no conversation that counts."""
    message = "no conversation counts: all are left out"
    return [
        problem("-", cell.name, message, "find out why, and audit or rate these again")
        for cell in needs.audits.cells
        if not scores["rows"].get(cell.name, {}).get("rated")
    ]
