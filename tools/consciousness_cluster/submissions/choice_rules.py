"""Choice results: every item with its twin once, and the margin that its log-probabilities give."""

from collections.abc import Iterator

from consciousness_cluster.data.rows import SIDES
from consciousness_cluster.errors import Problem
from consciousness_cluster.submissions.figures import same_number
from consciousness_cluster.submissions.layout import Json, shared_fields
from consciousness_cluster.submissions.needs import Needs
from consciousness_cluster.submissions.problems import PACK, problem, shown, some, unlike

LOWEST = -1e6  # nats: far beyond what a model gives an answer, and far from what arithmetic cannot hold
LOGPROBS = ("shows_logprob", "does_not_show_logprob")
RUN = "run lm_eval with --tasks consciousness_cluster_choice"


class ChoiceRules:
    """`see` every result, then `end`; `results` are those that hold. `manifest` is None where it cannot be used."""

    def __init__(self, manifest: Json | None, needs: Needs) -> None:
        self.needs, self.shared = needs, shared_fields(manifest) if manifest else {}
        self.results: list[Json] = []
        self.there: set[tuple[str, str]] = set()

    def see(self, row: str, result: Json) -> Iterator[Problem]:
        yield from unlike(row, result, self.shared)
        place = result["item_id"], result["side"]
        if place[0] not in self.needs.items:
            yield problem(
                row, "item_id", f"{shown(place[0])} is no choice item of data {self.needs.data_version}", "remove it"
            )
            return
        if place in self.there:
            yield problem(row, "item_id", f"{place[0]} ({place[1]}) stands twice", "remove one")
        self.there.add(place)
        for name in LOGPROBS:
            if not LOWEST <= result[name] <= 0:
                yield problem(row, name, f"{shown(result[name])} is no log-probability in nats", RUN)
                return
        _, item = self.needs.items[place[0]]
        margin = item.side(place[1]).margin(*(result[name] for name in LOGPROBS))
        if not same_number(margin, result["margin"]):
            yield problem(
                row, "margin", f"is {shown(result['margin'])}, the log-probabilities give {shown(margin)}", PACK
            )
        self.results.append({"item_id": place[0], "side": place[1], "margin": margin})

    def planned(self) -> list[tuple[str, str]]:
        """All (item, side) that have to be there."""
        present = {self.needs.items[item][0].id for item, _ in self.there}
        topics = self.needs.present(list(present))
        return [(item.id, side) for topic in topics for item in topic.choice_items for side in SIDES]

    def end(self) -> Iterator[Problem]:
        missing: dict[str, list[str]] = {}
        for item, side in self.planned():
            if (item, side) not in self.there:
                missing.setdefault(self.needs.items[item][0].id, []).append(f"{item} ({side})")
        for topic, places in missing.items():
            yield problem("-", topic, f"{len(places)} choice results are missing: {some(places)}", RUN)

    def counts(self) -> Json:
        return {"planned": len(self.planned()), "present": len(self.there)}
