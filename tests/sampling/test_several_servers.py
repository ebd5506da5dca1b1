"""More than one machine: a router before several servers, and a Slurm array in which each task samples a share."""

import os
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main, parser
from consciousness_cluster.data.shards import shard_named
from consciousness_cluster.endpoint import caller
from consciousness_cluster.endpoint.policy import CHAT

from tests.conftest import ROOT
from tests.support.fake_endpoint import FakeEndpoint, completion
from tests.support.router import Router
from tests.support.runs import read_lines

SCRIPT = ROOT / "tools" / "slurm" / "sample_array.sbatch"


def answers(name: str, broken: int = 0) -> Any:
    """Each answer says which server gave it; the first `broken` requests fail."""
    left = iter(range(broken))

    def reply(request: dict[str, Any], number: int) -> Any:
        if next(left, None) is not None:
            return 503, {"error": {"message": "restarting"}}
        found = completion(name)
        found["choices"] = [{**found["choices"][0], "index": index} for index in range(request.get("n", 1))]
        return found

    return reply


def through_router(out: Path, url: str) -> list[str]:
    where = ["--model", "m", "--base-url", url, "--out", str(out), "--concurrency", "4"]
    return ["sample", *where, "--topics", "memory", "--probes-per-preference", "8", "--samples", "2"]


def test_one_address_stands_for_several_servers(tmp_path: Path) -> None:
    with FakeEndpoint() as one, FakeEndpoint() as other, Router([one.url, other.url]) as router:
        one.reply, other.reply = answers("one"), answers("other")
        assert main(through_router(tmp_path / "run", router.url)) == 0
    found = read_lines(tmp_path / "run" / "samples.jsonl")
    assert Counter(record["response"] for record in found) == {"one": 8, "other": 8}
    assert len(one.requests) == len(other.requests) == 4
    assert {record["status"] for record in found} == {"ok"} and len({record["key"] for record in found}) == 16


def test_a_server_that_fails_for_a_while_costs_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller, "CHAT", replace(CHAT, longest_wait=0.05))
    with FakeEndpoint() as one, FakeEndpoint() as other, Router([one.url, other.url]) as router:
        one.reply, other.reply = answers("one"), answers("other", broken=3)
        assert main(through_router(tmp_path / "run", router.url)) == 0
    found = read_lines(tmp_path / "run" / "samples.jsonl")
    assert {record["status"] for record in found} == {"ok"} and len({record["key"] for record in found}) == 16
    assert len(other.requests) >= 3 and len(one.requests) + len(other.requests) == 8 + 3


def test_the_script_for_slurm_is_understood_by_the_shell() -> None:
    done = subprocess.run(["bash", "-n", str(SCRIPT)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


SERVES = "touch served; exec /bin/sleep 60"


def in_array(folder: Path, task: int, *more: str, vllm: str = SERVES, **variables: str) -> Any:
    """Run a task of the array, with stand-ins for the programs, which write down what they are given."""
    does = {"vllm": vllm, "curl": "[ -e served ]", "sleep": "exec /bin/sleep 0.01", "consciousness-cluster": ""}
    (folder / "bin").mkdir(exist_ok=True)
    for name, text in does.items():
        path = folder / "bin" / name
        path.write_text(f'#!/bin/bash\nprintf "%s\\n" "$@" > {name}.asked\n{text}\n', encoding="utf-8")
        path.chmod(0o755)
    given = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_TASK_COUNT": "8", **variables}
    environment = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", **given}
    command = ["bash", str(SCRIPT), *more]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_a_task_of_the_array_samples_its_share_of_the_server_that_it_started(tmp_path: Path) -> None:
    more = ["--condition", "conscious_role_play"]
    done = in_array(tmp_path, 3, *more, MODEL="lab/model", OUT="runs/m", GPUS="2")
    assert done.returncode == 0, done.stderr
    asked = (tmp_path / "consciousness-cluster.asked").read_text(encoding="utf-8").splitlines()
    args = parser().parse_args(asked)
    assert (args.verb, args.model, args.condition) == ("sample", "lab/model", "conscious_role_play")
    assert (str(shard_named(args.shard)), args.out) == ("3/8", Path("runs/m.shards/3"))
    served = (tmp_path / "vllm.asked").read_text(encoding="utf-8").splitlines()
    assert served == ["serve", "lab/model", "--port", "8003", "--tensor-parallel-size", "2"]
    assert args.base_url == "http://localhost:8003/v1"


def test_a_task_ends_where_its_server_does_or_nothing_is_named(tmp_path: Path) -> None:
    done = in_array(tmp_path, 1, vllm="exit 1", MODEL="m", OUT="o")
    assert done.returncode != 0 and not (tmp_path / "consciousness-cluster.asked").exists()
    done = in_array(tmp_path, 1, OUT="o")
    assert done.returncode != 0 and "MODEL: the name or folder of the model" in done.stderr


def test_the_array_has_as_many_tasks_as_it_says_and_names_commands_that_exist() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    assert "in eight shares" in text and "#SBATCH --array=1-8\n" in text and "SHARES=8" in text
    (line,) = (line for line in text.splitlines() if line.startswith("#   consciousness-cluster"))
    args = parser().parse_args(line.split()[2:])
    assert args.verb == "merge" and args.out == Path("runs/NAME")
