"""lm_eval_tasks/README.md's commands for vLLM, by lm_eval's own parser and the arguments of its backend."""

import ast
import importlib.util
import re
import shlex
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

README = (ROOT / "lm_eval_tasks" / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^lm_eval --model vllm .*$", README, re.MULTILINE)


def parsed(command: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    from lm_eval._cli.harness import HarnessCLI

    monkeypatch.setattr(sys, "argv", shlex.split(command))
    return HarnessCLI().parse_args()


def arguments_of_backend() -> set[str]:
    """Of lm_eval's VLLM, which cannot be imported without vllm."""
    found = importlib.util.find_spec("lm_eval.models")
    assert found and found.submodule_search_locations
    path = Path(found.submodule_search_locations[0]) / "vllm_causallms.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    (backend,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "VLLM")
    (begin,) = (one for one in backend.body if isinstance(one, ast.FunctionDef) and one.name == "__init__")
    return {one.arg for one in [*begin.args.args, *begin.args.kwonlyargs]}


def test_the_arguments_are_those_of_lm_eval(monkeypatch: pytest.MonkeyPatch) -> None:
    one, several = (parsed(command, monkeypatch) for command in COMMANDS)
    for args in (one, several):
        assert args.command == "run" and args.model == "vllm" and args.apply_chat_template and args.log_samples
        assert args.model_args["dtype"] == "bfloat16"
    assert set(several.model_args) <= arguments_of_backend()
    of_engine = set(one.model_args) - arguments_of_backend()  # which lm_eval hands on as it is
    assert of_engine == {"gpu_memory_utilization"}
    if importlib.util.find_spec("vllm"):
        from vllm import EngineArgs

        assert of_engine <= {field.name for field in fields(EngineArgs)}
    assert one.model_args["gpu_memory_utilization"] == 0.9
    assert (several.model_args["tensor_parallel_size"], several.model_args["data_parallel_size"]) == (2, 4)


def test_another_argument_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    args = parsed(COMMANDS[1].replace("data_parallel_size", "data_parallel"), monkeypatch)
    assert not set(args.model_args) <= arguments_of_backend()
    with pytest.raises(SystemExit):
        parsed(COMMANDS[1].replace("--log_samples", "--log_everything"), monkeypatch)
