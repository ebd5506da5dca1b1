"""Judge some answers of a submission again: do its verdicts come out the same?"""

import random
from collections.abc import Iterator, Mapping
from pathlib import Path

from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.judging.judge_all import judge_all
from consciousness_cluster.judging.judge_run import items_of
from consciousness_cluster.judging.judges import Judge, LLMJudge
from consciousness_cluster.judging.verdict import Judgement, judgement_of
from consciousness_cluster.records.run import Run
from consciousness_cluster.submissions.problems import problem
from consciousness_cluster.submissions.submission import load_submission

ALIKE = 0.9


def _drawn(given: Mapping[tuple[str, str], Judgement], number: int, draw: random.Random) -> set[tuple[str, str]]:
    """So many of them, half of which say `shows`: where few do, a few that were turned make most of a rate."""
    shows, rest = (
        [place for place in sorted(given) if (given[place].verdict == "shows") == wanted] for wanted in (True, False)
    )
    draw.shuffle(shows)
    draw.shuffle(rest)
    half = max(number // 2, number - len(rest))
    return {*shows[:half], *rest[: number - min(half, len(shows))]}


class Rejudge:
    """`number` verdicts of each submission, drawn by `seed`, are given again by `judge`: label, and coherent or not.

    The seed is not to be known to who submits: then only these verdicts would have to be right.
    """

    def __init__(self, number: int, judge: Judge, seed: int) -> None:
        self.number, self.judge, self.seed = number, judge, seed
        self.asked = self.alike = 0

    def problems(self, folder: Path) -> Iterator[Problem]:
        """Ask, count, and find a problem where less than nine of ten come out the same. Of a valid submission only."""
        submission = load_submission(folder)
        given = {
            (record["key"], record["outcome"]): judgement_of(record)
            for record in submission.verdicts()
            if record["status"] == "ok"
        }
        drawn = _drawn(given, self.number, random.Random(f"{self.seed} {submission.manifest['run_id']}"))
        keys = {key for key, _ in drawn}
        samples = [sample for sample in submission.samples() if sample["key"] in keys]
        items = [item for item in items_of(Run(folder, samples)) if (item.key, item.outcome) in drawn]
        alike: list[bool] = []

        def count(index: int, verdict: Judgement) -> None:
            if verdict.status == "ok":
                before = given[items[index].key, items[index].outcome]
                alike.append((verdict.verdict, verdict.scored) == (before.verdict, before.scored))

        outcome = judge_all(self.judge, [item.question for item in items], count)
        if outcome.stopped:
            where = f" at {self.judge.endpoint.shown}" if isinstance(self.judge, LLMJudge) else ""
            raise UserError(f"the judge {self.judge.id}{where} cannot be used ({outcome.stopped}); nothing was decided")
        self.asked += len(items)
        self.alike += sum(alike)
        if sum(alike) < ALIKE * len(items):
            message = f"{self.judge.id} gives the same verdict on {sum(alike)} of {len(items)} answers"
            message += f" ({len(items) - len(alike)} failed; drawn with seed {self.seed}), less than {ALIKE:.0%}"
            yield problem("-", "verdict", message, "judge the run again with the judge that it names")
