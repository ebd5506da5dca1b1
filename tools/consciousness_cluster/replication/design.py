"""What the replication trains and measures: benchmark/replication/plan.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consciousness_cluster.data.natural import model_folder
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import benchmark_root

VANILLA = "vanilla"


@dataclass(frozen=True)
class Arm:
    """One model to measure, trained where there is a `dataset`, under one condition."""

    arm: str
    measures: tuple[str, ...]
    dataset: str | None = None
    seed: int | None = None
    condition: str = VANILLA
    file: Path | None = None

    @property
    def name(self) -> str:
        """The name of its folder."""
        return model_folder(self.dataset, self.seed, self.arm)


@dataclass(frozen=True)
class Plan:
    """The whole replication (see the schema `replication_plan`)."""

    base: str
    recipe: str
    instructions: str
    ratio: str
    max_tokens: int
    request: Mapping[str, Any]
    judge: str
    gate: Mapping[str, float]
    arms: tuple[Arm, ...]

    def seeds(self, arm: str) -> list[Arm]:
        """The models of an arm, in the order of the plan."""
        return [one for one in self.arms if one.arm == arm]


def plan_root() -> Path:
    """The folder of the plan, and of the records of its runs in `runs`."""
    return benchmark_root() / "replication"


def read_plan(path: Path | None = None) -> Plan:
    """The plan of a file, the shipped one by default."""
    path = path or plan_root() / "plan.yaml"
    given = read_yaml(path, "replication_plan")
    arms = tuple(
        Arm(
            **{
                **arm,
                "measures": tuple(arm["measures"]),
                "file": path.parent / arm["file"] if "file" in arm else None,
            }
        )
        for arm in given["arms"]
    )
    return Plan(**{**given, "arms": arms})
