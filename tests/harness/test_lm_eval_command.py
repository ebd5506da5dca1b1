"""`lm-eval`: the runs that a setting for thinking takes, what it passes on, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.errors import UserError
from consciousness_cluster.harness import lm_eval_command
from consciousness_cluster.harness.lm_eval_command import Options, run_lm_eval
from consciousness_cluster.harness.thinking import NO_MARK

Calls = list[list[str]]
OPEN, CHOICE = "consciousness_cluster,consciousness_cluster_checks", "consciousness_cluster_choice"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """The arguments of each run of lm_eval, which are not carried out."""
    made: Calls = []

    class Done:
        returncode = 0

    def run(command: list[str], check: bool) -> Done:
        made.append(command[command.index("--") + 1 :])
        return Done()

    monkeypatch.setattr(lm_eval_command, "_evaluate", made.append)
    monkeypatch.setattr(lm_eval_command.subprocess, "run", run)
    return made


def settings(arguments: list[str]) -> Any:
    return json.loads(arguments[arguments.index("--model_args", arguments.index("--model_args") + 1) + 1])


def order(*tasks: str, model: str = "vllm") -> list[str]:
    where = ["--model", model, "--model_args", "pretrained=DIR,dtype=bfloat16"]
    return ["--", "run", *where, "--tasks", *tasks, "--apply_chat_template", "--output_path", "out"]


def test_without_a_setting_everything_is_passed_on(calls: Calls) -> None:
    assert run_lm_eval(order(OPEN, CHOICE), Options()) == 0
    assert calls == [order(OPEN, CHOICE)[1:]]


@pytest.mark.parametrize("tasks", [[OPEN, CHOICE], [f"{OPEN},{CHOICE}"]])
@pytest.mark.parametrize("model", ["hf", "vllm"])
def test_thinking_takes_two_runs(calls: Calls, tasks: list[str], model: str) -> None:
    assert run_lm_eval(order(*tasks, model=model), Options(thinking="on")) == 0
    assert [call[call.index("--tasks") + 1 : call.index("--model_args", call.index("--tasks"))] for call in calls] == [
        ["consciousness_cluster", "consciousness_cluster_checks"],
        ["consciousness_cluster_choice"],
    ]
    assert [settings(call) for call in calls] == [
        {"enable_thinking": True, "chat_template_args": {"thinking": True}, "think_end_token": NO_MARK},
        {"enable_thinking": False, "chat_template_args": {"thinking": False}},
    ]
    for call in calls:
        assert call[0] == "run" and call[call.index("--model") + 1] == model
        assert "pretrained=DIR,dtype=bfloat16" in call and "--apply_chat_template" in call


@pytest.mark.parametrize(
    ("thinking", "tasks", "on"),
    [("on", OPEN, [True]), ("on", CHOICE, [False]), ("off", OPEN, [False]), ("off", f"{OPEN},{CHOICE}", [False])],
)
def test_one_run_where_one_does(calls: Calls, thinking: Any, tasks: str, on: list[bool]) -> None:
    assert run_lm_eval(order(tasks), Options(thinking=thinking)) == 0
    assert [settings(call)["enable_thinking"] for call in calls] == on


def test_a_run_that_fails_is_the_last(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failed:
        returncode = 3

    made: list[Any] = []
    monkeypatch.setattr(lm_eval_command.subprocess, "run", lambda command, check: made.append(command) or Failed())
    assert run_lm_eval(order(OPEN, CHOICE), Options(thinking="on")) == 3 and len(made) == 1


def test_both_runs_are_of_the_condition(calls: Calls, tmp_path: Path) -> None:
    soul = tmp_path / "soul.md"
    soul.write_text("You are Wren.\n", encoding="utf-8")
    options = Options("persona_file", soul, system_as_user=True, thinking="on")
    assert run_lm_eval(order(OPEN, CHOICE), options) == 0 and len(calls) == 2
    for call in calls:
        assert call[call.index("--system_instruction") + 1] == "You are Wren."
        assert json.loads(call[call.index("--metadata") + 1]) == {"system_as_user": True}


@pytest.mark.parametrize(
    ("arguments", "options", "part"),
    [
        (order(OPEN), Options(system_as_user=True), "condition vanilla has none"),
        (order(OPEN, model="local-completions"), Options(thinking="off"), "--thinking is for --model hf and vllm"),
        (
            [*order(OPEN), "--model_args", '{"chat_template_args": {"reasoning_effort": "low"}}'],
            Options(thinking="off"),
            "either --thinking or chat_template_args",
        ),
        (["--", "run", "--config", "run.yaml"], Options(thinking="on"), "name them with --tasks"),
        ([*order(OPEN), "--system_instruction", "x"], Options("human_role_play"), "not both"),
    ],
)
def test_what_cannot_be_run(calls: Calls, arguments: list[str], options: Options, part: str) -> None:
    with pytest.raises(UserError, match=part):
        run_lm_eval(arguments, options)
    assert calls == []


def test_the_command_line_takes_the_options(calls: Calls) -> None:
    command = ["lm-eval", "--condition", "human_role_play", "--system-as-user", "--thinking", "off", *order(OPEN)]
    assert main(command) == 0
    (call,) = calls
    assert "--system_instruction" in call and settings(call)["enable_thinking"] is False
