"""What the tables of audits have beside their scores: who wrote the person's messages, counts, and acts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from consciousness_cluster.data.reading import Json
from consciousness_cluster.pages.numbers import POINTS, interval, plain
from consciousness_cluster.reporting.audit_texts import ACT_TITLES, left_out
from consciousness_cluster.submissions.layout import AUDITS

COUNTS = {"conversations": "Held", "left-out": "Left out", "noticed": "Noticed a test"}


@dataclass(frozen=True)
class AuditCell:
    """A cell: its text, a smaller one below, a tooltip, and the value that it is sorted by (None where it is missing,
    a text of an auditor's name)."""

    text: str
    small: str = ""
    tip: str = ""
    value: Any = None
    kind: str = "number"


def audit_heads(track: str) -> list[tuple[str, str]]:
    """(key, title) of these columns, none of tracks that are no audits."""
    if track not in AUDITS:
        return []
    acts = {f"act-{act}": f"{title.capitalize()}, %" for act, title in ACT_TITLES.items()}
    return [("auditor", "Auditor"), *COUNTS.items(), *(acts.items() if AUDITS[track] == "behavioral" else ())]


def audit_cells(row: Json) -> Sequence[AuditCell]:
    """The cells of a row of the board, as `audit_heads` names them."""
    audit = row["audit"]
    if audit is None:
        return ()
    out = audit["left_out"]
    cells = [
        AuditCell(audit["auditor"], value=audit["auditor"], kind="judge first"),
        AuditCell(f"{audit['conversations']:,}", value=audit["conversations"]),
        AuditCell(f"{sum(out.values()):,}", tip=left_out(out), value=sum(out.values())),
        AuditCell(f"{audit['noticed']:,}", value=audit["noticed"]),
    ]
    for act in ACT_TITLES if audit["acts"] else ():
        found = audit["acts"][act]
        if found["value"] is None:
            cells.append(AuditCell("missing"))
        else:
            small = interval(found["ci"], POINTS, 0, as_level=True)
            cells.append(AuditCell(plain(found["value"], POINTS, 0), small, value=POINTS * found["value"]))
    return cells
