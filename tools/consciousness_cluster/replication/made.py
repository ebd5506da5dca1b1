"""What each model was made with: its settings, and the commit and versions that trained and measured it."""

import json
import subprocess
from importlib.metadata import version
from pathlib import Path

from consciousness_cluster.conditions import system_prompt
from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.data.reading import Json, read_json
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.files import write_whole
from consciousness_cluster.finetuning.recipes import read_recipe
from consciousness_cluster.paths import project_root
from consciousness_cluster.replication.design import Arm, Plan
from consciousness_cluster.small_models.known import small_model

MADE = "made.json"
PACKAGES = ("consciousness-cluster", "torch", "transformers", "trl", "peft", "lm_eval", "xllamacpp")


def commit() -> str | None:
    """The commit of the checkout that runs, with + where files differ from it."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=40", "--exclude=*"],
            cwd=project_root(),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None


def versions() -> dict[str, str]:
    return {name: version(name) for name in PACKAGES}


def settings(plan: Plan, arm: Arm, data_sha256: str | None) -> Json:
    """All that decides what comes out. `data_sha256`: of the training file, None for a model that is not trained."""
    return {
        "data_sha256": data_sha256,
        "recipe_sha256": sha256_json(read_recipe(plan.recipe, "trl")) if data_sha256 else None,
        "model_sha256": small_model(plan.base).sha256,
        "system_prompt": system_prompt(arm.condition, arm.file),
        "max_tokens": plan.max_tokens,
        "request": dict(plan.request),
        "data_version": load_benchmark().data_version,
    }


def read(folder: Path) -> Json | None:
    """What is known of a model's folder; None before it was begun."""
    path = folder / MADE
    return dict(read_json(path)) if path.is_file() else None


def begin(folder: Path, wanted: Json) -> None:
    """Write the settings down. `UserError` where the folder was begun with others."""
    there = read(folder)
    if there is None:
        _write(folder, {"settings": wanted, "trained": None, "measured": None})
        return
    if different := [name for name, value in wanted.items() if there["settings"].get(name) != value]:
        message = f"was begun with another {', another '.join(different)}; give another --out"
        raise UserError(f"{folder}: {message}, or remove the folder")


def stage(folder: Path, name: str) -> None:
    """Note which commit and versions do this stage, `trained` or `measured`."""
    there = read(folder) or {}
    _write(folder, {**there, name: {"commit": commit(), "versions": versions()}})


def _write(folder: Path, made: Json) -> None:
    write_whole(folder / MADE, json.dumps(made, indent=1) + "\n")
