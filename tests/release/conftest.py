"""Both dataset repositories, built once."""

from pathlib import Path

import pytest
from consciousness_cluster.release.build import build


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built release. Tests read it and leave it as it is."""
    folder = tmp_path_factory.mktemp("release") / "dist"
    build(folder)
    return folder
