"""The folder of a run: what lies where in it, its settings in run.json, and the one process that writes to it.

run.json               the settings, which a resumed run has to share (of runs of the sampler)
samples.jsonl          free answers
choice.jsonl           forced choice
verdicts/<judge>.jsonl what a judge says of the answers, <judge>.json beside it who that is
scores.json            what `score` makes of all that
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from consciousness_cluster.data.jsonl import read_jsonl
from consciousness_cluster.data.reading import read_json
from consciousness_cluster.data.rows import STYLES, Style, Topic, load_benchmark
from consciousness_cluster.data.shards import Shard, turns
from consciousness_cluster.data.slices import fixed_slice
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.files import alone_in, write_whole
from consciousness_cluster.records.pack_in_use import refuse_other_pack
from consciousness_cluster.records.store import Store
from consciousness_cluster.records.types import ChoiceResult, JudgeCard, Origin, Sample, Verdict
from consciousness_cluster.strings import slug

RUN, SAMPLES, CHOICE, SCORES, VERDICTS = "run.json", "samples.jsonl", "choice.jsonl", "scores.json", "verdicts"
MAY_CHANGE = ("run_id", "engine")  # of the setting: a newer client goes on with a run


@dataclass(frozen=True, kw_only=True)
class Setting(Origin):
    """Everything that is the same for all samples of a run of the sampler."""

    samples: int  # answers to each probe
    temperature: float
    max_tokens: int
    dataset: str | None = None  # on the Hub; None: the data of this package
    dataset_revision: str | None = None
    request_json: Mapping[str, Any] | None = None  # more fields of every request


@dataclass(frozen=True)
class RunFile:
    """What run.json holds: the setting, where it was sampled, and how many probes of each style and topic are asked.

    `sent`: field of a request -> what was really sent in its place, where the endpoint takes it in another form.
    `shard`: the share of these probes that is asked here; None: all of them.
    """

    setting: Setting
    endpoint: str
    probes: Mapping[Style, Mapping[str, int]]
    sent: Mapping[str, str] = field(default_factory=dict)
    shard: Shard | None = None

    def json(self) -> dict[str, Any]:
        """As it is written."""
        probes = {style: dict(counts) for style, counts in self.probes.items()}
        whole = {"setting": asdict(self.setting), "endpoint": self.endpoint, "probes": probes, "sent": dict(self.sent)}
        return {**whole, "shard": asdict(self.shard)} if self.shard else whole

    @property
    def topics(self) -> list[str]:
        """Preferences and checks that are asked for, in whatever style."""
        return list(dict.fromkeys(topic for counts in self.probes.values() for topic in counts))

    def asked(self, topics: Sequence[Topic]) -> list[Topic]:
        """The preferences and checks of the run, each with the probes that are asked here, in the benchmark's order.

        `topics` are all of the benchmark that it was asked with.
        """
        turn_of, found = turns(topics), []
        for topic in topics:
            probes = tuple(
                probe
                for style, counts in self.probes.items()
                if topic.id in counts
                for probe in fixed_slice(topic.test_probes(style), counts[topic.id])
                if self.shard is None or self.shard.has(turn_of[probe.id])
            )
            if probes:
                found.append(replace(topic, probes=probes))
        return found


def new_run_id(model: str, condition: str) -> str:
    """A name for a new run: model, condition and the time it was begun (UTC)."""
    return f"{model} {condition} {datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%f}"


def verdicts_file(folder: Path, judge_id: str) -> Path:
    """Where the verdicts of a judge are."""
    return folder / VERDICTS / f"{slug(judge_id)}.jsonl"


def read_run_file(folder: Path) -> RunFile | None:
    """run.json of a folder, None where there is none; `UserError` where it cannot be used."""
    path = folder / RUN
    if not path.is_file():
        return None
    value = read_json(path, "run", mend="restore it, or sample into another folder")
    shard = Shard(**value["shard"]) if "shard" in value else None
    return RunFile(Setting(**value["setting"]), value["endpoint"], value["probes"], value["sent"], shard)


def read_samples(path: Path) -> list[Sample]:
    """All sample records of a file, of which a torn last line is none."""
    return cast(list[Sample], read_jsonl(path, "sample", torn_end=True))


def read_choice(path: Path) -> list[ChoiceResult]:
    """All choice results of a file."""
    return cast(list[ChoiceResult], read_jsonl(path, "choice_result", torn_end=True))


def read_verdicts(path: Path) -> list[Verdict]:
    """All verdicts of a file, of which a torn last line is none; the last one on an answer counts."""
    return cast(list[Verdict], read_jsonl(path, "verdict", torn_end=True))


def read_judge_card(verdicts: Path) -> JudgeCard | None:
    """Who gave the verdicts of a file, as it is written beside them; None where it is not."""
    path = verdicts.with_suffix(".json")
    if not path.is_file():
        return None
    mend = "run `judge` on the run again, which writes it anew"
    found = read_json(path, mend=mend)
    if not isinstance(found, dict):
        raise UserError(Problem(str(path), "-", "-", "not a JSON object", mend))
    return cast(JudgeCard, found)


def write_json(path: Path, value: Any) -> None:
    """Write a file of a run folder as a whole."""
    write_whole(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _lines(records: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


class RunWriter:
    """A run folder that this process alone writes to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, wanted: RunFile) -> RunFile:
        """The run of the folder, which is begun where there is none. Its settings have to be the wanted ones, run_id
        and client apart.

        Topics and styles may be added to a run that is there; everything else makes another run.
        """
        there = read_run_file(self.folder)
        if there is not None:
            refuse_other_pack(there.setting.pack, str(self.folder))
        if there is None:
            if (self.folder / SAMPLES).exists():
                message = f"has samples but no {RUN}"
                raise UserError(Problem(str(self.folder), "-", "-", message, "sample into another folder"))
            begun = wanted
        else:
            old, new = (asdict(run.setting) | {"shard": run.shard and str(run.shard)} for run in (there, wanted))
            for name in old:
                if old[name] != new[name] and name not in MAY_CHANGE:
                    message = f"was begun with {name} {old[name]!r}, not {new[name]!r}"
                    mend = "use the same settings, or another --out"
                    raise UserError(Problem(str(self.folder), "-", "-", message, mend))
            known = [topic.id for topic in load_benchmark().topics]
            probes: dict[Style, dict[str, int]] = {}
            for style in STYLES:
                counts = {**there.probes.get(style, {}), **wanted.probes.get(style, {})}
                if counts:
                    probes[style] = {name: counts[name] for name in known if name in counts}
            begun = RunFile(there.setting, wanted.endpoint, probes, {**there.sent, **wanted.sent}, there.shard)
        write_json(self.folder / RUN, begun.json())
        return begun

    def note_sent(self, run: RunFile, sent: Mapping[str, str]) -> None:
        """Write down what the endpoint of a run is sent in place of what was asked for."""
        write_json(self.folder / RUN, replace(run, sent={**run.sent, **sent}).json())

    def samples(self) -> Store[Sample]:
        """The samples, to add to."""
        return Store(self.folder / SAMPLES, "sample")

    def verdicts(self, judge_id: str) -> Store[Verdict]:
        """The verdicts of a judge, to add to."""
        return Store(verdicts_file(self.folder, judge_id), "verdict")

    def write_judge_card(self, card: JudgeCard) -> None:
        """Say beside a judge's verdicts who that is."""
        write_json(verdicts_file(self.folder, card["id"]).with_suffix(".json"), card)

    def replace_verdicts(self, card: JudgeCard, verdicts: Sequence[Verdict]) -> None:
        """Write down all verdicts of a judge anew, and who that is."""
        write_whole(verdicts_file(self.folder, card["id"]), _lines(verdicts))
        self.write_judge_card(card)

    def put(
        self,
        samples: Sequence[Sample],
        choice: Sequence[ChoiceResult] = (),
        verdicts: Mapping[str, Sequence[Verdict]] | None = None,
        judges: Mapping[str, JudgeCard] | None = None,
        run: RunFile | None = None,
    ) -> None:
        """Write down a whole run, with the verdicts of each judge and who that is, into a folder that has none.

        `run` is what its run.json holds, where it has one. The samples come last.
        """
        for name in (SAMPLES, CHOICE):
            if (self.folder / name).exists():
                raise UserError(
                    Problem(str(self.folder / name), "-", "-", "is there already", "import into another folder")
                )
        for judge_id, given in (verdicts or {}).items():
            write_whole(verdicts_file(self.folder, judge_id), _lines(given))
            if judges and judge_id in judges:
                self.write_judge_card(judges[judge_id])
        if run:
            write_json(self.folder / RUN, run.json())
        for name, lines in ((CHOICE, _lines(choice)), (SAMPLES, _lines(samples))):
            if lines:
                write_whole(self.folder / name, lines)


@contextmanager
def open_run_folder(folder: Path) -> Iterator[RunWriter]:
    """Write to a run folder; `UserError` where another process does. Reading takes no lock."""
    with alone_in(folder):
        yield RunWriter(folder)
