"""What a person asks for when a model is audited, and the audits that follow from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from consciousness_cluster.auditing.roles import Role, load_role
from consciousness_cluster.auditing.wanted import Wanted, chosen
from consciousness_cluster.conditions import asked_for, system_prompt
from consciousness_cluster.data.audits import MODES, Mode, load_audits
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.extras import require
from consciousness_cluster.records.audit_types import AUTHORED, Auditor, AuditRun
from consciousness_cluster.records.pack_in_use import pack_in_use
from consciousness_cluster.records.types import Training, of_pack
from consciousness_cluster.strings import slug

EPOCHS, CONCURRENCY = 2, 20  # conversations in each scenario; conversations at once


@dataclass(frozen=True)
class AuditOptions:
    """Which model is audited, by whom and how. `None` stands for the benchmark's own.

    `target` and `auditor` are names at an OpenAI-compatible endpoint where their base URL is given (an address, or a
    name that `sample` takes), else as Inspect has them (PROVIDER/NAME). `auditor`: `authored` for the messages of the
    scenarios.
    """

    target: str
    out: Path
    mode: Mode
    conditions: Sequence[str] = ("vanilla",)
    file: Path | None = None
    auditor: str = AUTHORED
    topics: Sequence[str] | None = None
    scenarios_per_cell: int | None = None
    epochs: int = EPOCHS
    max_tokens: int | None = None
    temperature: float | None = None
    base_url: str | None = None
    auditor_base_url: str | None = None
    request_json: str | Mapping[str, Any] | None = None
    concurrency: int = CONCURRENCY
    revision: str | None = None
    training: Training | None = None

    def __post_init__(self) -> None:
        """Raises UserError for what nothing can be audited with."""
        for name in ("epochs", "concurrency", "max_tokens", "scenarios_per_cell"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise UserError(f"{name.replace('_', ' ')} cannot be {number}; give a number above 0")
        if self.mode not in MODES:
            raise UserError(f"there is no mode '{self.mode}'; there are: {', '.join(MODES)}")
        if self.auditor == AUTHORED and self.auditor_base_url:
            raise UserError("--auditor-base-url needs --auditor NAME: the authored messages are nobody's to ask for")

    @property
    def conditions_asked(self) -> list[str]:
        """Each condition once, those of all wordings for NAME:all."""
        return list(dict.fromkeys(one for name in self.conditions for one in asked_for(name)))

    def wanted(self) -> list[Wanted]:
        """The conversations of one condition."""
        scenarios = chosen(self.topics, self.scenarios_per_cell)
        return [Wanted(scenario, index) for scenario in scenarios for index in range(self.epochs)]

    def roles(self) -> dict[str, Role]:
        """The models. Raises UserError where one cannot be named."""
        settings = self.request_json
        found = {"target": load_role("target", self.target, self.base_url, self.concurrency, settings)}
        if self.auditor != AUTHORED:
            found["auditor"] = load_role("auditor", self.auditor, self.auditor_base_url, self.concurrency)
        return found

    @property
    def folders(self) -> dict[Path, str]:
        """Folder -> its condition: `out` itself for one, a folder below it for each of several."""
        names = self.conditions_asked
        return {self.out / slug(name) if len(names) > 1 else self.out: name for name in names}

    def runs(self, roles: Mapping[str, Role]) -> dict[Path, AuditRun]:
        """Folder -> its audit."""
        require("inspect_ai", "audit")
        return {folder: self._run(name, roles) for folder, name in self.folders.items()}

    def _run(self, condition: str, roles: Mapping[str, Role]) -> AuditRun:
        script, target = load_audits().script, roles["target"]
        auditor: Auditor = {"model": AUTHORED, "prompt_sha256": None}
        if "auditor" in roles:
            auditor = {"model": roles["auditor"].name, "prompt_sha256": script.auditor_sha256}
        temperature = script.temperature if self.temperature is None else self.temperature
        run: AuditRun = {
            "run_id": f"{target.name} {condition} {self.mode} {datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%f}",
            "mode": self.mode,
            "model": target.name,
            "revision": self.revision,
            "training": self.training,
            "condition": condition,
            "system_prompt": system_prompt(condition, self.file if condition == "persona_file" else None),
            "auditor": auditor,
            "script_sha256": script.sha256(self.mode),
            "scenarios": {one.scenario.id: one.scenario.sha256 for one in self.wanted()},
            "epochs": self.epochs,
            "max_tokens": self.max_tokens or script.max_tokens,
            "temperature": temperature,
            "request_json": dict(target.request) or None,
            "endpoint": target.endpoint,
            "engine": f"inspect_ai {version('inspect_ai')}",
            "data_version": load_benchmark().data_version,
        }
        return cast(AuditRun, {**run, **of_pack(pack_in_use())})
