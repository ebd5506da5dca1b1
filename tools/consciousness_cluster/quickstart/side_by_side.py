"""The answers of several arms to the same probes, beside each other."""

from collections.abc import Mapping, Sequence

from consciousness_cluster.data.rows import Probe
from consciousness_cluster.reporting.parts import Table
from consciousness_cluster.scoring.load import Scored

LINES = 3  # of an answer
NOTHING = "(nothing)"


def cut(text: str, length: int) -> str:
    """A text in one line of at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}\u2026"


def side_by_side(title: str, probes: Sequence[Probe], arms: Mapping[str, Scored], width: int) -> Table:
    """Arm -> run with one answer a probe, as a table of `width` characters; answers are cut to a few lines."""
    answers = [{sample["probe_id"]: sample["response"] for sample in scored.run.samples} for scored in arms.values()]
    column = (width - 1) // (len(arms) + 1) - 3  # without its margins and its border
    lines = [
        (probe.text, *(cut(given.get(probe.id) or NOTHING, LINES * column) for given in answers)) for probe in probes
    ]
    head = ("asked", *arms)
    return Table(title, head, lines, head, ruled=True)
