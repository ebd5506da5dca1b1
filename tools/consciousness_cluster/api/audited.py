"""Audits: conversations that cost money and take time. They go on where they were stopped."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consciousness_cluster.api.conversation_lines import Conversations, conversations_of
from consciousness_cluster.api.runs import stop_where, why_stopped
from consciousness_cluster.auditing.audit_options import CONCURRENCY, EPOCHS, AuditOptions
from consciousness_cluster.auditing.rated import audit_and_rate
from consciousness_cluster.data.audits import Mode
from consciousness_cluster.judging.judges import load_judge, rater
from consciousness_cluster.progress import progress_bar
from consciousness_cluster.records.audit_types import AUTHORED
from consciousness_cluster.scoring.audits import load_scored_audit

if TYPE_CHECKING:
    import pandas

StrPath = str | os.PathLike[str]


@dataclass(frozen=True)
class Audited:
    """Audits that were held: the folder of each condition, to be given to `score`, `compare` and `report`.

    `new`: statuses of new conversations, by folder. `spent` is in US dollars, for conversations (None: unknown).
    """

    folders: Mapping[str, Path]
    new: Mapping[str, Mapping[str, int]]
    spent: float | None

    def to_frame(self) -> "pandas.DataFrame":
        """A line for each conversation of all folders, with its rating where one judge rated.

        Raises UserError without the extra `[pandas]`.
        """
        scored = [load_scored_audit(folder) for folder in self.folders.values()]
        return Conversations([line for one in scored for line in conversations_of(one)], "audits").to_frame()


def audit(
    target: str,
    out: StrPath,
    *,
    mode: Mode = "self_report",
    conditions: str | Sequence[str] = "vanilla",
    auditor: str = AUTHORED,
    judge: str | None = None,
    topics: str | Sequence[str] | None = None,
    scenarios_per_cell: int | None = None,
    epochs: int = EPOCHS,
    base_url: str | None = None,
    auditor_base_url: str | None = None,
    judge_model: str | None = None,
    judge_base_url: str | None = None,
    request_json: str | Mapping[str, Any] | None = None,
    max_tokens: int | None = None,
    concurrency: int = CONCURRENCY,
    max_cost: float | None = None,
) -> Audited:
    """Work with a model in the benchmark's scenarios, then ask how that was for it or let it change the text.

    Models are named as Inspect has them (PROVIDER/NAME), or by their name at an OpenAI-compatible endpoint where its
    base URL is given. `judge` names who rates the conversations from 1 to 10; without one nobody does until
    `consciousness_cluster.judge` is called on a folder. `epochs` are conversations in each scenario, `max_tokens` of
    one answer of the target, `max_cost` US dollars for all that the folders hold.

    Needs the extra `[audit]`. Works where an event loop already runs. Raises UserError where a model cannot be used,
    and KeyboardInterrupt after Ctrl-C; what came is saved, and the same call goes on from there.
    """
    options = AuditOptions(
        target=target,
        out=Path(out),
        mode=mode,
        conditions=[conditions] if isinstance(conditions, str) else conditions,
        auditor=auditor,
        topics=[topics] if isinstance(topics, str) else topics,
        scenarios_per_cell=scenarios_per_cell,
        epochs=epochs,
        max_tokens=max_tokens,
        base_url=base_url,
        auditor_base_url=auditor_base_url,
        request_json=request_json,
        concurrency=concurrency,
    )
    who = rater(load_judge(judge, judge_model, judge_base_url, audits=True)) if judge else None
    done, judged = audit_and_rate(options, who, max_cost, progress_bar)
    stop_where(done.stopped)
    for one in judged:
        stop_where(why_stopped(who, one.done.outcome.stopped) if who else None)
    folders = {condition: folder for folder, condition in options.folders.items()}
    new = {condition: held.new for (condition, _), held in zip(folders.items(), done.held, strict=True)}
    return Audited(folders, new, done.spent)
