"""Judge the answers of a run while they still come: each goes to the judge as soon as it is on disk."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from consciousness_cluster.judging.ask import Asker, Outcome
from consciousness_cluster.judging.ask_into import Progress
from consciousness_cluster.judging.judge_all import VERDICTS
from consciousness_cluster.judging.judge_run import Judged, about, items_in, items_of, judged_in, with_sent
from consciousness_cluster.judging.judges import EmbeddedJudge, Judge
from consciousness_cluster.judging.prompt import Question
from consciousness_cluster.judging.verdict import Judgement
from consciousness_cluster.judging.work import verdicts_into
from consciousness_cluster.records.opened import maybe_within_trace
from consciousness_cluster.records.run import Run
from consciousness_cluster.records.run_folder import RunWriter
from consciousness_cluster.records.store import Store
from consciousness_cluster.records.types import Sample, Verdict

if TYPE_CHECKING:
    from consciousness_cluster.endpoint.caller import Caller
    from consciousness_cluster.endpoint.gate import Gate
    from consciousness_cluster.endpoint.spending import Spending


class LiveJudging:
    """A round of judging into an open store, whose samples come one after the other."""

    def __init__(self, judge: Judge, store: Store[Verdict], progress: Progress = lambda done, total: None) -> None:
        self.judge, self._store = judge, store
        self._asking = verdicts_into(judge, store, progress)
        self.price, self.before = self._asking.price, self._asking.before
        self._asker: Asker[Question, Judgement] | None = None
        self._outcome = Outcome()
        self._number = 0
        self._held: set[str] = set()

    @asynccontextmanager
    async def calls(self, spending: "Spending", gate: "Gate | None" = None) -> "AsyncIterator[Caller | None]":
        """Within the block `add` asks the judge; its end waits for all verdicts. The embedded judge needs no calls."""
        if isinstance(self.judge, EmbeddedJudge):
            yield None
            return
        from consciousness_cluster.endpoint.caller import Caller

        proven = self._asking.proven
        async with Caller(self.judge.endpoint, spending, proven=proven, gate=gate) as caller:
            self._asker = Asker(VERDICTS, self.judge, caller, self._asking.write, proven)
            yield caller
        self._outcome = self._asker.end()

    def add(self, samples: Sequence[Sample]) -> None:
        """Judge what lacks a verdict of samples that are on disk, but for those that others may show to be traces."""
        self._held |= {sample["key"] for sample in samples if maybe_within_trace(sample)}
        self._ask([sample for sample in samples if not maybe_within_trace(sample)])

    def add_held(self, samples: Sequence[Sample]) -> None:
        """Judge what was held back; `samples` are all of the run, read together."""
        self._ask([sample for sample in samples if sample["key"] in self._held])

    def _ask(self, samples: Sequence[Sample]) -> None:
        questions = self._asking.open({item.place: item.question for item in items_in(samples)})
        if self._asker:
            self._asker.add(questions)
        elif isinstance(self.judge, EmbeddedJudge):
            for index, said in enumerate(self.judge.model.verdicts(questions), self._number):
                self._asking.write(index, said)
        self._number += len(questions)

    def done(self, folder: RunWriter, samples: list[Sample], results: Path) -> Judged:
        """What became of the verdicts on all samples of the run, after the calls; who judged is written beside them."""
        run, who, path = Run(folder.folder, samples), about(self.judge, results), self._store.path
        places = {item.place for item in items_of(run)}
        done = self._asking.done(self._outcome, places)
        if self._store.records:
            who = with_sent(who, path, done.outcome)
            folder.write_judge_card(who)
        return judged_in(run, path, who, done, len(places))
