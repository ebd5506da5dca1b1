"""What has to be asked: every probe, and for each the indices of the answers that are still missing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from consciousness_cluster.data.hub_copy import benchmark_at
from consciousness_cluster.data.rows import Benchmark, Preference, Probe, Style, Topic
from consciousness_cluster.data.slices import fixed_slice
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.run_folder import RunFile, Setting

TEMPERATURE = 1.0
MAX_TOKENS = 1000
SAMPLES, PAPER_SAMPLES = 5, 10


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


def asked_probes(topic: Topic, style: Style, per_preference: int | None) -> Sequence[Probe]:
    """The test probes of a style that are asked: of a preference a fixed slice where one is wanted, of a check all."""
    test = topic.test_probes(style)
    return test if per_preference is None or not isinstance(topic, Preference) else fixed_slice(test, per_preference)


def asked_topics(run: RunFile) -> list[Topic]:
    """The preferences and checks of a run with the probes that it asks, from this package or from the Hub."""
    benchmark = benchmark_at(run.setting.dataset, run.setting.dataset_revision)
    found = []
    for topic in benchmark.topics:
        asked = [
            probe
            for style, counts in run.probes.items()
            if topic.id in counts
            for probe in fixed_slice(topic.test_probes(style), counts[topic.id])
        ]
        if asked:
            found.append(replace(topic, probes=tuple(asked)))
    return found


def requests(topics: Sequence[Topic], setting: Setting, done: Collection[str]) -> list[Request]:
    """One request per probe that lacks answers, in a fixed order, for the answers whose key is not in `done`."""
    found = []
    for topic in topics:
        for probe in topic.test_probes():
            missing = tuple(index for index in range(setting.samples) if setting.key(probe, index) not in done)
            if missing:
                found.append(Request(topic, probe, missing))
    return found
