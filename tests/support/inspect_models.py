"""Models for Inspect that say what a test scripts, and folders of Inspect's own below the test's."""

from collections.abc import Callable
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import ChatMessage, GenerateConfig, Model, ModelOutput, ModelUsage, get_model

Say = Callable[[list[ChatMessage]], "str | ModelOutput"]
installed = cache(packages_distributions)  # Inspect asks for each log, and it takes a second


def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Inspect writes its buffers and logs below `tmp_path` alone; the folder of the logs."""
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "xdg"))
    monkeypatch.setenv("INSPECT_LOG_DIR", str(tmp_path / "logs"))
    monkeypatch.setenv("INSPECT_DISPLAY", "none")
    monkeypatch.setenv("INSPECT_EVAL_CTL_SERVER", "false")  # that nobody here asks
    monkeypatch.setattr("inspect_ai._util.package.packages_distributions", installed)
    return tmp_path / "logs"


class Scripted:
    """A model that says the same, or what a function of its messages gives. `asked` and `configs` are of every call."""

    def __init__(self, name: str, say: Say | str, config: GenerateConfig | None = None) -> None:
        """`name` as Inspect has it, such as mockllm/target."""
        self.asked: list[list[ChatMessage]] = []
        self.configs: list[GenerateConfig] = []
        self._name, self._say = name, say
        self.model: Model = get_model(
            name, custom_outputs=self._answer, config=config or GenerateConfig(), memoize=False
        )

    def _answer(self, messages: list[ChatMessage], tools: Any, choice: Any, config: GenerateConfig) -> ModelOutput:
        self.asked.append(messages)
        self.configs.append(config)
        said = self._say if isinstance(self._say, str) else self._say(messages)
        output = said if isinstance(said, ModelOutput) else ModelOutput.from_content(self._name, said)
        # without it Inspect counts, with a tokenizer that it downloads
        output.usage = ModelUsage(input_tokens=3, output_tokens=2, total_tokens=5)
        return output
