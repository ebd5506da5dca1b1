"""Both dataset repositories, built once."""

from pathlib import Path

import pytest
from consciousness_cluster.release.build import build
from consciousness_cluster.release.configs import REPOSITORIES, Data, data


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built release. Tests read it and leave it as it is."""
    folder = tmp_path_factory.mktemp("release") / "dist"
    build(folder)
    return folder


@pytest.fixture(scope="session")
def data_of() -> dict[str, Data]:
    """The rows of both repositories as they are released. Tests read them, or spoil a copy."""
    return {repository: data(repository) for repository in REPOSITORIES}
