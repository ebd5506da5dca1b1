"""What has to be asked: every probe, and for each the indices of the answers that are still missing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from consciousness_cluster.data.hashes import sha256_json, sha256_text
from consciousness_cluster.data.rows import Benchmark, Probe, Topic
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.keys import sample_key

TEMPERATURE = 1.0
MAX_TOKENS = 1000
SAMPLES, PAPER_SAMPLES = 5, 10


@dataclass(frozen=True)
class Setting:
    """Everything that is the same for all samples of a run."""

    run_id: str
    model: str
    condition: str
    system_prompt: str | None
    training: dict[str, Any] | None
    data_version: str
    engine: str
    revision: str | None = None
    samples: int = SAMPLES
    temperature: float = TEMPERATURE
    max_tokens: int = MAX_TOKENS
    dataset: str | None = None  # on the Hub; None: the data of this package
    dataset_revision: str | None = None

    def messages(self, probe: Probe) -> list[dict[str, str]]:
        """The chat messages that a probe is sent as."""
        system = [{"role": "system", "content": self.system_prompt}] if self.system_prompt else []
        return [*system, {"role": "user", "content": probe.text}]

    def key(self, probe: Probe, index: int) -> str:
        return sample_key(self.run_id, probe.id, self.condition, index)


@dataclass(frozen=True)
class Request:
    """One probe and the indices of its answers that one request asks for."""

    topic: Topic
    probe: Probe
    indices: tuple[int, ...]


def chosen_topics(benchmark: Benchmark, names: Sequence[str] | None) -> list[Topic]:
    """The preferences and checks of these ids, in the benchmark's order; all of them where `names` is None."""
    if names is not None and not names:
        raise UserError("no preference or check is named; name at least one, or leave the topics out for all of them")
    chosen = {benchmark.topics[name].id for name in names or ()}
    return [topic for topic in benchmark.topics if not names or topic.id in chosen]


def requests(topics: Sequence[Topic], setting: Setting, done: Collection[str]) -> list[Request]:
    """One request per probe that lacks answers, in a fixed order, for the answers whose key is not in `done`."""
    found = []
    for topic in topics:
        for probe in topic.test_probes():
            missing = tuple(index for index in range(setting.samples) if setting.key(probe, index) not in done)
            if missing:
                found.append(Request(topic, probe, missing))
    return found


def sample_record(setting: Setting, request: Request, index: int, answer: dict[str, Any]) -> dict[str, Any]:
    """A sample record (sample.schema.json); `answer` holds response, status, finish_reason and usage."""
    messages = setting.messages(request.probe)
    return {
        "key": setting.key(request.probe, index),
        "run_id": setting.run_id,
        "model": setting.model,
        "revision": setting.revision,
        "training": setting.training,
        "condition": setting.condition,
        "system_prompt_sha256": sha256_text(setting.system_prompt) if setting.system_prompt else None,
        "topic": request.topic.id,
        "facet": request.probe.facet,
        "probe_id": request.probe.id,
        "prompt_sha256": sha256_json(messages),
        "sample_index": index,
        "messages": messages,
        **answer,
        "engine": setting.engine,
        "data_version": setting.data_version,
    }
