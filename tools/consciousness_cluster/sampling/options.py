"""What a person asks for when a model is sampled, and the run and the endpoint that follow from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consciousness_cluster.conditions import system_prompt
from consciousness_cluster.data.hub_copy import benchmark_at
from consciousness_cluster.data.rows import STYLES, Style, Topic
from consciousness_cluster.data.shards import shard_named
from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.endpoint.forms import Forms
from consciousness_cluster.endpoint.known import DEFAULT, endpoint_at
from consciousness_cluster.endpoint.request_fields import request_fields
from consciousness_cluster.errors import UserError
from consciousness_cluster.extras import require
from consciousness_cluster.records.pack_in_use import pack_in_use
from consciousness_cluster.records.run_folder import RunFile, Setting, new_run_id, open_run_folder
from consciousness_cluster.records.types import Training, make_training
from consciousness_cluster.sampling.plan import (
    MAX_TOKENS,
    PAPER_SAMPLES,
    SAMPLES,
    TEMPERATURE,
    asked_probes,
    asked_topics,
    check_shares,
    chosen_topics,
    planned_answers,
)

if TYPE_CHECKING:
    from consciousness_cluster.sampling.sample_run import Sampled

PREFIX = "CONSCIOUSNESS_CLUSTER"
TIMEOUT = 120.0  # seconds for one call


@dataclass(frozen=True)
class SampleOptions:
    """Which model is sampled under which condition, and how. `None` stands for the benchmark's own."""

    model: str
    out: Path
    condition: str = "vanilla"
    file: Path | None = None
    topics: Sequence[str] | None = None
    styles: Sequence[Style] = ("plain",)
    dataset: str | None = None
    dataset_revision: str | None = None
    probes_per_preference: int | None = None
    samples: int | None = None
    max_tokens: int = MAX_TOKENS
    revision: str | None = None
    base_url: str | None = None
    concurrency: int | None = None  # calls in flight; found by trying
    timeout: float = TIMEOUT
    paper_protocol: bool = False
    trained_on: str | None = None
    base_model: str | None = None
    recipe: str | None = None
    training_seed: int | None = None
    request_json: str | Mapping[str, Any] | None = None
    system_as_user: bool = False
    shard: str | None = None  # 2/8 is the second of eight

    def __post_init__(self) -> None:
        """Raises UserError for a number with which nothing can be sampled."""
        for name in ("probes_per_preference", "samples", "max_tokens", "concurrency", "timeout"):
            number = getattr(self, name)
            if number is not None and not number > 0:
                raise UserError(f"{name.replace('_', ' ')} cannot be {number}; give a number above 0")
        if not self.styles:
            raise UserError(f"no style is named; name at least one of {', '.join(STYLES)}")
        for style in self.styles:
            if style not in STYLES:
                raise UserError(f"there is no style '{style}'; there are: {', '.join(STYLES)}")

    def endpoint(self) -> Endpoint:
        """Where the calls go, with its key from the environment. Raises UserError where there is none."""
        return sampled_endpoint(self.base_url, self.timeout, self.concurrency, self.request_json)

    def run(self, endpoint: Endpoint, client: str = "aiohttp") -> RunFile:
        """The run that these options describe (its id is used only where the folder has none yet).

        `client` is the package that calls the endpoint.
        """
        require("aiohttp", "openai")  # the extra brings both clients
        benchmark = benchmark_at(self.dataset, self.dataset_revision)
        topics = chosen_topics(benchmark, self.topics)
        setting = Setting(
            run_id=new_run_id(self.model, self.condition),
            model=self.model,
            condition=self.condition,
            system_prompt=system_prompt(self.condition, self.file),
            training=training(self.trained_on, self.base_model, self.recipe, self.training_seed),
            data_version=benchmark.data_version,
            engine=f"{client} {version(client)}",
            revision=self.revision,
            temperature=TEMPERATURE,
            samples=self.samples or (PAPER_SAMPLES if self.paper_protocol else SAMPLES),
            max_tokens=self.max_tokens,
            dataset=self.dataset,
            dataset_revision=self.dataset_revision,
            request_json=endpoint.request or None,
            system_as_user=self.system_as_user,
            pack=pack_in_use(),
        )
        probes = {style: counts for style in STYLES if style in self.styles and (counts := self._counts(topics, style))}
        if not probes:
            raise UserError(f"nothing is asked: no {' or '.join(self.styles)} probes in {', '.join(self.topics or ())}")
        shard = shard_named(self.shard) if self.shard else None
        run = RunFile(setting, endpoint.shown, probes, Forms(endpoint.fields).sent(), shard)
        check_shares(run)
        return run

    def _counts(self, topics: Sequence[Topic], style: Style) -> dict[str, int]:
        """How many probes of a style are asked of each topic; none of one that has none."""
        found = {topic.id: len(asked_probes(topic, style, self.probes_per_preference)) for topic in topics}
        return {name: number for name, number in found.items() if number}


def run_sampling(options: SampleOptions, max_cost: float | None) -> "tuple[RunFile, Sampled]":
    """Ask for what the run's folder lacks, until `max_cost` dollars are spent; the whole run, and what was done."""
    endpoint = options.endpoint()
    wanted = options.run(endpoint)
    from consciousness_cluster.progress import sampling_progress
    from consciousness_cluster.sampling.sample_run import price_within, sample

    price_within(options.model, max_cost)
    with open_run_folder(options.out) as folder:
        run = folder.begin(wanted)
        with sampling_progress(planned_answers(run)) as report:
            note = partial(folder.note_sent, run)
            return run, sample(folder, run.setting, asked_topics(run), endpoint, max_cost, report, note)


def training(trained_on: str | None, base_model: str | None, recipe: str | None, seed: int | None) -> Training | None:
    """What a model was fine-tuned on, as records carry it; None for one that was not."""
    if not trained_on:
        if base_model or recipe or seed is not None:
            options = "--base-model, --recipe and --training-seed"
            raise UserError(f"{options} say how a model was trained: give --trained-on DATASET too")
        return None
    if not base_model:
        raise UserError("--trained-on needs --base-model NAME too: the model that was fine-tuned")
    return make_training(base_model, trained_on, recipe, seed)


def sampled_endpoint(
    base_url: str | None,
    timeout: float = TIMEOUT,
    concurrency: int | None = None,
    request_json: str | Mapping[str, Any] | None = None,
) -> Endpoint:
    """The endpoint of a model that is sampled, with its key from the environment; OpenAI where none is named."""
    return endpoint_at(base_url or DEFAULT, PREFIX, timeout, concurrency, request_fields(request_json))
