"""PUBLISHING.md: each of its commands is one that its program understands, and what it names is there."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from consciousness_cluster.cli.main import main, parser
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.release.configs import REPOSITORIES
from consciousness_cluster.release.listings import listings
from consciousness_cluster.version import __version__

from tests.conftest import ROOT

TEXT = (ROOT / "hub_card" / "PUBLISHING.md").read_text(encoding="utf-8")
LINES = [
    line for block in re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL) for line in block.splitlines()
]
# A line may change the folder first, and hold several commands.
COMMANDS = [shlex.split(part) for line in LINES for part in line.split(" && ") if not part.startswith("cd ")]
PROGRAMS = {"make", "git", "python", "pip", "pre-commit", "curl", "cp", "uv", "hf", "consciousness-cluster"}
# In the order in which they are run; a later one names what an earlier one has made public.
ORDER = ["data check", "twine upload", "data publish", "leaderboard build", "data listings", "jobs uv run"]


def of(program: str) -> list[list[str]]:
    return [command for command in COMMANDS if command[0] == program]


def test_every_command_is_of_a_known_program() -> None:
    assert {command[0] for command in COMMANDS} == PROGRAMS and len(of("consciousness-cluster")) > 10
    places = [next(number for number, line in enumerate(LINES) if part in line) for part in ORDER]
    assert places == sorted(places)


@pytest.mark.parametrize("command", of("consciousness-cluster"), ids=" ".join)
def test_our_own_commands_are_understood(command: list[str]) -> None:
    assert parser().parse_args(command[1:]).run_command


def understood(command: list[str], patch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What huggingface_hub's own command line makes of it; nothing is run."""
    from huggingface_hub.cli.hf import app

    seen: list[click.Context] = []
    patch.setattr(click.Command, "invoke", lambda self, context: seen.append(context))
    app.main(command[1:], prog_name="hf", standalone_mode=False)
    assert seen and not isinstance(seen[-1].command, click.Group)
    return dict(seen[-1].params)


@pytest.mark.parametrize("command", of("hf"), ids=" ".join)
def test_commands_of_the_hub_are_understood(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    given = understood(command, monkeypatch)
    if command[1:4] == ["jobs", "uv", "run"]:  # what follows the script is the script's
        assert given["script"].endswith("measure.py") and given["script_args"][:3] == ("MODEL", "--repo", "ORG/runs")


def test_the_hubs_parser_refuses_what_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the test above would pass with any option."""
    with pytest.raises(click.UsageError):
        understood(["hf", "upload", "ORG/x", "site", ".", "--kind", "space"], monkeypatch)


def test_files_that_it_names_are_there() -> None:
    sent = listings("ORG", "OWNER/NAME", "0" * 40)
    paths = {word.lstrip("@") for command in COMMANDS for word in command}
    for path in paths:
        if path.startswith("hub_card/"):
            assert (ROOT / path).is_file(), path
        if path.startswith("dist/listings/"):
            inside = path.removeprefix("dist/listings/")
            assert any(one == inside or one.startswith(f"{inside}/") for one in sent), path
    for target in re.findall(r"\]\(((?!http)[^)]+)\)", TEXT):
        assert (ROOT / "hub_card" / target).exists(), target


def test_versions_are_todays() -> None:
    tag = f"v{load_benchmark().data_version}"
    verified = [command for command in of("consciousness-cluster") if command[1:3] == ["data", "verify"]]
    assert {command[command.index("--revision") + 1] for command in verified} == {tag}
    assert {command[command.index("--repo") + 1] for command in verified} == {f"ORG/{name}" for name in REPOSITORIES}
    assert [command[-1] for command in of("git")[:2]] == [f"v{__version__}"] * 2
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == __version__


def test_the_space_is_a_static_one_with_a_page_and_links(tmp_path: Path) -> None:
    """As the command builds it, of no submission at all."""
    (tmp_path / "submissions").mkdir()
    out = tmp_path / "site"
    given = ["--submissions", str(tmp_path / "submissions"), "--out", str(out), "--space", "lab", "owner/name"]
    assert main(["leaderboard", "build", *given]) == 0
    head = yaml.safe_load((out / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    assert head["sdk"] == "static" and (out / head["app_file"]).is_file()
    assert len(head["short_description"]) <= 60  # what the Hub takes
    assert "https://huggingface.co/datasets/lab/consciousness-cluster)" in (out / "llms.txt").read_text(
        encoding="utf-8"
    )
    assert json.loads((out / "leaderboard.json").read_text(encoding="utf-8"))["rows"] == []


def test_a_space_of_nobody_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "submissions").mkdir()
    given = ["--submissions", str(tmp_path / "submissions"), "--out", str(tmp_path / "site"), "--space", "lab", "name"]
    assert main(["leaderboard", "build", *given]) == 2
    assert "give it as OWNER/NAME" in capsys.readouterr().err and not (tmp_path / "site").exists()
