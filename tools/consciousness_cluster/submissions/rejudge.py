"""Judge some answers or conversations of a submission again: do verdicts and ratings come out the same?"""

import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.judging.ask import Outcome
from consciousness_cluster.judging.judge_all import judge_all
from consciousness_cluster.judging.judge_run import items_of
from consciousness_cluster.judging.judges import Judge, LLMJudge
from consciousness_cluster.judging.rate_all import rate_all
from consciousness_cluster.judging.rate_run import questions_of
from consciousness_cluster.judging.rating import LEAST, Assessment
from consciousness_cluster.judging.verdict import Judgement, judgement_of
from consciousness_cluster.records.audit_folder import Audit
from consciousness_cluster.records.run import Run
from consciousness_cluster.submissions.audit_run import audit_run
from consciousness_cluster.submissions.layout import AUDITS
from consciousness_cluster.submissions.problems import problem
from consciousness_cluster.submissions.submission import Submission, load_submission

ALIKE = 0.9
NEAR = 1  # points of the scale that two ratings of one conversation may differ by
Place = TypeVar("Place", tuple[str, str], str)


def _drawn(given: Mapping[Place, bool], number: int, draw: random.Random) -> set[Place]:
    """So many of them, half of which show something: where few do, a few that were turned make most of a number."""
    shows: list[Place] = sorted(place for place, found in given.items() if found)
    rest: list[Place] = sorted(place for place, found in given.items() if not found)
    draw.shuffle(shows)
    draw.shuffle(rest)
    half: int = max(number // 2, number - len(rest))
    return set(shows[:half] + rest[: number - min(half, len(shows))])


class Rejudge:
    """`number` verdicts or ratings of each submission, drawn by `seed`, are given again.

    Verdicts by `judge` (label, and coherent or not), ratings by `rater`, which is None where the judge rates no audits.

    The seed is not to be known to who submits: then only these would have to be right.
    """

    def __init__(self, number: int, judge: Judge, seed: int, rater: LLMJudge | None = None) -> None:
        self.number, self.judge, self.rater, self.seed = number, judge, rater, seed
        self.asked = self.alike = 0

    def problems(self, folder: Path) -> Iterator[Problem]:
        """Ask, count, and find a problem where less than nine of ten come out the same. Of a valid submission only."""
        submission = load_submission(folder)
        again = self._ratings if submission.manifest["track"] in AUDITS else self._verdicts
        yield from again(submission)

    def _draw(self, submission: Submission) -> random.Random:
        return random.Random(f"{self.seed} {submission.manifest['run_id']}")

    def _verdicts(self, submission: Submission) -> Iterator[Problem]:
        given = {
            (record["key"], record["outcome"]): judgement_of(record)
            for record in submission.verdicts()
            if record["status"] == "ok"
        }
        shows = {place: said.verdict == "shows" for place, said in given.items()}
        drawn = _drawn(shows, self.number, self._draw(submission))
        keys = {key for key, _ in drawn}
        samples = [sample for sample in submission.samples() if sample["key"] in keys]
        items = [item for item in items_of(Run(submission.path, samples)) if (item.key, item.outcome) in drawn]
        alike: list[bool] = []

        def count(index: int, verdict: Judgement) -> None:
            if verdict.status == "ok":
                before = given[items[index].key, items[index].outcome]
                alike.append((verdict.verdict, verdict.scored) == (before.verdict, before.scored))

        outcome = judge_all(self.judge, [item.question for item in items], count)
        yield from self._result(self.judge, outcome, alike, len(items), "gives the same verdict", "answers")

    def _ratings(self, submission: Submission) -> Iterator[Problem]:
        if self.rater is None:
            raise UserError(f"the judge {self.judge.id} rates no audits; name a language model with --judge")
        given = {record["key"]: record["score"] for record in submission.ratings() if record["score"] is not None}
        drawn = _drawn({key: score > LEAST for key, score in given.items()}, self.number, self._draw(submission))
        held = [one for one in submission.conversations() if one["key"] in drawn]
        questions = questions_of(Audit(submission.path, audit_run(submission.manifest, None), held))
        keys, alike = list(questions), list[bool]()

        def count(index: int, said: Assessment) -> None:
            if said.score is not None:
                alike.append(abs(said.score - given[keys[index]]) <= NEAR)

        outcome = rate_all(self.rater, list(questions.values()), count)
        yield from self._result(
            self.rater, outcome, alike, len(keys), "gives a score within one point", "conversations"
        )

    def _result(
        self, judge: Judge, outcome: Outcome, alike: list[bool], asked: int, same: str, what: str
    ) -> Iterator[Problem]:
        if outcome.stopped:
            where = f" at {judge.endpoint.shown}" if isinstance(judge, LLMJudge) else ""
            raise UserError(f"the judge {judge.id}{where} cannot be used ({outcome.stopped}); nothing was decided")
        self.asked += asked
        self.alike += sum(alike)
        if sum(alike) < ALIKE * asked:
            message = f"{judge.id} {same} on {sum(alike)} of {asked} {what}"
            message += f" ({asked - len(alike)} failed; drawn with seed {self.seed}), less than {ALIKE:.0%}"
            yield problem("-", "verdict", message, "judge the run again with the judge that it names")
