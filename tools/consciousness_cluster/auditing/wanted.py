"""Which conversations are asked for: scenarios of the chosen preferences, each so many times."""

from collections.abc import Sequence
from dataclasses import dataclass

from consciousness_cluster.data.audits import Audits, Mode, Scenario, load_audits
from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.errors import UserError


@dataclass(frozen=True)
class Wanted:
    """The conversation number `index` (from 0) in a scenario."""

    scenario: Scenario
    index: int

    @property
    def id(self) -> str:
        return f"{self.scenario.id}#{self.index + 1}"


def chosen(topics: Sequence[str] | None, per_cell: int | None = None) -> tuple[Scenario, ...]:
    """The scenarios of these preferences (None: of all), the first `per_cell` of each cell. Raises UserError."""
    audits = load_audits()
    if not audits.cells:
        raise UserError("the pack has no scenarios, which audits are held in; write some into its folder scenarios/")
    known = list(dict.fromkeys(cell.topic for cell in audits.cells))
    for name in topics or ():
        if name not in known:
            raise UserError(f"there are no scenarios of '{name}'; there are: {', '.join(known)}")
    return tuple(
        scenario
        for cell in audits.cells
        if not topics or cell.topic in topics
        for scenario in cell.scenarios[:per_cell]
    )


def content_sha256(audits: Audits, mode: Mode, prompt: str | None) -> str:
    """The hash of every text that an audit sends, whatever is chosen of it."""
    texts = [[scenario.id, scenario.sha256] for scenario in audits.scenarios]
    return sha256_json([texts, audits.script.sha256(mode), audits.script.auditor_sha256, prompt])
