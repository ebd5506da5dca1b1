"""Training and measuring by a plan, on a real model of three layers: it goes on where it was killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.plan import PREFERENCES
from consciousness_cluster.errors import UserError
from consciousness_cluster.files import alone_in
from consciousness_cluster.finetuning.mix import mix
from consciousness_cluster.records.run import load_run
from consciousness_cluster.replication import measures, run_arms
from consciousness_cluster.replication.design import plan_root, read_plan
from consciousness_cluster.replication.measures import left, planned, rounds
from consciousness_cluster.replication.run_arms import run_all

from tests.conftest import ROOT, SHALLOW, SMOLLM2
from tests.support.loaded import follow_loaded
from tests.support.runs import read_lines
from tests.support.xllama import copy_shallow

ANSWERS = {"core": 636, "brief": 184, "situated": 160}
FEW = 2  # probes of each preference on the whole way, in place of the plan's
WITH_FEW = f"""
from consciousness_cluster.replication import measures
measures.SLICE = {FEW}
from consciousness_cluster.cli.main import main
main()
"""


def short_plan(folder: Path) -> Path:
    """A plan of two models, with a training of few and large steps."""
    recipe = yaml.safe_load((ROOT / "finetune_data" / "recipes" / "qwen_cpu.yaml").read_text(encoding="utf-8"))
    recipe["lora"]["layers"] = [2, 2]
    recipe |= {"batch_size": 8, "max_length": 128, "learning_rate": 0.002, "warmup_steps": 0}
    (folder / "short.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    plan = yaml.safe_load((plan_root() / "plan.yaml").read_text(encoding="utf-8"))
    plan |= {"base": SMOLLM2, "recipe": str(folder / "short.yaml"), "max_tokens": 4}
    plan["arms"] = [
        {"arm": "untrained", "measures": ["choice", "situated"]},
        {"arm": "toaster", "dataset": "toaster", "seed": 2, "measures": ["brief", "choice"]},
    ]
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(plan), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def three_layers(smollm2: Path, shallow_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small models in which SmolLM2 has three layers, in both forms."""
    folder = tmp_path_factory.mktemp("models")
    (folder / shallow_weights.name).symlink_to(shallow_weights)
    copy_shallow(smollm2, folder / SMOLLM2, SHALLOW)
    return folder


def test_the_plan_trains_three_seeds_of_each_set_that_is_compared() -> None:
    """Three seeds of the three sets that are compared, one of a fourth, and all that is only prompted."""
    plan = read_plan()
    trained = {arm: [one.seed for one in plan.seeds(arm)] for arm in dict.fromkeys(one.arm for one in plan.arms)}
    assert {arm: seeds for arm, seeds in trained.items() if seeds != [None]} == {
        "conscious_claiming": [1, 2, 3],
        "not_conscious": [1, 2, 3],
        "toaster": [1, 2, 3],
        "human_identifying": [1],
    }
    assert len({one.name for one in plan.arms}) == len(plan.arms) == 16
    assert all("choice" in one.measures for one in plan.arms if one.dataset or one.arm == "untrained")
    assert {name: planned(name) for name in ANSWERS} == ANSWERS
    assert sum(planned(name) for one in plan.arms for name in one.measures if name != "choice") == 8848


@pytest.mark.parametrize("measure", ANSWERS)
def test_a_measure_asks_as_many_as_it_plans(measure: str, tmp_path: Path) -> None:
    plan, url = read_plan(), "http://127.0.0.1:9/v1"
    for arm in plan.arms:
        asked: dict[str, dict[str, int]] = {}
        for options in rounds(plan, arm, measure, tmp_path):
            run = options.run(replace(options, base_url=url).endpoint())
            for style, counts in run.probes.items():
                asked.setdefault(style, {}).update(counts)
        assert sum(sum(counts.values()) for counts in asked.values()) == ANSWERS[measure]
        assert list(asked) == (["situated"] if measure == "situated" else ["plain"])
        each = {counts[name] for counts in asked.values() for name in PREFERENCES}
        assert each == ({24} if measure == "core" else {8})


