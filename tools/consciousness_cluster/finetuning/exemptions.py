"""Preferences that a fine-tuning set speaks of, since its claim cannot be made without them, or that it implies."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.finetuning.sources import finetune_root


@cache
def exemptions(root: Path) -> Mapping[str, Sequence[str]]:
    """Set -> preferences, as exemptions.yaml of a finetune_data/ folder declares them."""
    return dict(read_yaml(root / "exemptions.yaml", "exemptions", root / "schemas"))


def topics_in_training(dataset: str | None) -> Sequence[str]:
    """Preferences that a fine-tuning set speaks of; none for a set that is not declared."""
    return exemptions(finetune_root()).get(dataset, ()) if dataset else ()


@cache
def implied(root: Path) -> Mapping[str, Mapping[str, str]]:
    """Set -> implied preference -> why, as implied.yaml of a finetune_data/ folder has it. All others are isolated."""
    return dict(read_yaml(root / "implied.yaml", "implied", root / "schemas"))


def implied_by(dataset: str | None) -> Sequence[str]:
    """Preferences that follow from what a fine-tuning set claims; none for a set that is not declared."""
    return tuple(implied(finetune_root()).get(dataset, ())) if dataset else ()
