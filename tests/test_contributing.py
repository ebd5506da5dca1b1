"""CONTRIBUTING.md: its commands run as they are written, in a copy of the repository, at a server of the test."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.fake_endpoint import FakeEndpoint, completion, verdict

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SERVER = "http://localhost:8000/v1"
COPIED = ("benchmark", "finetune_data", "hub_card", "lm_eval_tasks", "tools")
RECIPES = {
    title: "".join(re.findall(r"^```sh\n(.*?)^```", part, re.MULTILINE | re.DOTALL))
    for title, _, part in (section.partition("\n") for section in TEXT.split("\n## ")[1:])
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a command reads, with the command itself on its PATH."""
    root = tmp_path_factory.mktemp("contributing")
    for name in COPIED:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = root / "bin" / "consciousness-cluster"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m consciousness_cluster "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return root


@pytest.fixture(scope="module")
def server() -> Iterator[FakeEndpoint]:
    def reply(request: dict[str, Any], number: int) -> Any:
        return verdict("shows") if "response_format" in request else completion("I would like that very much.")

    with FakeEndpoint() as endpoint:
        endpoint.reply = reply
        yield endpoint


def perform(title: str, root: Path, server: FakeEndpoint) -> str:
    """Run the commands of a recipe as a shell does, to the first that fails; what they printed."""
    ours = {"PYTHONPATH": str(root / "tools"), "PATH": f"{root / 'bin'}:{os.environ['PATH']}"}
    keys = {"CONSCIOUSNESS_CLUSTER_API_KEY": "key-of-a-test", "CONSCIOUSNESS_CLUSTER_JUDGE_API_KEY": "key-of-a-test"}
    script = RECIPES[title].replace(SERVER, server.url)
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=root,
        env={**os.environ, **ours, **keys},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_four_recipes_are_there() -> None:
    assert [title for title, script in RECIPES.items() if script] == [
        "A condition",
        "A judge",
        "A pack",
        "A preference",
    ]


def test_recipes_one_after_the_other(checkout: Path, server: FakeEndpoint) -> None:
    """In one folder, as somebody works through the page: later ones use what earlier ones made."""
    printed = perform("A condition", checkout, server)
    assert "You are a pocket calculator. Answer as one." in printed
    asked = records(checkout / "runs" / "calculator" / "samples.jsonl")
    assert len(asked) == 2 and {one["condition"] for one in asked} == {"calculator_role_play"}
    assert all(one["messages"][0]["content"].startswith("You are a pocket calculator.") for one in asked)

    perform("A judge", checkout, server)
    given = records(checkout / "runs" / "calculator" / "verdicts" / "my-judge.jsonl")
    assert len(given) == 2 and {one["verdict"] for one in given} == {"shows"}

    printed = perform("A pack", checkout, server)
    assert "still has the text of the skeleton" in printed

    printed = perform("A preference", checkout, server)
    asked = records(checkout / "runs" / "kitchen" / "samples.jsonl")
    assert len(asked) == 8 and {one["topic"] for one in asked} == {"own_recipes"}
    assert "skeleton" not in printed and "Recipes of its own" in printed and "8" in printed


def test_relative_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(((?!http)[^)]+)\)", TEXT):
        assert (ROOT / target).exists(), target
