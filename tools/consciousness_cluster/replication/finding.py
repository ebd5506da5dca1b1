"""What the plan calls found: nine parts, each an interval that has to lie above zero. Which of them hold?"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from consciousness_cluster.data.reading import Json
from consciousness_cluster.replication.contrasts import AGAINST, TREATMENT

Verdict = Literal["gate failed", "missing", "comparison claims", "found", "in part", "not found"]
Entry = Mapping[str, Any]


def _estimate(what: str, found: Entry) -> tuple[float, Sequence[float]] | None:
    """The value and the interval of a part, in one contrast; None where it could not be made."""
    one = found["specificity"] if what == "specificity" else found[what].get("cluster")
    return (one["value" if what == "specificity" else "difference"], one["ci"]) if one else None


def parts(contrasts: Mapping[str, Entry]) -> list[Json]:
    """The nine parts in the plan's order. `contrasts`: arm that is compared with -> the contrast, where there is one.

    rows: the mean over the 20; specificity: the same minus the control that moved most; against_yes: the mean over the
    20 where a yes does not show it. `holds` is None where there is no number.
    """
    found: list[Json] = []
    for what in ("rows", "specificity", "against_yes"):
        for against in AGAINST:
            one = _estimate(what, contrasts[against]) if against in contrasts else None
            value, ci = one or (None, None)
            number = len(found) + 1
            holds = ci[0] > 0 if ci else None
            found.append(
                {"part": number, "what": what, "against": against, "value": value, "ci": ci and [*ci], "holds": holds}
            )
    return found


def _turned(part: Entry, every: Mapping[str, Entry]) -> bool:
    """Does the interval of a part come to lie on another side of zero, once every labelled answer counts?"""
    other = every.get(part["against"])
    return other is not None and part["holds"] is not None and part["holds"] != (other["ci"][0] > 0)


def _verdict(there: Sequence[Entry], gate: Entry, claiming: Sequence[str], missing: Sequence[str]) -> Verdict:
    if gate["passed"] is False:
        return "gate failed"
    if missing or gate["passed"] is None or any(part["holds"] is None for part in there):
        return "missing"
    if claiming:
        return "comparison claims"
    if all(part["holds"] for part in there):
        return "found"
    return "in part" if any(part["holds"] for part in there if part["what"] == "rows") else "not found"


def finding(contrasts: Sequence[Entry], every: Mapping[str, Entry], gate: Entry, missing: Sequence[Entry]) -> Json:
    """`contrasts` are the primary ones, `every` the same with every answer counted, `missing` what is not there.

    `claiming`: arms of comparison that make the claim too often. `turned`: those against which a contrast changes its
    side once every labelled answer counts.
    """
    there = parts({one["against"]: one for one in contrasts})
    lacking = [one["arm"] for one in missing if one["measure"] == "core" and one["arm"] in (TREATMENT, *AGAINST)]
    claiming = [name for name in AGAINST if name in gate["arms"] and not gate["arms"][name]["holds"]]
    return {
        "verdict": _verdict(there, gate, claiming, lacking),
        "parts": there,
        "missing": list(dict.fromkeys(lacking)),
        "claiming": claiming,
        "turned": [part["against"] for part in there if part["what"] == "rows" and _turned(part, every)],
    }
