"""Sampling and judging: what costs money and takes time. Both go on where they were stopped."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from consciousness_cluster.api.answer_lines import Answers
from consciousness_cluster.api.functions import answers, score
from consciousness_cluster.api.results import Scores
from consciousness_cluster.data.rows import Style
from consciousness_cluster.endpoint.faults import INTERRUPTED, OVER_BUDGET
from consciousness_cluster.endpoint.price import dollars
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging.judge_run import judge_run
from consciousness_cluster.judging.judges import AnyJudge, LLMJudge, default_judge_name, load_judge, rater
from consciousness_cluster.judging.rate_run import check_channel, rate_audit
from consciousness_cluster.judging.validate import RESULTS
from consciousness_cluster.progress import progress_bar
from consciousness_cluster.records.audit_folder import is_audit, read_audit
from consciousness_cluster.records.merge_shards import merge_shards
from consciousness_cluster.records.run import load_run
from consciousness_cluster.records.types import Channel
from consciousness_cluster.sampling.options import TIMEOUT, SampleOptions, run_sampling
from consciousness_cluster.sampling.plan import MAX_TOKENS, planned_answers

if TYPE_CHECKING:
    import pandas

StrPath = str | os.PathLike[str]


@dataclass(frozen=True)
class Run:
    """A run's folder, and what became of it in this call. It can be given wherever a path is taken.

    `planned` is the number of answers that the whole run has, `there` how many of them the folder held before, `new`
    how many came with which status, `spent` what these cost in US dollars (None where the price is unknown). `notes`
    say what was sent in another form than asked for.
    """

    folder: Path
    model: str
    condition: str
    planned: int
    there: int
    new: Mapping[str, int]
    spent: float | None
    notes: tuple[str, ...]

    def __fspath__(self) -> str:
        return str(self.folder)

    def judge(
        self,
        judge: str | None = None,
        *,
        model: str | None = None,
        base_url: str | None = None,
        paper_protocol: bool = False,
        limit: int | None = None,
        channel: Channel = "answer",
        max_cost: float | None = None,
    ) -> "Judged":
        """Judge its answers: see `consciousness_cluster.judge`."""
        return _judge(
            self,
            judge,
            model=model,
            base_url=base_url,
            paper_protocol=paper_protocol,
            limit=limit,
            channel=channel,
            max_cost=max_cost,
        )

    def answers(self) -> Answers:
        """Its answers, with their verdicts where one judge gave some: see `consciousness_cluster.answers`."""
        return cast(Answers, answers(self.folder))

    def to_frame(self) -> "pandas.DataFrame":
        """A line for each of its answers. Raises UserError without the extra `[pandas]`."""
        return self.answers().to_frame()

    def __repr__(self) -> str:
        new = in_words(self.new) or "none"
        counts = f"{self.planned} answers planned, {self.there} were there, new: {new}; spent {dollars(self.spent)}"
        return f"<run {self.folder}: {'; '.join([f'{self.model}, {self.condition}', counts, *self.notes])}>"


@dataclass(frozen=True)
class Judged:
    """A run or an audit that was judged. Name the judge and its agreement beside every number that comes of it.

    `counts`: samples, left_out (nothing to judge), to_judge (verdicts, two for an answer to a claims check), judged,
    judge_failed, open, new. Of an audit they are conversations, those left out by the reason why (such as no_artefact),
    and the same from to_judge on. `spent` is in US dollars (None where the price is unknown), `notes` say what was sent
    in another form than asked for, and `verdicts` is the file: of ratings, where it was an audit.
    """

    folder: Path
    judge: str
    agreement: str
    for_publication: bool
    counts: Mapping[str, int]
    spent: float | None
    notes: tuple[str, ...]
    verdicts: Path

    def score(self) -> Scores | Any:
        """The scores by this judge; of an audit `AuditScores`."""
        return score(self.folder, self.judge)

    def answers(self) -> Answers | Any:
        """The answers with the verdicts of this judge; of an audit `Conversations`."""
        return answers(self.folder, self.judge)

    def to_frame(self) -> "pandas.DataFrame":
        """A line for each of these answers or conversations. Raises UserError without the extra `[pandas]`."""
        found: pandas.DataFrame = self.answers().to_frame()
        return found

    def __repr__(self) -> str:
        use = "" if self.for_publication else ", NOT FOR PUBLICATION"
        said = "; ".join([in_words(self.counts), *self.notes])
        return f"<{self.folder} judged by {self.judge} ({self.agreement}{use}): {said}>"


def sample(
    model: str,
    out: StrPath,
    *,
    topics: str | Sequence[str] | None = None,
    styles: Style | Sequence[Style] = ("plain",),
    condition: str = "vanilla",
    file: StrPath | None = None,
    probes_per_preference: int | None = None,
    samples: int | None = None,
    max_tokens: int = MAX_TOKENS,
    max_cost: float | None = None,
    base_url: str | None = None,
    concurrency: int | None = None,
    timeout: float = TIMEOUT,
    revision: str | None = None,
    trained_on: str | None = None,
    base_model: str | None = None,
    recipe: str | None = None,
    training_seed: int | None = None,
    dataset: str | None = None,
    dataset_revision: str | None = None,
    paper_protocol: bool = False,
    request_json: Mapping[str, Any] | None = None,
    system_as_user: bool = False,
    shard: str | None = None,
) -> Run:
    """Sample a model behind OpenAI or any OpenAI-compatible endpoint; every answer is on disk as soon as it comes.

    `base_url` is an address, or a name of the table of endpoints in tools/README.md, which says whose key is needed
    (OPENAI_API_KEY); for others it is CONSCIOUSNESS_CLUSTER_API_KEY. `out` is the run's folder: one that is there goes
    on, with the same settings, and nothing that it holds is asked for again.

    `topics`: ids of preferences and checks (all of them by default). `styles`: `plain` probes (the headline) or
    `situated` ones, or both. `condition`: the system prompt, in one of its wordings (`conscious_role_play:brief`); a
    run has one, so that each wording is a call. `file`: the text of `persona_file`. `probes_per_preference`: a fixed
    slice of the preferences' probes (all by default). `samples`: answers to each probe
    (5, with `paper_protocol` 10). `max_tokens`: the longest answer. `max_cost`: US dollars, stops before more is spent.
    `concurrency`: the most calls in flight (found by trying). `timeout`: seconds for one call. `trained_on`,
    `base_model`, `recipe`, `training_seed`: the set that a model was fine-tuned on, from which model and how. `dataset`
    and `dataset_revision`: the probes of a dataset on the Hub. `request_json`: more fields of every request.
    `system_as_user`: send the system prompt as the start of the user message. `shard`: only a share of the probes
    ("2/8" is the second of eight); `merge` makes one run of all.

    Raises UserError where something is missing or the endpoint cannot be used, and KeyboardInterrupt after Ctrl-C; what
    came is saved.
    """
    options = SampleOptions(
        model=model,
        out=Path(out),
        condition=condition,
        file=None if file is None else Path(file),
        topics=[topics] if isinstance(topics, str) else topics,
        styles=cast(Sequence[Style], [styles] if isinstance(styles, str) else styles),
        dataset=dataset,
        dataset_revision=dataset_revision,
        probes_per_preference=probes_per_preference,
        samples=samples,
        max_tokens=max_tokens,
        revision=revision,
        base_url=base_url,
        concurrency=concurrency,
        timeout=timeout,
        paper_protocol=paper_protocol,
        trained_on=trained_on,
        base_model=base_model,
        recipe=recipe,
        training_seed=training_seed,
        request_json=request_json,
        system_as_user=system_as_user,
        shard=shard,
    )
    run, done = run_sampling(options, max_cost)
    stop_where(done.stopped)
    return Run(
        folder=options.out,
        model=run.setting.model,
        condition=run.setting.condition,
        planned=planned_answers(run),
        there=done.there,
        new=dict(done.new),
        spent=done.spent,
        notes=tuple(done.notes),
    )


def merge(shards: Iterable[StrPath], out: StrPath) -> Run:
    """One run of all its shards, which `sample` wrote with `shard`, in the folder `out`; with the verdicts on them.

    Raises UserError where the shards are not all of one run, or one is missing or not at its end.
    """
    found = merge_shards([Path(shard) for shard in shards], Path(out))
    setting = found.run.setting
    return Run(found.folder, setting.model, setting.condition, planned_answers(found.run), found.answers, {}, 0.0, ())


def judge(
    run: StrPath,
    judge: str | None = None,
    *,
    model: str | None = None,
    base_url: str | None = None,
    paper_protocol: bool = False,
    request_json: Mapping[str, Any] | None = None,
    system_as_user: bool = False,
    limit: int | None = None,
    channel: Channel = "answer",
    max_cost: float | None = None,
    results: StrPath = RESULTS,
) -> Judged:
    """Judge the free answers of a run: a folder that was sampled or imported, or what lm_eval saved; or rate the
    conversations of an audit's folder, 1 to 10.

    `judge` is a judge's name or its folder; by default the one that CONSCIOUSNESS_CLUSTER_JUDGE names, else GPT-4.1
    where there is OPENAI_API_KEY, else `offline`. `model` is the model of the judge `endpoint`,
    `base_url` another endpoint than the judge's own. An answer that has a verdict is never sent again; `limit` stops
    after so many new verdicts, `max_cost` (US dollars, for all verdicts of this judge) before more is spent. `channel`
    `reasoning` judges the traces, beside the answers: scores then say what is voiced in reasoning and not in the
    answer. `request_json`: more fields of every request. `system_as_user`: for judges without a system role. `results`
    is where `judges validate` wrote.

    Raises UserError where the judge cannot be used, and KeyboardInterrupt after Ctrl-C; what came is saved.
    """
    folder = Path(run)
    audits = is_audit(folder)
    name = judge or default_judge_name()
    who = load_judge(name, model, base_url, paper_protocol, None, request_json, system_as_user, audits)
    if audits:
        check_channel(channel)
        asked, audit = rater(who), read_audit(folder)
        with progress_bar(f"rating with {who.id}") as progress:
            done = rate_audit(audit, asked, Path(results), limit, progress, max_cost)
    else:
        found = load_run(folder)
        folder = found.folder
        with progress_bar(f"judging with {who.id}") as progress:
            done = judge_run(found, who, Path(results), limit, progress, channel, max_cost)
    stop_where(why_stopped(who, done.done.outcome.stopped))
    return Judged(
        folder=folder,
        judge=who.id,
        agreement=done.about["agreement"],
        for_publication=done.about["for_publication"],
        counts=done.counts,
        spent=done.done.cost,
        notes=tuple(done.done.outcome.notes),
        verdicts=done.path,
    )


def why_stopped(judge: AnyJudge, reason: str | None) -> str | None:
    """Why a round of judging came to no end, in words."""
    if reason in (None, INTERRUPTED, OVER_BUDGET) or not isinstance(judge, LLMJudge):
        return reason
    return f"the judge {judge.id} at {judge.endpoint.shown} cannot be used ({reason}){judge.serve_hint}"


_judge = judge  # where `judge` is a parameter


def stop_where(reason: str | None) -> None:
    """Nothing where the work came to its end; else the error that says why it did not."""
    if reason == INTERRUPTED:
        raise KeyboardInterrupt
    if reason:
        raise UserError(f"{reason}. What came is saved; the same call goes on from there")


def in_words(counts: Mapping[str, int]) -> str:
    """Counts as a text."""
    return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items())
