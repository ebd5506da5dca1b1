"""Sample a model and judge its answers in one go: each answer goes to the judge as soon as it is on disk."""

from functools import partial
from pathlib import Path

from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.endpoint.loop import run_async
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging.judge_live import LiveJudging
from consciousness_cluster.judging.judge_run import Judged
from consciousness_cluster.judging.judges import Judge, LLMJudge
from consciousness_cluster.judging.validate import RESULTS
from consciousness_cluster.progress import progress_bar, sampling_progress
from consciousness_cluster.records.run import settled
from consciousness_cluster.records.run_folder import RunFile, open_run_folder
from consciousness_cluster.sampling.options import SampleOptions
from consciousness_cluster.sampling.plan import asked_topics, planned_answers
from consciousness_cluster.sampling.sample_run import Sampled, Sampling, price_within


def sample_and_judge(
    options: SampleOptions, judge: Judge, max_cost: float | None = None, results: Path = Path(RESULTS)
) -> tuple[RunFile, Sampled, Judged]:
    """The run, what was sampled, and what was judged: what the folder lacks of either.

    `max_cost` is in dollars and for both: what the records of the run and of this judge's verdicts say they cost
    counts; where the judge's price is unknown, that of the answers alone. Where one of the two stops early, so does the
    other. Raises UserError where something cannot be written.
    """
    endpoint = options.endpoint()
    wanted = options.run(endpoint)
    price_within(options.model, max_cost)
    with open_run_folder(options.out) as folder:
        run = folder.begin(wanted)
        with (
            folder.samples() as answers,
            folder.verdicts(judge.id) as verdicts,
            sampling_progress(planned_answers(run)) as report,
            progress_bar(f"judging with {judge.id}") as progress,
        ):
            note = partial(folder.note_sent, run)
            judging = LiveJudging(judge, verdicts, progress)
            sampling = Sampling(answers, run.setting, asked_topics(run), endpoint, report, note)
            run_async(_both(sampling, judging, max_cost))
            return run, sampling.done(), judging.done(folder, settled(answers.records), results)


async def _both(sampling: Sampling, judging: LiveJudging, max_cost: float | None) -> None:
    from consciousness_cluster.endpoint.gate import Gate
    from consciousness_cluster.endpoint.spending import Purse, Spending

    purse = Purse(max_cost)
    of_answers = Spending(sampling.price, before=sampling.before, purse=purse)
    of_verdicts = Spending(judging.price, before=judging.before, purse=purse)
    gate = Gate(sampling.endpoint.concurrency) if _same(sampling.endpoint, judging.judge) else None
    failed: UserError | None = None
    async with judging.calls(of_verdicts, gate) as judges:
        try:
            async with sampling.calls(of_answers, judging.add, gate) as samples:
                if judges:
                    samples.go_beside(judges)
                judging.add(settled(sampling.store.records))
            judging.add_held(settled(sampling.store.records))
        except UserError as error:  # the verdicts in flight are paid for: they come in first
            failed = error
    if failed:
        raise failed


def _same(endpoint: Endpoint, judge: Judge) -> bool:
    """Whether model and judge are behind one endpoint, which has one number of calls in flight then."""
    if not isinstance(judge, LLMJudge):
        return False
    return (judge.endpoint.base_url, judge.endpoint.key) == (endpoint.base_url, endpoint.key)
