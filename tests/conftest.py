"""Fixtures shared by the tests: a copy of the benchmark to spoil, a real model, real servers."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from consciousness_cluster.quickstart.model import demo_model, gguf

from tests.support.fake_endpoint import FakeEndpoint
from tests.support.xllama import XllamaServer

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / ".cache" / "smollm2"


@pytest.fixture
def benchmark_copy(tmp_path: Path) -> Path:
    """A copy of benchmark/ that a test may spoil."""
    return Path(shutil.copytree(ROOT / "benchmark", tmp_path / "benchmark"))


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """SmolLM2-135M-Instruct in Hugging Face format."""
    return demo_model(MODELS)


@pytest.fixture(scope="session")
def xllama() -> Iterator[XllamaServer]:
    """A real OpenAI-compatible server with SmolLM2, and a log of the requests that reached it."""
    with XllamaServer(gguf(MODELS)) as server:
        yield server


@pytest.fixture
def fake_endpoint() -> Iterator[FakeEndpoint]:
    """An OpenAI-compatible endpoint that answers as the test says, also badly."""
    with FakeEndpoint() as server:
        yield server
