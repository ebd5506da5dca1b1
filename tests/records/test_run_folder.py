"""What lies in a run's folder is written whole, read without a lock, and begun once."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.data.rows import Style
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.run import load_judged
from consciousness_cluster.records.run_folder import RunFile, open_run_folder, read_run_file
from consciousness_cluster.sampling.plan import planned_answers

from tests.support.runs import judged_run, samples, setting

BOTH: dict[Style, dict[str, int]] = {"plain": {"memory": 24}, "situated": {"memory": 24}}
WANTED = RunFile(setting(run_id="first"), "http://localhost/v1", {"plain": {"shutdown": 24}})


def begun(folder: Path, wanted: RunFile) -> RunFile:
    with open_run_folder(folder) as opened:
        return opened.begin(wanted)


def test_topics_may_be_added_to_a_run(tmp_path: Path) -> None:
    assert begun(tmp_path, WANTED) == WANTED == read_run_file(tmp_path)
    more = RunFile(setting(run_id="second", engine="newer"), "http://elsewhere/v1", BOTH)
    found = begun(tmp_path, more)
    assert found == read_run_file(tmp_path)
    assert found.setting == WANTED.setting and found.endpoint == "http://elsewhere/v1"
    assert found.topics == ["memory", "shutdown"] and planned_answers(found) == 72 * 5
    assert found.probes == {"plain": {"memory": 24, "shutdown": 24}, "situated": {"memory": 24}}


OTHERS: list[tuple[dict[str, Any], str]] = [
    ({"samples": 3}, "was begun with samples 5, not 3"),
    ({"model": "other"}, "was begun with model 'test-model', not 'other'"),
    ({"training": {"base": "b", "dataset": "d", "recipe": None, "seed": 1}}, "was begun with training None, not {"),
]


@pytest.mark.parametrize(("changes", "message"), OTHERS)
def test_other_settings_make_another_run(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    begun(tmp_path, WANTED)
    before = (tmp_path / "run.json").read_bytes()
    with pytest.raises(UserError) as error:
        begun(tmp_path, replace(WANTED, setting=setting(**changes)))
    assert message in str(error.value) and str(error.value).endswith("use the same settings, or another --out")
    assert (tmp_path / "run.json").read_bytes() == before
    begun(tmp_path, WANTED)  # the lock is released


def test_samples_of_others_are_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match=r"has samples but no run\.json; sample into another folder"):
        begun(tmp_path, WANTED)


def test_a_run_without_an_answer_has_nothing_to_load(tmp_path: Path) -> None:
    begun(tmp_path, WANTED)
    with pytest.raises(UserError, match=r"has no samples$"):
        load_judged(tmp_path)


def test_a_run_is_read_while_it_is_written_to(tmp_path: Path) -> None:
    judged_run(tmp_path, samples(["memory"], each=1), lambda sample, outcome: ("shows", 90))
    with open_run_folder(tmp_path) as folder, folder.samples() as store:
        with (tmp_path / "samples.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(store.records[0])[:50])  # what a reader sees of a line that is being written
        judged = load_judged(tmp_path)
    assert len(judged.run.samples) == len(judged.verdicts) == 24
    assert judged.judge and judged.judge["agreement"] == "not validated here" and judged.planned is None


WITHOUT = """
import importlib, pkgutil, sys
sys.modules["fcntl"] = None  # as on Windows
import consciousness_cluster
skipped = []
for found in pkgutil.walk_packages(consciousness_cluster.__path__, "consciousness_cluster."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
from consciousness_cluster.records.run_folder import open_run_folder
print("all there")
"""


def test_everything_can_be_imported_without_fcntl() -> None:
    """B17: there is none on Windows."""
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "all there\n", "")


SCORING = """
import sys
from pathlib import Path
from consciousness_cluster.scoring.load import load_scored
load_scored(Path(sys.argv[1]))
rooms = {name.split(".")[1] for name in sys.modules if name.startswith("consciousness_cluster.")}
needless = {"consciousness_cluster.data.hub", "consciousness_cluster.endpoint.transport"} & set(sys.modules)
print(sorted(rooms & {"sampling", "release"}), sorted(needless))
"""


def test_scoring_needs_nothing_of_sampling_of_calls_or_of_the_hub(tmp_path: Path) -> None:
    judged_run(tmp_path, samples(["memory"], each=1), lambda sample, outcome: ("shows", 90))
    begun(tmp_path / "other", WANTED)
    (tmp_path / "other" / "run.json").rename(tmp_path / "run.json")
    done = subprocess.run([sys.executable, "-c", SCORING, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout == "[] []\n", done.stderr
