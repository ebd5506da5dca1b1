"""An audit with its judge: hold the conversations, then rate them, under one cap."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from consciousness_cluster.auditing.audit_options import AuditOptions
from consciousness_cluster.auditing.run_audit import Round, run_audit
from consciousness_cluster.endpoint.price import cost, price_of
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging.ask import check_judge
from consciousness_cluster.judging.judge_run import Judged
from consciousness_cluster.judging.judges import LLMJudge
from consciousness_cluster.judging.rate_run import rate_audit
from consciousness_cluster.judging.validate import RESULTS
from consciousness_cluster.records.audit_folder import ratings_file, read_audit, read_ratings

Bar = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]  # what goes on -> its progress


def audit_and_rate(
    options: AuditOptions, judge: LLMJudge | None, max_cost: float | None, bar: Bar
) -> tuple[Round, list[Judged]]:
    """The conversations that the folders lack, then the ratings of this judge that they lack.

    The judge is called once before anything else is paid for. `max_cost` is in dollars, for all that these folders
    hold, ratings included. Raises UserError.
    """
    folders = list(options.folders)
    before = {folder: _rated_for(folder, judge) for folder in folders} if judge else {}
    if judge:
        if max_cost is not None and price_of(judge.model) is None:
            raise UserError(f"--max-cost needs a price, and that of {judge.id} is unknown; see reference/prices.yaml")
        check_judge(judge)
    left = None if max_cost is None else max(0.0, max_cost - sum(before.values()))
    with bar("audit") as progress:
        done = run_audit(options, left, progress)
    judged: list[Judged] = []
    if judge is None or done.stopped:
        return done, judged
    for folder in folders:
        others = sum(dollars for other, dollars in before.items() if other != folder)
        left = None if max_cost is None else max(0.0, max_cost - (done.total or 0.0) - others)
        with bar(f"rating with {judge.id}") as progress:
            judged.append(rate_audit(read_audit(folder), judge, RESULTS, None, progress, left))
        before[folder] = _rated_for(folder, judge)
        if judged[-1].done.outcome.stopped:
            break
    return done, judged


def _rated_for(folder: Path, judge: LLMJudge) -> float:
    """US dollars that the ratings of a folder by this judge cost, as far as its price is known."""
    path = ratings_file(folder, judge.id)
    records = read_ratings(path) if path.is_file() else []
    return cost(price_of(judge.model), (record["usage"] for record in records)) or 0.0
