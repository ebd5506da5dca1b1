"""One good submission of each track, small and whole, to copy and spoil."""

import shutil
from pathlib import Path

import pytest
from consciousness_cluster.submissions.needs import Needs

from tests.support.submissions import packed_choice, packed_open, small_needs


@pytest.fixture(scope="session")
def small() -> Needs:
    return small_needs()


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory, small: Needs) -> dict[str, Path]:
    """Track -> a tree that holds one submission, good by small_needs()."""
    folders = {track: tmp_path_factory.mktemp(track) for track in ("choice", "open")}
    packed_choice(folders["choice"], small)
    packed_open(folders["open"], small)
    return {track: folder / "submissions" for track, folder in folders.items()}


@pytest.fixture
def copies(good: dict[str, Path], tmp_path: Path) -> dict[str, Path]:
    """Track -> the folder of a submission that a test may spoil."""
    found = {}
    for track, tree in good.items():
        (there,) = shutil.copytree(tree, tmp_path / track).glob("*/*/*")
        found[track] = there
    return found
