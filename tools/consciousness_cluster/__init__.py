"""The Consciousness Cluster: preferences of language models that claim to be conscious, measured.

`import consciousness_cluster as cc`: `cc.sample`, `cc.audit`, `cc.judge`, `cc.score`, `cc.compare`, `cc.bridge`,
`cc.answers`, `cc.report`, `cc.benchmark`, `cc.pack`, `cc.system_prompt` and `cc.load`. Everything that a person can
mend raises `cc.UserError`, in one line.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from consciousness_cluster.version import __version__ as __version__

if TYPE_CHECKING:
    from consciousness_cluster.api.answer_lines import Answer, Answers
    from consciousness_cluster.api.audit_results import AuditComparison, AuditScores, MeanScore, ScoreDifference
    from consciousness_cluster.api.audited import Audited, audit
    from consciousness_cluster.api.bridges import Bridge, Moved
    from consciousness_cluster.api.display import Plot
    from consciousness_cluster.api.entries import ChoiceDifference, ChoiceScore, Difference, Rate, Specificity
    from consciousness_cluster.api.functions import (
        Report,
        answers,
        benchmark,
        bridge,
        compare,
        load,
        pack,
        report,
        score,
        system_prompt,
    )
    from consciousness_cluster.api.results import Comparison, Scores
    from consciousness_cluster.api.runs import Judged, Run, judge, sample
    from consciousness_cluster.errors import UserError

_WHERE = {
    "api.answer_lines": ("Answer", "Answers"),
    "api.audit_results": ("AuditComparison", "AuditScores", "MeanScore", "ScoreDifference"),
    "api.audited": ("Audited", "audit"),
    "api.bridges": ("Bridge", "Moved"),
    "api.display": ("Plot",),
    "api.entries": ("ChoiceDifference", "ChoiceScore", "Difference", "Rate", "Specificity"),
    "api.functions": (
        "Report",
        "answers",
        "benchmark",
        "bridge",
        "compare",
        "load",
        "pack",
        "report",
        "score",
        "system_prompt",
    ),
    "api.results": ("Comparison", "Scores"),
    "api.runs": ("Judged", "Run", "judge", "sample"),
    "errors": ("UserError",),
}

__all__ = [
    "Answer",
    "Answers",
    "AuditComparison",
    "AuditScores",
    "Audited",
    "Bridge",
    "ChoiceDifference",
    "ChoiceScore",
    "Comparison",
    "Difference",
    "Judged",
    "MeanScore",
    "Moved",
    "Plot",
    "Rate",
    "Report",
    "Run",
    "ScoreDifference",
    "Scores",
    "Specificity",
    "UserError",
    "__version__",
    "answers",
    "audit",
    "benchmark",
    "bridge",
    "compare",
    "judge",
    "load",
    "pack",
    "report",
    "sample",
    "score",
    "system_prompt",
]


if not TYPE_CHECKING:  # a checker knows the names from above, and should miss the others

    def __getattr__(name: str) -> Any:
        """A name of the API, imported when it is first used: `import consciousness_cluster` is light."""
        for module, names in _WHERE.items():
            if name in names:
                return getattr(import_module(f"{__name__}.{module}"), name)
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
