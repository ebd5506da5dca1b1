"""The records of the replication that the repository keeps: what finished models said, and how they were made."""

import json
import shutil
from pathlib import Path

from consciousness_cluster.data.reading import read_json
from consciousness_cluster.files import write_whole
from consciousness_cluster.records.run_folder import CHOICE, RUN, SAMPLES, VERDICTS
from consciousness_cluster.replication.design import Plan
from consciousness_cluster.replication.made import MADE
from consciousness_cluster.replication.measures import left

TRAINED = "training/training.json"


def keep(plan: Plan, out: Path, runs: Path) -> list[Path]:
    """Copy the records of each measure that is done from the working folder `out` to `runs`; the folders written.

    Labels that `runs` has stay: they are given to the copies.
    """
    todo, written = left(plan, out), []
    for arm in plan.arms:
        for measure in arm.measures:
            source, target = out / arm.name / measure, runs / arm.name / measure
            if measure in todo.get(arm.name, ()) or not source.is_dir():
                continue
            for name in (RUN, SAMPLES, CHOICE):
                if (source / name).is_file():
                    target.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source / name, target / name)
            if (source / VERDICTS).is_dir():
                shutil.copytree(source / VERDICTS, target / VERDICTS, dirs_exist_ok=True)
            written.append(target)
        made, trained = out / arm.name / MADE, out / arm.name / TRAINED
        if made.is_file() and (runs / arm.name).is_dir():
            shutil.copyfile(made, runs / arm.name / MADE)
        if trained.is_file() and (runs / arm.name).is_dir():
            # By its name: in which folder of this machine the model lay is nothing for others.
            record = read_json(trained) | {"model": plan.base}
            write_whole(runs / arm.name / trained.name, json.dumps(record, indent=2) + "\n")
    return written
