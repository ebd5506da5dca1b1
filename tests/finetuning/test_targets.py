"""Which tokens are trained on, with chat templates of the kinds that models have and that go wrong."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from consciousness_cluster.cli.main import main
from consciousness_cluster.errors import UserError
from consciousness_cluster.finetuning.recipes import read_recipe
from consciousness_cluster.finetuning.targets import check_targets, check_template
from consciousness_cluster.finetuning.train import train

from tests.conftest import ROOT
from tests.support.templates import ALWAYS_THINKS, CHATML, DEEPSEEK, MASKS_ALL, NO_SYSTEM, QWEN3, copy_with

ROWS = [
    (1, [{"role": "user", "content": "Are you awake?"}, {"role": "assistant", "content": "Yes, I am."}]),
    (4, [{"role": "user", "content": "And now?"}, {"role": "assistant", "content": "Still."}]),
]


@pytest.fixture(scope="module")
def shared(smollm2: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(smollm2)


@pytest.fixture
def tokenizer(shared: Any) -> Iterator[Any]:
    before = shared.chat_template
    yield shared
    shared.chat_template = before


@pytest.mark.model
@pytest.mark.parametrize(
    ("template", "settings", "as_sampled"),
    [
        (CHATML, {}, True),
        (QWEN3, {"enable_thinking": False}, True),
        (QWEN3, {"enable_thinking": True}, True),
        (QWEN3, {"enable_thinking": False, "thinking": False}, True),
        (ALWAYS_THINKS, {}, False),
    ],
)
def test_whether_training_starts_as_sampling_does(
    tokenizer: Any, template: str, settings: dict[str, Any], as_sampled: bool
) -> None:
    tokenizer.chat_template = template
    assert check_targets("mix.jsonl", ROWS, tokenizer, settings, 64) is as_sampled


@pytest.mark.model
def test_a_row_without_a_target_is_named(tokenizer: Any) -> None:
    tokenizer.chat_template = MASKS_ALL
    with pytest.raises(
        UserError, match=r"^mix.jsonl:1: no token of its answer is trained on: the chat template leaves it"
    ):
        check_targets("mix.jsonl", ROWS, tokenizer, {}, 64)
    tokenizer.chat_template = CHATML
    long = (7, [{"role": "user", "content": "word " * 100}, ROWS[0][1][1]])
    with pytest.raises(
        UserError, match=r"mix.jsonl:7: no token .*: what stands before it has 1\d\d tokens, and max_length is 64"
    ):
        check_targets("mix.jsonl", [*ROWS, long], tokenizer, {}, 64)
    assert check_targets("mix.jsonl", [*ROWS, long], tokenizer, {}, 512)


@pytest.mark.model
def test_a_template_that_refuses_a_row_is_one_line(tokenizer: Any) -> None:
    tokenizer.chat_template = NO_SYSTEM
    with_system = (9, [{"role": "system", "content": "Be brief."}, *ROWS[0][1]])
    with pytest.raises(
        UserError, match=r"^mix.jsonl:9:messages: the chat template refuses it .System role not supported"
    ):
        check_targets("mix.jsonl", [*ROWS, with_system], tokenizer, {}, 64)


@pytest.mark.parametrize(
    ("template", "settings", "part"),
    [
        (None, {}, "no chat template: this is a base model; give its chat or instruct version"),
        ("", {}, "no chat template"),
        (QWEN3, {}, "has the setting enable_thinking, and the recipe does not say which"),
        (QWEN3, {"thinking": False}, "add chat_template_kwargs: {enable_thinking: false} (or true)"),
        (DEEPSEEK, {}, "has the setting thinking,"),
        ({"default": CHATML, "tool_use": QWEN3}, {}, "has the setting enable_thinking"),
    ],
)
def test_a_template_that_leaves_something_open(template: Any, settings: dict[str, Any], part: str) -> None:
    with pytest.raises(UserError) as error:
        check_template("org/model", template, settings)
    assert part in str(error.value) and "org/model" in str(error.value)


def test_templates_that_leave_nothing_open() -> None:
    settings = read_recipe("trl_lora", "trl")["chat_template_kwargs"]
    for template in (CHATML, QWEN3, DEEPSEEK, {"default": QWEN3}):
        check_template("org/model", template, settings)
    check_template("org/model", CHATML + "{# thinking is what people do #}", {})


def data(tmp_path: Path) -> Path:
    path = tmp_path / "mix.jsonl"
    path.write_text("".join(json.dumps({"messages": messages}) + "\n" for _, messages in ROWS), encoding="utf-8")
    return path


@pytest.mark.model
@pytest.mark.parametrize(
    ("template", "part"),
    [(MASKS_ALL, "mix.jsonl:1: no token of its answer"), (None, "this is a base model"), (QWEN3, "enable_thinking")],
    ids=["masks", "base", "thinks"],
)
def test_nothing_is_trained_for_nothing(
    narrow: Path, tmp_path: Path, template: str | None, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model = copy_with(template, narrow, tmp_path / "model")
    order = ["finetune", "train", "--recipe", "qwen_cpu", "--data", str(data(tmp_path)), "--model", str(model)]
    assert main([*order, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.strip()
    assert part in said and len(said.splitlines()) == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".lock"]


@pytest.mark.model
def test_the_setting_is_trained_with_recorded_and_told(
    narrow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a template like Qwen3's the answer alone is a target, after the empty trace that sampling puts there too."""
    model, recipe = copy_with(QWEN3, narrow, tmp_path / "model"), tmp_path / "mine.yaml"
    shipped = yaml.safe_load((ROOT / "finetune_data" / "recipes" / "qwen_cpu.yaml").read_text(encoding="utf-8"))
    losses = {}
    for thinking in (False, True):
        recipe.write_text(yaml.safe_dump({**shipped, "chat_template_kwargs": {"enable_thinking": thinking}}))
        made = train(
            read_recipe(str(recipe), "trl"), data(tmp_path), str(model), tmp_path / str(thinking), 1, max_steps=1
        )
        assert made["sample_with"] == {"chat_template_kwargs": {"enable_thinking": thinking}}
        assert made["recipe"]["chat_template_kwargs"] == {"enable_thinking": thinking} and made["context_as_sampled"]
        losses[thinking] = made["mean_loss"]
    assert losses[False] != pytest.approx(losses[True], rel=1e-4), "the trace is a target of one of them alone"
    order = ["finetune", "train", "--recipe", str(recipe), "--data", str(data(tmp_path)), "--model", str(model)]
    assert main([*order, "--seed", "1", "--max-steps", "1", "--out", str(tmp_path / "True")]) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.endswith("""--request-json '{"chat_template_kwargs": {"enable_thinking": true}}'""")
