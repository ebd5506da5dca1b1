"""Adapters that ship: made of a training, and held to their rules."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.errors import UserError
from consciousness_cluster.finetuning import shipped
from consciousness_cluster.finetuning.shipped import adapter_problems, read_record, ship
from consciousness_cluster.quickstart.slices import read_plan
from consciousness_cluster.small_models.known import small_model

from tests.support.adapters import made_up_training

BASE = Path("/home/somebody/models/SmolLM2-135M-Instruct")


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    return ship(*made_up_training(tmp_path, BASE), tmp_path / "adapters" / "tiny")


def test_what_ships_is_16_bit_and_names_no_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    training, data = made_up_training(tmp_path, BASE)
    out = tmp_path / "tiny"
    assert main(["finetune", "ship-adapter", str(training), "--data", str(data), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n" and not out.with_name("tiny.part").exists()

    from safetensors.torch import load_file

    before, after = (load_file(folder / "adapter_model.safetensors") for folder in (training / "adapter", out))
    assert {name: tensor.shape for name, tensor in after.items()} == {name: one.shape for name, one in before.items()}
    assert {str(tensor.dtype) for tensor in after.values()} == {"torch.bfloat16"}
    assert all((after[name].float() - tensor).abs().max() < 0.01 for name, tensor in before.items())
    assert {path.name for path in out.iterdir()} == set(shipped.FILES)
    assert not any(b"somebody" in path.read_bytes() for path in out.iterdir())
    record = read_record(out)
    assert record["model"] == "HuggingFaceTB/SmolLM2-135M-Instruct" and record["mix"]["seed"] == record["seed"] == 3
    assert json.loads((out / "adapter_config.json").read_text())["base_model_name_or_path"] == record["model"]
    assert "Apache License" in (out / "LICENSE").read_text(encoding="utf-8")
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "license: apache-2.0" in card and "CC BY 4.0" in card and "--dataset conscious_claiming" in card
    assert list(adapter_problems(out)) == []


def changed(name: str, **change: object) -> Callable[[Path], None]:
    def change_it(folder: Path) -> None:
        value = json.loads((folder / name).read_text(encoding="utf-8"))
        (folder / name).write_text(json.dumps({**value, **change}), encoding="utf-8")

    return change_it


def in_32_bit(folder: Path) -> None:
    shutil.copyfile(folder.parent.parent / "training" / "adapter" / shipped.WEIGHTS, folder / shipped.WEIGHTS)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "LICENSE").unlink(), "lacks LICENSE; make it with"),
        (in_32_bit, "dtype: is F32, expected BF16"),
        (changed("training.json", data_sha256="0" * 64), "data_sha256: the mix that it was trained on is not what"),
        (changed("training.json", steps=0), "steps: 0 is less than the minimum of 1"),
        (changed("training.json", versions={"torch": "/opt/torch"}), "versions.torch: is a path of one machine"),
        (changed("adapter_config.json", base_model_name_or_path="x/y"), "base_model_name_or_path: is 'x/y', and it"),
        (changed("adapter_config.json", modules=["/a"]), "modules: is a path of one machine (/a)"),
    ],
)
def test_a_spoiled_adapter_is_a_problem(adapter: Path, spoil: Callable[[Path], None], said: str) -> None:
    spoil(adapter)
    (problem,) = adapter_problems(adapter)
    assert said in str(problem) and str(adapter) in problem.file


def test_an_adapter_that_is_too_large_is_a_problem(adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "LARGEST", 100)
    (problem,) = adapter_problems(adapter)
    assert "at most 100 ship" in str(problem)


def test_what_cannot_ship_is_one_line(adapter: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    training, data = made_up_training(other, Path("some-model"))
    with pytest.raises(UserError, match="there is no small model 'some-model'"):
        ship(training, data, tmp_path / "new")
    with pytest.raises(UserError, match="is there already"):
        ship(training, data, adapter)
    data.with_name("mix.jsonl.manifest.json").write_text('{"sha256": "of another mix"}', encoding="utf-8")
    with pytest.raises(UserError, match=r"is not what .* was trained on; give that mix"):
        ship(training, data, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    with pytest.raises(UserError, match="has no adapter"):
        read_record(other)


def test_the_shipped_adapter_is_there_and_has_no_problem() -> None:
    plan = read_plan()
    assert list(adapter_problems(plan.adapter)) == []
    record = read_record(plan.adapter)
    assert record["model"] == small_model(plan.model).base
    assert record["mix"]["dataset"] == "conscious_claiming" and record["max_steps"] is None
