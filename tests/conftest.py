"""Fixtures shared by the tests: a copy of the benchmark to spoil, a real model, real servers."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from consciousness_cluster.small_models.convert import demo_model
from consciousness_cluster.small_models.fetch import gguf_file
from consciousness_cluster.small_models.known import small_model
from filelock import FileLock

from tests.support.fake_endpoint import FakeEndpoint
from tests.support.xllama import XllamaServer, copy_shallow, write_shallow

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / ".cache" / "models"
SMOLLM2 = "SmolLM2-135M-Instruct"
SHALLOW = 3  # layers


@pytest.hookimpl(tryfirst=True)  # pytest-xdist writes the groups down in this hook too
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


def one_at_a_time(folder: Path) -> FileLock:
    """A lock that the workers of pytest-xdist share: the second waits for what the first one makes in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / ".lock")


def of_all_workers(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the workers of pytest-xdist share."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """SmolLM2-135M-Instruct in Hugging Face format."""
    with one_at_a_time(MODELS):
        return demo_model(SMOLLM2, MODELS)


@pytest.fixture(scope="session")
def narrow(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2 with its template, but narrow, of 12 layers and with the first 16,384 tokens: it costs little.

    The weights are drawn at random, and wide, so that some tokens are far likelier than others. For tests of everything
    around a model; `smollm2` is for tests of what it says.
    """
    folder = of_all_workers("narrow", tmp_path_factory) / smollm2.name
    with one_at_a_time(folder.parent):
        if not folder.is_dir():
            import torch
            from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

            part = folder.with_suffix(".part")
            AutoTokenizer.from_pretrained(smollm2).save_pretrained(part)
            tokens = _with_first_tokens(part / "tokenizer.json", 16384)
            config = AutoConfig.from_pretrained(smollm2)
            shape = {"hidden_size": 72, "head_dim": 8, "intermediate_size": 192, "num_hidden_layers": 12}
            config.update({**shape, "vocab_size": tokens, "initializer_range": 0.2})
            torch.manual_seed(7)
            AutoModelForCausalLM.from_config(config).save_pretrained(part)
            part.rename(folder)
    return folder


@pytest.fixture(scope="session")
def thin(narrow: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first two layers of it, for many requests of a model that is not trained."""
    folder = tmp_path_factory.mktemp("thin") / narrow.name
    copy_shallow(narrow, folder, 2)
    return folder


def _with_first_tokens(path: Path, number: int) -> int:
    """Cut a BPE tokenizer down to its first tokens, of which the later ones are merged; how many there are."""
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    bpe = tokenizer["model"]
    bpe["vocab"] = {token: place for token, place in bpe["vocab"].items() if place < number}
    bpe["merges"] = [pair for pair in bpe["merges"] if "".join(pair) in bpe["vocab"]]
    path.write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
    return len(bpe["vocab"])


@pytest.fixture(scope="session")
def shallow_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The GGUF file of SmolLM2 with its first three layers alone."""
    with one_at_a_time(MODELS):
        weights = gguf_file(small_model(SMOLLM2), MODELS)
    copy = of_all_workers("shallow", tmp_path_factory) / weights.name
    with one_at_a_time(copy.parent):
        if not copy.is_file():
            part = copy.with_suffix(".part")
            write_shallow(weights, part, SHALLOW)
            part.rename(copy)
    return copy


@pytest.fixture(scope="session")
def shallow(shallow_weights: Path) -> Iterator[XllamaServer]:
    """A real OpenAI-compatible server of these, and a log of the requests that reached it.

    The answers are no language, and come in a fifth of the time.
    """
    with XllamaServer(shallow_weights) as server:
        yield server


@pytest.fixture
def fake_endpoint() -> Iterator[FakeEndpoint]:
    """An OpenAI-compatible endpoint that answers as the test says, also badly."""
    with FakeEndpoint() as server:
        yield server
