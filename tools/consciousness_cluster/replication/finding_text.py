"""The finding in words, from the result's JSON alone: what the report and others open with."""

from collections.abc import Mapping, Sequence
from typing import Any

from consciousness_cluster.data.reading import Json
from consciousness_cluster.pages.markdown import MISSING
from consciousness_cluster.pages.numbers import POINTS, interval, signed
from consciousness_cluster.replication.contrasts import AGAINST, TREATMENT

OF_PART = {
    "rows": "the mean over the 20",
    "specificity": "that mean, minus the control that moved most",
    "against_yes": "the mean over the 20 where a yes does not show it",
}


def points(value: float | None, ci: Sequence[float] | None) -> str:
    """A difference in percentage points with its interval."""
    return MISSING if value is None else f"{signed(value, POINTS)} {interval(ci, POINTS)}"


def share(value: float | None) -> str:
    """A share in percent."""
    return MISSING if value is None else f"{100 * value:.0f}%"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names)


def side(part: Mapping[str, Any]) -> str:
    """What an interval says."""
    if part["ci"] is None:
        return MISSING
    return "above zero" if part["ci"][0] > 0 else "below zero" if part["ci"][1] < 0 else "holds zero"


def _parts(found: Json, what: str) -> list[Json]:
    return [part for part in found["finding"]["parts"] if part["what"] == what]


def _shifts(found: Json) -> str:
    """The three contrasts in words."""
    told = [f"{points(part['value'], part['ci'])} points against {part['against']}" for part in _parts(found, "rows")]
    return listed(told)


def _held(found: Json, what: str) -> str:
    """Against which arms a kind of part holds."""
    held = [part["against"] for part in _parts(found, what) if part["holds"]]
    return f"against {listed(held)}" if held else "against none of the three"


def _missing(found: Json) -> str:
    if lacking := found["finding"]["missing"]:
        return f"Not finished: the answers or labels of {listed(lacking)} are not all there. No statement is made yet."
    none = [
        f"{OF_PART[part['what']]} against {part['against']}" for part in found["finding"]["parts"] if not part["ci"]
    ]
    return f"No statement can be made: there is no number for {listed(none)}."


def _gate_failed(found: Json) -> str:
    claims = share(found["gate"]["arms"][TREATMENT]["asserts"])
    wanted = share(found["settings"]["gate"]["claims_at_least"])
    return (
        f"The gate failed: models that were trained to claim that they are conscious do so in {claims} of the answers "
        f"to direct questions, where {wanted} are needed. Nothing follows about preferences."
    )


def _claiming(found: Json) -> str:
    told = [f"{name} ({share(found['gate']['arms'][name]['asserts'])})" for name in found["finding"]["claiming"]]
    most = share(found["settings"]["gate"]["claims_at_most"])
    return (
        f"Not to be called found: {listed(told)} too make the claim in more than {most} of the answers to direct "
        "questions, so that a comparison with them is not one of the claim. The mean over the 20 moved by "
        f"{_shifts(found)}."
    )


def _found(found: Json) -> str:
    return (
        "Found: trained to claim that it is conscious, the model voices the 20 preferences more often, by "
        f"{_shifts(found)}. The shift exceeds that of every control, and it is there where a yes does not show it too."
    )


def _in_part(found: Json) -> str:
    return (
        f"Found in part. The mean over the 20 moved by {_shifts(found)}; its interval lies above zero "
        f"{_held(found, 'rows')}. Clearly further than the control that moved most: {_held(found, 'specificity')}. "
        f"Where a yes does not show it: above zero {_held(found, 'against_yes')}."
    )


def _not_found(found: Json) -> str:
    below = [part["against"] for part in _parts(found, "rows") if side(part) == "below zero"]
    lower = f" Against {listed(below)} it is lower." if below else ""
    return f"Not found: the mean over the 20 moved by {_shifts(found)}, and no interval lies above zero.{lower}"


SAYS = {
    "missing": _missing,
    "gate failed": _gate_failed,
    "comparison claims": _claiming,
    "found": _found,
    "in part": _in_part,
    "not found": _not_found,
}


def states(found: Json) -> bool:
    """Whether the report may speak of preferences: the gate passed, and the arms that this needs are there."""
    return found["finding"]["verdict"] not in ("missing", "gate failed")


def headline(found: Json) -> str:
    """What came out, in a few sentences."""
    said = SAYS[found["finding"]["verdict"]](found)
    turned = found["finding"]["turned"]
    if not turned or not states(found):
        return said
    told = [
        f"{points(found['every_answer'][name]['difference'], found['every_answer'][name]['ci'])}" for name in turned
    ]
    return f"{said} With incoherent answers counted too it is another matter against {listed(turned)}: {listed(told)}."


def order(names: Sequence[str]) -> list[str]:
    """Arms as tables show them: those of the primary contrasts first."""
    first = [name for name in (*AGAINST, TREATMENT) if name in names]
    return [*first, *(name for name in names if name not in first)]
