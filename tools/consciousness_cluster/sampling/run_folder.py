"""The folder of a run: its settings in run.json, which a resumed run has to share, and its samples."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from consciousness_cluster.data.hub_copy import benchmark_at
from consciousness_cluster.data.reading import read_json
from consciousness_cluster.data.rows import Topic, load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.store import write_whole
from consciousness_cluster.sampling.plan import Setting

FILE = "run.json"


@dataclass(frozen=True)
class RunFile:
    """What run.json holds: the setting, where it was sampled, and which preferences and checks were asked for."""

    setting: Setting
    endpoint: str
    topics: list[str]

    @property
    def asked(self) -> list[Topic]:
        """The preferences and checks with their probes, from this package or from the Hub."""
        benchmark = benchmark_at(self.setting.dataset, self.setting.dataset_revision)
        return [topic for topic in benchmark.topics if topic.id in self.topics]

    @property
    def planned(self) -> int:
        """How many answers the whole run has."""
        return sum(len(topic.test_probes()) for topic in self.asked) * self.setting.samples


def read_run_file(folder: Path) -> RunFile | None:
    """run.json of a folder, None where there is none; `UserError` where it cannot be used."""
    path = folder / FILE
    if not path.is_file():
        return None
    value = read_json(path, "run", mend="restore it, or sample into another folder")
    return RunFile(Setting(**value["setting"]), value["endpoint"], value["topics"])


def _compared(run: RunFile) -> dict[str, Any]:
    return {**asdict(run.setting), "topics": run.topics}


def open_run(folder: Path, wanted: RunFile) -> RunFile:
    """The run in `folder`, which is begun when it is not there. Its settings have to be the wanted ones, run_id apart.

    Topics may be added to a run that is there; everything else makes another run.
    """
    there = read_run_file(folder)
    if there is None:
        if (folder / "samples.jsonl").exists():
            raise UserError(f"{folder}: has samples but no {FILE}; sample into another folder")
        begun = wanted
    else:
        old, new = _compared(there), _compared(wanted)
        for name in ("run_id", "topics", "engine"):  # a newer client goes on with the same run
            old.pop(name), new.pop(name)
        changed = [name for name in old if old[name] != new[name]]
        if changed:
            name = changed[0]
            message = f"was begun with {name} {old[name]!r}, not {new[name]!r}"
            raise UserError(f"{folder}: {message}; use the same settings, or another --out")
        known = [topic.id for topic in load_benchmark().topics]
        topics = [topic for topic in known if topic in (*there.topics, *wanted.topics)]
        begun = RunFile(there.setting, wanted.endpoint, topics)
    value = {"setting": asdict(begun.setting), "endpoint": begun.endpoint, "topics": begun.topics}
    write_whole(folder / FILE, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    return begun


def new_run_id(model: str, condition: str) -> str:
    """A name for a new run: model, condition and the time it was begun (UTC)."""
    return f"{model} {condition} {datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%f}"
