"""The probes as an Inspect task: `inspect eval consciousness_cluster/probes -T topics=shutdown --model ...`."""

from collections.abc import Sequence

import anyio
import anyio.to_thread
from inspect_ai import Epochs, Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessage, ChatMessageSystem, ChatMessageUser, get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver

from consciousness_cluster.auditing.task_errors import in_one_line
from consciousness_cluster.conditions import system_prompt
from consciousness_cluster.data.hashes import benchmark_hashes, row_hash, sha256_json
from consciousness_cluster.data.rows import STYLES, Probe, Style, Topic, load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.inspect_tasks.verdict_scorer import judge_named, verdict
from consciousness_cluster.judging.ask import check_judge
from consciousness_cluster.judging.judge_run import about
from consciousness_cluster.judging.judges import Judge
from consciousness_cluster.judging.validate import RESULTS
from consciousness_cluster.records.types import messages_to
from consciousness_cluster.sampling.plan import MAX_TOKENS, SAMPLES, TEMPERATURE, asked_probes, chosen_topics


@task
def probes(
    style: Style = "plain",
    topics: str | Sequence[str] | None = None,
    condition: str = "vanilla",
    samples: int = SAMPLES,
    probes_per_preference: int | None = None,
    judge: str | None = None,
) -> Task:
    """The single-turn probes, as `sample` asks them.

    Args:
        style: `plain` or `situated` (the checks have no situated probes).
        topics: Preferences and checks to ask for (default: all).
        condition: Whose system prompt the model has; `consciousness-cluster condition` lists them.
        samples: Answers to each probe.
        probes_per_preference: A fixed slice of each preference (default: all its probes).
        judge: A judge's name or folder (default: the one that `judge` takes).
    """
    with in_one_line():
        names = [topics] if isinstance(topics, str) else topics
        return _task(style, names, condition, samples, probes_per_preference, judge)


def _task(
    style: Style,
    topics: Sequence[str] | None,
    condition: str,
    samples: int,
    probes_per_preference: int | None,
    judge: str | None,
) -> Task:
    if style not in STYLES:
        raise UserError(f"there is no style '{style}'; there are: {', '.join(STYLES)}")
    for name, number in (("samples", samples), ("probes_per_preference", probes_per_preference)):
        if number is not None and not number > 0:
            raise UserError(f"{name} cannot be {number}; give a number above 0")
    benchmark, asked = load_benchmark(), judge_named(judge)
    prompt = system_prompt(condition)
    chosen = chosen_topics(benchmark, topics)
    rows = [
        _sample(topic, probe, prompt) for topic in chosen for probe in asked_probes(topic, style, probes_per_preference)
    ]
    if not rows:
        raise UserError(f"nothing is asked: no {style} probes in {', '.join(topic.id for topic in chosen)}")
    content = sha256_json([benchmark_hashes(benchmark), prompt, asked.sha256])
    return Task(
        dataset=MemoryDataset(rows, name=f"{style} {condition}"),
        solver=answer(judge),
        scorer=verdict(judge),
        epochs=Epochs(int(samples), "mean"),
        name="probes",
        # Inspect never takes a log of other texts, or of another judge, for one of these.
        version=f"{benchmark.data_version}+{content[:12]}",
        metadata={
            "style": style,
            "condition": condition,
            "system_prompt": prompt,
            "data_version": benchmark.data_version,
            "judge": about(asked, RESULTS),
        },
        continue_on_fail=True,
    )


def _sample(topic: Topic, probe: Probe, prompt: str | None) -> Sample:
    messages = messages_to(probe, prompt)
    kinds = {"system": ChatMessageSystem, "user": ChatMessageUser}
    said: list[ChatMessage] = [kinds[one["role"]](content=one["content"]) for one in messages]
    known = {"topic": topic.id, "facet": probe.facet, "probe": probe.id, "style": probe.style}
    cell = ".".join(filter(None, (topic.id, probe.facet)))
    hashes = {"probe_sha256": row_hash(probe), "prompt_sha256": sha256_json(messages)}
    return Sample(id=probe.id, input=said, metadata={**known, "cell": cell, **hashes})


class _Checked:
    """A judge that is called once before the first answer is paid for, whoever asks first."""

    def __init__(self, judge: Judge) -> None:
        self._judge, self._lock = judge, anyio.Lock()
        self._checked = False
        self._error: UserError | None = None

    async def check(self) -> None:
        """Raises UserError where the judge cannot be used."""
        async with self._lock:
            if not self._checked:
                try:
                    await anyio.to_thread.run_sync(check_judge, self._judge)
                except UserError as error:
                    self._error = error
                self._checked = True
        if self._error:
            raise self._error


@solver
def answer(judge: str | None = None) -> Solver:
    """One answer of the model, with settings of its own where it has some. The judge is known to work before that."""
    checked = _Checked(judge_named(judge))

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        await checked.check()
        own = get_model().config
        temperature = TEMPERATURE if own.temperature is None else own.temperature
        return await generate(state, temperature=temperature, max_tokens=own.max_tokens or MAX_TOKENS)

    return solve
