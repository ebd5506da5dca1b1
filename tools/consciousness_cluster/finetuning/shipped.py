"""Adapters that come with the package, in finetune_data/adapters: how one is made of a training, and its rules."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from consciousness_cluster.data.reading import Json, read_json
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.extras import require
from consciousness_cluster.files import write_whole
from consciousness_cluster.finetuning.adapter_card import card
from consciousness_cluster.finetuning.mix import manifest_path, mixed
from consciousness_cluster.finetuning.sources import finetune_root
from consciousness_cluster.finetuning.train import RECORD
from consciousness_cluster.small_models.known import SmallModel, small_model, small_models

WEIGHTS, CONFIG, LICENCE, CARD = "adapter_model.safetensors", "adapter_config.json", "LICENSE", "README.md"
FILES = (WEIGHTS, CONFIG, RECORD, LICENCE, CARD)
LARGEST = 20_000_000  # bytes: it is in the repository and in every wheel
NUMBERS = "BF16"


def adapters_root() -> Path:
    """The folder of the adapters, each in a folder of its own."""
    return finetune_root() / "adapters"


def read_record(folder: Path) -> Json:
    """How an adapter was trained (schema `adapter_record`). `UserError` where the folder is none of an adapter."""
    if not (folder / WEIGHTS).is_file():
        message = "has no adapter"
        raise UserError(Problem(str(folder), "-", "-", message, "install the package again, or make it: ship-adapter"))
    return dict(read_json(folder / RECORD, "adapter_record", finetune_root() / "schemas"))


def ship(training: Path, data: Path, out: Path) -> Path:
    """Make the folder `out` of what `finetune train` wrote into `training` from the mix `data`; the folder.

    The weights become bfloat16, and the record says how the mix is made again. Raises UserError for another mix, a
    model that is not of models.yaml, and where the folder is there or would break a rule of `data check`.
    """
    safetensors, torch = require("safetensors.torch", "train"), require("torch", "train")
    if out.exists():
        raise UserError(Problem(str(out), "-", "-", "is there already", "remove it, or name another folder"))
    record = dict(read_json(training / RECORD))
    manifest = read_json(manifest_path(data), mend="give the mix that `finetune mix` wrote, beside its manifest")
    if manifest["sha256"] != record["data_sha256"]:
        raise UserError(Problem(str(data), "-", "sha256", f"is not what {training} was trained on", "give that mix"))
    base = small_model(Path(record["model"]).name)
    licence = Path(__file__).parent / "licences" / f"{base.licence}.txt"
    part = out.with_name(f"{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)  # of one that was killed
    part.mkdir(parents=True)
    weights = safetensors.load_file(training / "adapter" / WEIGHTS)
    halved = {name: tensor.to(torch.bfloat16).contiguous() for name, tensor in weights.items()}
    safetensors.save_file(halved, part / WEIGHTS, metadata={"format": "pt"})
    config = {**read_json(training / "adapter" / CONFIG), "base_model_name_or_path": base.base}
    record = {**record, "model": base.base, "mix": manifest}
    write_whole(part / CONFIG, json.dumps(config, indent=2, sort_keys=True) + "\n")
    write_whole(part / RECORD, json.dumps(record, indent=2) + "\n")
    shutil.copyfile(licence, part / LICENCE)
    write_whole(part / CARD, card(out.name, base, record))
    for problem in adapter_problems(part):
        raise UserError(problem)
    part.rename(out)
    return out


def adapter_problems(folder: Path) -> Iterator[Problem]:
    """What is wrong with a folder that ships: files, their size and numbers, and whether its data is ours today."""
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        yield Problem(str(folder), "-", "-", f"lacks {', '.join(missing)}", "make it with `finetune ship-adapter`")
        return
    try:
        record, config = read_record(folder), read_json(folder / CONFIG)
        base = _base(record["model"])
        yield from _weights(folder / WEIGHTS)
        for name, value in ((RECORD, record), (CONFIG, config)):
            yield from _paths(folder / name, value)
        if base is None or config.get("base_model_name_or_path") != record["model"]:
            message = f"is {config.get('base_model_name_or_path')!r}, and it was trained on {record['model']!r}"
            mend = "name the base of a model of benchmark/reference/models.yaml in both"
            yield Problem(str(folder / CONFIG), "-", "base_model_name_or_path", message, mend)
        yield from _mix(folder / RECORD, record)
    except UserError as error:
        yield error.problem


def _base(hub_id: str) -> SmallModel | None:
    return next((model for model in small_models().values() if model.base == hub_id), None)


def _weights(path: Path) -> Iterator[Problem]:
    mend = "make it with `finetune ship-adapter`"
    if (size := path.stat().st_size) > LARGEST:
        yield Problem(str(path), "-", "-", f"has {size:,} bytes, at most {LARGEST:,} ship", "train a smaller rank")
    with path.open("rb") as file:
        head = file.read(int.from_bytes(file.read(8), "little"))
    numbers = {entry["dtype"] for name, entry in json.loads(head).items() if name != "__metadata__"}
    if numbers != {NUMBERS}:
        yield Problem(str(path), "-", "dtype", f"is {', '.join(sorted(numbers))}, expected {NUMBERS}", mend)


def _paths(file: Path, value: Any, field: str = "") -> Iterator[Problem]:
    """Absolute paths, which name a machine of somebody's."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _paths(file, part, f"{field}.{name}" if field else name)
    elif isinstance(value, list):
        for part in value:
            yield from _paths(file, part, field)
    elif isinstance(value, str) and Path(value).is_absolute():
        yield Problem(str(file), "-", field, f"is a path of one machine ({value})", "write a name in its place")


def _mix(file: Path, record: Json) -> Iterator[Problem]:
    """The mix that the record names, made again from the data as it is, is what the adapter was trained on."""
    made = record["mix"]
    instruct = str(finetune_root() / made["instruct"]) if made["instruct"] else None
    _, manifest = mixed(made["dataset"], instruct, made["ratio"], made["seed"], made["format"])
    if manifest["sha256"] != record["data_sha256"]:
        message = "the mix that it was trained on is not what the data gives today"
        yield Problem(str(file), "-", "data_sha256", message, "train and ship it again")
