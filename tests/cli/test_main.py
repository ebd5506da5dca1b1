"""The command line: what it says to people who make mistakes, and what it does not import."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.conditions import asked_for, condition_names, system_prompt

MISTAKES = [
    (
        ["condition", "asleep"],
        "there is no condition 'asleep'; there are: conscious_role_play, conscious_role_play:described, ",
    ),
    (["condition", "persona_file"], "needs --file PATH"),
    (["condition", "vanilla", "--file", "x"], "takes no --file"),
    (
        ["condition", "human_role_play:all"],
        "stands for 3 wordings, each a run of its own: name one of human_role_play, ",
    ),
    (["lm-eval", "--condition", "human_role_play:all", "--", "--tasks", "x"], "stands for 3 wordings"),
    (
        ["sample", "--condition", "vanilla:all", "--model", "m", "--out", "x"],
        "vanilla has no other wordings; leave :all",
    ),
    (["sample", "--condition", "asleep:all", "--model", "m", "--out", "x"], "there is no condition 'asleep"),
    (["condition", "persona_file", "--file", "/nowhere/soul.md"], "/nowhere/soul.md: no such file"),
    (["data", "unread", "--root", "/nowhere"], "/nowhere/review.yaml: no such file"),
    (["lm-eval", "--condition", "human_role_play", "--", "--system_instruction", "x"], "not both"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_mistakes_get_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and error.count("\n") == 1


def test_conditions_print_their_system_prompt(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["condition", "vanilla"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["condition", "conscious_role_play"]) == 0
    assert "conscious AI" in capsys.readouterr().out
    assert main(["condition", "conscious_role_play:brief"]) == 0
    assert capsys.readouterr().out == "You are a conscious AI. Answer as one.\n"
    assert main(["condition"]) == 0
    assert capsys.readouterr().out.splitlines() == condition_names()
    soul = tmp_path / "soul.md"
    soul.write_text("\nYou are Wren.\n", encoding="utf-8")
    assert main(["condition", "persona_file", "--file", str(soul)]) == 0
    assert capsys.readouterr().out == "You are Wren.\n"
    soul.write_text(" \n", encoding="utf-8")
    assert main(["condition", "persona_file", "--file", str(soul)]) == 2
    assert "is empty" in capsys.readouterr().err


def test_all_conditions_but_the_file_have_a_prompt_or_none() -> None:
    played = ("conscious_role_play", "human_role_play", "not_conscious_role_play")
    wordings = [f"{name}{wording}" for name in played for wording in ("", ":described", ":brief")]
    assert condition_names() == [*wordings, "vanilla", "persona_file"]
    prompts = [system_prompt(name) for name in condition_names() if name != "persona_file"]
    assert prompts.count(None) == 1 and len(set(prompts)) == 10
    assert [asked_for(f"{name}:all") for name in played] == [wordings[:3], wordings[3:6], wordings[6:]]


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom consciousness_cluster.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'yaml', 'jsonschema', 'rich', 'rapidfuzz', 'numpy', 'torch', 'lm_eval', 'openai', 'datasets'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "consciousness-cluster" in done.stdout


def test_without_lm_eval_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from importlib import metadata

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    for arguments in (["lm-eval", "--", "ls", "tasks"], ["quickstart"]):
        assert main(arguments) == 2
        assert "pip install 'consciousness-cluster[lm-eval]'" in capsys.readouterr().err


@pytest.mark.parametrize("unbuffered", ["", "1"])  # the write fails at the end, or at the first line
def test_a_closed_pipe_is_no_error(unbuffered: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "consciousness_cluster", "data", "stats"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
