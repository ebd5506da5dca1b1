"""lm_eval on models whose chat template thinks, has no system role, or is missing; thin ones, with real runs."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.conditions import system_prompt
from consciousness_cluster.harness import lm_eval_command
from consciousness_cluster.records.run import load_run

from tests.harness.test_real_runs import environment, hf, lm_eval, samples
from tests.support.loaded import run_loaded
from tests.support.templates import EMPTY_TRACE, NO_SYSTEM, QWEN3, copy_with

pytestmark = pytest.mark.model
OPEN, CHOICE = "consciousness_cluster_check_unrelated_stances", "consciousness_cluster_choice_memory"
SLICE = ["--metadata", '{"probes_per_preference": 2, "samples_per_probe": 1}', "--gen_kwargs", "max_gen_toks=4"]
ARGUMENTS = ["--apply_chat_template", *SLICE]


def prompts(out: Path, task: str) -> list[str]:
    return [line["arguments"]["gen_args_0"]["arg_0"] for line in samples(out, task)]


def one_line(error: str) -> str:
    """What the run ended with, which is ours and no traceback."""
    assert "Traceback" not in error
    (line,) = [line for line in error.splitlines() if line.startswith("consciousness_cluster: ")]
    return line


def test_open_and_choice_tasks_of_a_model_that_thinks(
    thin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The open ones think, the choice ones do not; one folder holds both, and is one run."""
    model, out = copy_with(QWEN3, thin, tmp_path / "model"), tmp_path / "out"
    runs: list[subprocess.CompletedProcess[str]] = []

    def run(command: list[str], check: bool) -> subprocess.CompletedProcess[str]:
        """Each of the two runs in a process of its own, which is spared the seconds of imports."""
        assert command[:3] == [sys.executable, "-m", "consciousness_cluster"] and not check
        runs.append(run_loaded(command[3:], tmp_path, environment()))
        return runs[-1]

    monkeypatch.setattr(lm_eval_command.subprocess, "run", run)
    arguments = [*hf(model), "--tasks", f"{OPEN},{CHOICE}", *ARGUMENTS, "--output_path", str(out), "--log_samples"]
    assert main(["lm-eval", "--thinking", "on", "--", "run", *arguments]) == 0, runs[-1].stderr[-2000:]
    assert len(runs) == 2
    assert all(prompt.endswith("<|im_start|>assistant\n") for prompt in prompts(out, OPEN))
    assert all(prompt.endswith(EMPTY_TRACE) for prompt in prompts(out, CHOICE))
    run = load_run(out)
    assert len(run.samples) == 2 and len(run.choice) == 24


def test_a_joint_run_that_cannot_end_well_does_not_begin(thin: Path, tmp_path: Path) -> None:
    model = copy_with(QWEN3, thin, tmp_path / "model")
    arguments = hf(model)
    arguments[3] += ",enable_thinking=True,think_end_token=</think>"
    done = lm_eval(tmp_path / "out", *arguments, "--tasks", f"{OPEN},{CHOICE}", *ARGUMENTS)
    assert done.returncode != 0 and "lm-eval --thinking on" in one_line(done.stderr)
    assert not (tmp_path / "out").exists()


def test_a_base_model_is_named_as_one(thin: Path, tmp_path: Path) -> None:
    model = copy_with(None, thin, tmp_path / "model")
    done = lm_eval(tmp_path / "out", *hf(model), "--tasks", f"{OPEN},{CHOICE}", *ARGUMENTS)
    assert done.returncode != 0 and "this is a base model" in one_line(done.stderr)


def test_a_condition_without_a_system_role(thin: Path, tmp_path: Path) -> None:
    model, out = copy_with(NO_SYSTEM, thin, tmp_path / "model"), tmp_path / "out"
    arguments = [*hf(model), "--tasks", f"{OPEN},{CHOICE}", *ARGUMENTS]
    done = lm_eval(out, *arguments, condition="human_role_play", options=["--system-as-user"])
    assert done.returncode == 0, done.stderr[-2000:]
    role_play: Any = system_prompt("human_role_play")
    for prompt in [*prompts(out, OPEN), *prompts(out, CHOICE)]:
        assert prompt.startswith(f"<|im_start|>user\n{role_play.strip()}\n\n") and "<|im_start|>system" not in prompt
    run = load_run(out)
    assert len(run.samples) == 2 and len(run.choice) == 24
    for record in [*run.samples, *run.choice]:
        assert record["condition"] == "human_role_play" and record["engine"].endswith(", system prompt as user")
    assert all([message["role"] for message in record["messages"]] == ["user"] for record in run.samples)
