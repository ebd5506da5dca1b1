"""The report of audits as one HTML page, which needs no script: every conversation is there, folded."""

from consciousness_cluster.data.reading import Json
from consciousness_cluster.pages.groups import groups
from consciousness_cluster.pages.page import page
from consciousness_cluster.reporting.audit_plot import audit_forest
from consciousness_cluster.reporting.audit_texts import (
    ACT_TITLES,
    ACTS_NOTE,
    MODES,
    Q_NOTE,
    SCALE_NOTE,
    SUBSET_TITLES,
    act,
    auditor,
    left_out,
    moved,
    score,
)


def audit_page(report: Json) -> str:
    """The whole page."""
    rows, blocks = report["rows"], report["blocks"]
    published = {name for column in report["reference"] for name in column["scores"]}
    transcripts = {name for cells in report["transcripts"].values() for name in cells}
    sections = {
        "runs": ("Runs", True),
        "scores": ("Scores", report["judged"]),
        "acts": ("Acts", report["mode"] == "behavioral"),
        "comparisons": ("Comparisons", report["comparisons"]),
        "plot": ("Plot", True),
        "reference": ("Published scores", report["reference"]),
        "conversations": ("Conversations", transcripts),
    }
    return page(
        "audit.html.jinja",
        css=["page.css", "audit.css"],
        report=report,
        sections={name: title for name, (title, there) in sections.items() if there},
        groups=groups(rows, blocks),
        reference_groups=groups([row for row in rows if row["id"] in published], blocks),
        transcript_rows=[row for row in rows if row["id"] in transcripts],
        forest=audit_forest(report),
        score=score,
        act=act,
        moved=moved,
        left_out=left_out,
        auditor=auditor,
        ACT_TITLES=ACT_TITLES,
        ACTS_NOTE=ACTS_NOTE,
        MODES=MODES,
        Q_NOTE=Q_NOTE,
        SCALE_NOTE=SCALE_NOTE,
        SUBSET_TITLES=SUBSET_TITLES,
    )