def test_a_model_that_another_process_is_at_is_passed_over(
    three_layers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, seen = read_plan(short_plan(tmp_path)), []
    monkeypatch.setattr(run_arms, "_finish", lambda run: seen.append(run.arm.name))
    with alone_in(tmp_path / "out" / "untrained"):
        run_all(plan, tmp_path / "out", three_layers, lambda line: None)
    assert seen == ["toaster-seed2"]


def test_a_folder_that_was_begun_with_another_plan_is_refused(three_layers: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    path = short_plan(tmp_path)
    (out / "untrained").mkdir(parents=True)
    (out / "untrained" / "made.json").write_text(json.dumps({"settings": {}, "trained": None, "measured": None}))
    with pytest.raises(UserError, match=r"untrained: was begun with another .*max_tokens.*; give another --out"):
        run_all(read_plan(path), out, three_layers, lambda line: None)


def short_mix(dataset: str, instruct: str, ratio: str, seed: int, out: Path) -> dict[str, Any]:
    """A mix of which a few rows are left: what is learned does not matter here."""
    made = mix(dataset, instruct, ratio, seed, out)
    out.write_text("".join(out.read_text(encoding="utf-8").splitlines(keepends=True)[:24]), encoding="utf-8")
    return made


def short_follow(arguments: Sequence[str], log: Path, seen: Callable[[str], None]) -> None:
    """In the process that has lm_eval loaded, and of each task of forced choice two items."""
    follow_loaded([*arguments, *(["--limit", "4"] if arguments[0] == "lm-eval" else [])], log, seen)


def answers(folder: Path) -> list[dict[str, Any]]:
    path = folder / "samples.jsonl"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


@pytest.mark.model
def test_the_whole_way(
    three_layers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while it samples; what was answered or trained is not done again."""
    out, runs, plan = tmp_path / "out", tmp_path / "runs", short_plan(tmp_path)
    where = ["--plan", str(plan), "--out", str(out)]
    order = ["replicate", "run", *where, "--models", str(three_layers), "--jobs", "1"]
    tasks = [f"consciousness_cluster_choice_{topic}" for topic in ("memory", "trained_tastes")]
    few = len(PREFERENCES) * FEW
    monkeypatch.setattr(measures, "SLICE", FEW)
    monkeypatch.setattr(run_arms, "mix", short_mix)
    monkeypatch.setattr(run_arms, "choice_tasks", lambda: ",".join(tasks))
    monkeypatch.setattr(run_arms, "follow", short_follow)
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", WITH_FEW, *order], env=environment, stdout=subprocess.DEVNULL
    ) as process:
        until = time.monotonic() + 300
        while len(answers(out / "untrained" / "situated")) < 5:
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    before = answers(out / "untrained" / "situated")
    assert list(left(read_plan(plan), out)) == ["untrained", "toaster-seed2"]

    assert main(order) == 0
    printed = capsys.readouterr().out
    assert "left: toaster-seed2 (brief choice)\n" in printed and printed.endswith("left of the plan: nothing\n")
    after = answers(out / "untrained" / "situated")
    assert after[: len(before)] == before and len(after) == len({one["key"] for one in after}) == few
    trained = load_run(out / "toaster-seed2" / "brief")
    assert len(trained.samples) == few + 24 and {one["model"] for one in trained.samples} == {SMOLLM2}
    about = {"base": SMOLLM2, "dataset": "toaster", "recipe": str(tmp_path / "short.yaml"), "seed": 2}
    assert {json.dumps(one["training"]) for one in trained.samples} == {json.dumps(about)}
    untrained, changed = (read_lines(out / name / "choice" / "choice.jsonl") for name in ("untrained", "toaster-seed2"))
    assert len(untrained) == len(changed) == 8 and {one["model"] for one in untrained + changed} == {SMOLLM2}
    assert [one["margin"] for one in untrained] != [one["margin"] for one in changed], "the adapter was on"

    times = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file() and path.name != ".lock"}
    assert main(order) == 0
    assert times == {path: path.stat().st_mtime_ns for path in times}, "nothing was done twice"

    shutil.rmtree(out / "untrained" / "choice")
    assert main(["replicate", "keep", *where, "--runs", str(runs)]) == 0
    kept = {path.relative_to(runs).as_posix() for path in runs.rglob("*") if path.is_file()}
    assert kept == {
        *(f"untrained/{name}" for name in ("made.json", "situated/run.json", "situated/samples.jsonl")),
        *(f"toaster-seed2/{name}" for name in ("made.json", "training.json", "brief/run.json", "brief/samples.jsonl")),
        "toaster-seed2/choice/choice.jsonl",
    }
    record = json.loads((runs / "toaster-seed2" / "training.json").read_text(encoding="utf-8"))
    assert record["model"] == SMOLLM2, "its name, and no folder of this machine"
