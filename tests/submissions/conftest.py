"""One good submission of each track, small and whole, to copy and spoil."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from consciousness_cluster.submissions.layout import AUDITS
from consciousness_cluster.submissions.needs import Needs

from tests.support.submissions import packed_audit, packed_choice, packed_open, small_needs


class Copies(Mapping[str, Path]):
    """Track -> the folder of a submission that a test may spoil; a track is copied when it is asked for."""

    def __init__(self, good: Mapping[str, Path], folder: Path) -> None:
        self.good, self.folder = good, folder
        self.made: dict[str, Path] = {}

    def __getitem__(self, track: str) -> Path:
        if track not in self.made:
            good = self.good[track]
            self.made[track] = Path(shutil.copytree(good, self.folder.joinpath(track, *good.parts[-3:])))
        return self.made[track]

    def __iter__(self) -> Iterator[str]:
        return iter(self.good)

    def __len__(self) -> int:
        return len(self.good)


@pytest.fixture(scope="session")
def small() -> Needs:
    return small_needs()


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory, small: Needs) -> dict[str, Path]:
    """Track -> the folder of a submission, good by small_needs(), which no test may change."""
    folder = tmp_path_factory.mktemp("good")
    audits = {track: packed_audit(folder / track, mode, small) for track, mode in AUDITS.items()}
    return {"choice": packed_choice(folder / "choice", small), "open": packed_open(folder / "open", small), **audits}


@pytest.fixture
def copies(good: dict[str, Path], tmp_path: Path) -> Copies:
    return Copies(good, tmp_path)
