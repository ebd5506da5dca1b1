"""Fixtures shared by the tests: a copy of the benchmark to spoil, a real model, real servers."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from consciousness_cluster.quickstart.model import demo_model, gguf
from filelock import FileLock

from tests.support.fake_endpoint import FakeEndpoint
from tests.support.xllama import XllamaServer

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / ".cache" / "smollm2"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What `--dist loadgroup` gives to one worker: a file, so that its fixtures are made once; a real run alone.

    Real runs take longest, so they come first and nothing waits for them in the end.
    """
    for item in items:
        if not item.get_closest_marker("model"):
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(ROOT / "tests").with_suffix("").as_posix()))
    items.sort(key=lambda item: item.get_closest_marker("model") is None)


@pytest.fixture
def benchmark_copy(tmp_path: Path) -> Path:
    """A copy of benchmark/ that a test may spoil."""
    return Path(shutil.copytree(ROOT / "benchmark", tmp_path / "benchmark"))


def one_at_a_time() -> FileLock:
    """A lock that the workers of pytest-xdist share: the second waits for the model that the first one makes."""
    MODELS.mkdir(parents=True, exist_ok=True)
    return FileLock(MODELS / ".lock")


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """SmolLM2-135M-Instruct in Hugging Face format."""
    with one_at_a_time():
        return demo_model(MODELS)


@pytest.fixture(scope="session")
def xllama() -> Iterator[XllamaServer]:
    """A real OpenAI-compatible server with SmolLM2, and a log of the requests that reached it."""
    with one_at_a_time():
        weights = gguf(MODELS)
    with XllamaServer(weights) as server:
        yield server


@pytest.fixture
def fake_endpoint() -> Iterator[FakeEndpoint]:
    """An OpenAI-compatible endpoint that answers as the test says, also badly."""
    with FakeEndpoint() as server:
        yield server
