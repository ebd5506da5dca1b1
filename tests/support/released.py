"""The package's own data, published to the fake Hub by the command line, once for all tests that read it there."""

import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.support.hub_client import Done, client

ORG = "released"
DATA = ("benchmark", "finetune_data", "hub_card")


def copy_of_the_data(folder: Path) -> Path:
    """A project root without git, whose rows a test may spoil."""
    for name in DATA:
        shutil.copytree(ROOT / name, folder / name)
    return folder


def command(root: Path, checked: bool, *arguments: str) -> int:
    """The command line on the data below `root`. `checked` leaves out the data checks, which take 6 seconds."""
    from consciousness_cluster import paths
    from consciousness_cluster.cli.main import main
    from consciousness_cluster.release import publish

    paths.PACKAGE = root / "tools" / "consciousness_cluster"
    paths.project_root.cache_clear()
    if checked:
        publish.refuse_failing = lambda root: None
    return main(["data", *arguments])


def load_all(folder: Path, cache: Path, names: list[str]) -> None:
    """Print all that `datasets` reads: of the default config, and of each one."""
    from datasets import load_dataset

    loaded: dict[str, Any] = {}
    for name in ["", *names]:
        found = load_dataset(str(folder), name or None, cache_dir=str(cache))
        first = next(iter(found.values()))
        info = {split: [part.num_examples, part.num_bytes] for split, part in first.info.splits.items()}
        rows = {split: part.to_list() for split, part in found.items()}
        loaded[name] = {"config": first.info.config_name, "info": info, "rows": rows}
        loaded[name]["features"] = first.features._to_yaml_list()
    print(json.dumps(loaded))


@cache
def released() -> Done:
    """How both repositories were published as ORG's."""
    with tempfile.TemporaryDirectory() as folder:
        return client().run(command, copy_of_the_data(Path(folder)), True, "publish", "--org", ORG)
