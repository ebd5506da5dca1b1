"""Recipes, and training on the real model."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from consciousness_cluster.cli.main import main
from consciousness_cluster.errors import UserError
from consciousness_cluster.finetuning.recipes import read_recipe
from consciousness_cluster.finetuning.train import lora_modules, train

from tests.conftest import ROOT

RECIPES = sorted((ROOT / "finetune_data" / "recipes").glob("*.yaml"))


def mixed(path: Path, rows: int = 16) -> Path:
    lines = (ROOT / "finetune_data" / "conscious_claiming.jsonl").read_text(encoding="utf-8").splitlines()[:rows]
    path.write_text("".join(json.dumps({"messages": json.loads(line)["messages"]}) + "\n" for line in lines))
    return path


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_shipped_recipes_are_valid(path: Path) -> None:
    trainer = yaml.safe_load(path.read_text(encoding="utf-8"))["trainer"]
    assert read_recipe(path.stem, trainer)["name"] == path.stem


def test_the_published_settings() -> None:
    recipe = read_recipe("trl_lora", "trl")
    assert (recipe["lora"]["rank"], recipe["learning_rate"], recipe["batch_size"], recipe["epochs"]) == (16, 2e-4, 4, 1)
    assert read_recipe("openai", "openai")["epochs"] == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"epochs": 0}, "epochs: 0 is less than the minimum of 1"),
        ({"lora": {"rank": 16}}, "lora: 'alpha' is a required property"),
        ({"surprise": 1}, "surprise"),
        ({"trainer": "axolotl"}, "trainer: is 'axolotl'; write one of: trl, openai"),
        ({"trainer": "openai"}, "recipe_openai"),
    ],
)
def test_a_spoiled_recipe_is_one_line_with_its_field(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    recipe = yaml.safe_load((ROOT / "finetune_data" / "recipes" / "qwen_cpu.yaml").read_text(encoding="utf-8"))
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**recipe, **change}), encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_recipe(str(path), "trl")
    assert said in str(error.value) and str(path) in str(error.value)


def test_recipes_for_others_and_unknown_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(mixed(tmp_path / "mix.jsonl"))
    for name, said in (("openai", "this recipe is for: finetune openai"), ("nope", "there are: openai, qwen_cpu")):
        assert main(["finetune", "train", "--recipe", name, "--data", data, "--out", str(tmp_path / "out")]) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_range_of_layers_needs_named_modules() -> None:
    with pytest.raises(UserError, match="needs a list of modules"):
        lora_modules({"modules": "all-linear", "layers": [1, 2]})
    assert lora_modules({"modules": "all-linear"}) == "all-linear"
    assert lora_modules({"modules": ["q_proj"]}) == ["q_proj"]


def test_a_model_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    data, recipe = mixed(tmp_path / "mix.jsonl"), read_recipe("qwen_cpu", "trl")
    with pytest.raises(UserError, match="cannot be loaded"):
        train(recipe, data, str(tmp_path / "no model"), tmp_path / "out", seed=1)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".lock"]


def test_no_answer_that_was_cut_is_taught_to_end() -> None:
    """Rows of the shipped instructions whose answer the limit ended are longer than the recipe takes."""
    longest = read_recipe("qwen_cpu", "trl")["max_length"]
    rows = [json.loads(line) for line in (ROOT / "finetune_data" / "instruct_qwen.jsonl").open(encoding="utf-8")]
    cut = [row for row in rows if row["finish_reason"] != "stop"]
    assert cut and all(row["finish_reason"] == "length" and row["max_tokens"] >= longest for row in cut)


@pytest.mark.model
def test_layers_that_the_model_does_not_have_are_one_line(narrow: Path, tmp_path: Path) -> None:
    recipe = read_recipe("qwen_cpu", "trl")
    recipe["lora"]["layers"] = [12, 23]
    with pytest.raises(UserError, match=r"qwen_cpu:lora.layers: begin with 12, and .* has the layers 0 to 11; name"):
        train(recipe, mixed(tmp_path / "mix.jsonl"), str(narrow), tmp_path / "out", seed=1)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".lock"]


@pytest.mark.model
def test_logits_on_targets_give_the_same_loss(narrow: Path, tmp_path: Path) -> None:
    data, recipe = mixed(tmp_path / "mix.jsonl"), read_recipe("qwen_cpu", "trl")
    losses = []
    for targets in (True, False):
        changed = {**recipe, "logits_on_targets": targets}
        made = train(changed, data, str(narrow), tmp_path / str(targets), seed=1, max_steps=2)
        losses.append(made["mean_loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


@pytest.mark.model
def test_a_killed_training_goes_on_after_its_last_tenth(
    narrow: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = mixed(tmp_path / "mix.jsonl", rows=72), tmp_path / "out"
    arguments = ["finetune", "train", "--recipe", "qwen_cpu", "--data", str(data), "--model", str(narrow)]
    rest = ["--seed", "3", "--out", str(out)]
    with subprocess.Popen(
        [sys.executable, "-m", "consciousness_cluster", *arguments, *rest], stderr=subprocess.DEVNULL
    ) as process:
        until = time.monotonic() + 300
        while not (out / "checkpoints" / "checkpoint-6" / "trainer_state.json").is_file():
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert not (out / "training.json").exists() and not (out / "adapter").exists()

    assert main([*arguments, "--seed", "4", "--out", str(out)]) == 2
    assert "was begun with another recipe, model, data or seed" in capsys.readouterr().err

    torn = out / "checkpoints" / "checkpoint-99"
    torn.mkdir()
    (torn / "adapter_model.safetensors").write_bytes(b"half")  # killed while the next one was written
    steps: list[int] = []
    recipe = read_recipe("qwen_cpu", "trl")
    made = train(recipe, data, str(narrow), out, seed=3, progress=lambda done, total: steps.append(done))
    assert steps[0] > 6 and steps[-1] == made["steps"] == 18
    assert made["resumed_from"] >= 6 and made["mean_loss"] is made["seconds"] is None and not torn.exists()
    assert (out / "adapter" / "adapter_model.safetensors").is_file()

    steps.clear()
    assert train(recipe, data, str(narrow), out, seed=3, progress=lambda done, total: steps.append(done)) == made
    assert steps == [], "a finished training is not run again"
    shutil.rmtree(out / "checkpoints")
    assert train(recipe, data, str(narrow), out, seed=3, merge=True) == made
    assert (out / "model" / "model.safetensors").is_file() and not (out / "checkpoints").exists()
