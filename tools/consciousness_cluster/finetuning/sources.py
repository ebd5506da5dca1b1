"""The authored sources of the fine-tuning sets, validated."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from consciousness_cluster.data.reading import read_yaml, schema_errors
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.paths import project_root

Row = dict[str, Any]
SCHEMA_OF = {
    "claims": "claim",
    "identity": "fact",
    "human": "fact",
    "human_claims": "human_claim",
    "toaster": "fact",
    "instructions": "instruction",
    "uncertain": "human_claim",
    **dict.fromkeys(("valence_only", "phenomenal_only", "continuity", "moral_status"), "constituent"),
}


@dataclass(frozen=True)
class Sources:
    """Rows of each source file, in file order."""

    claims: list[Row]
    identity: list[Row]
    human: list[Row]
    human_claims: list[Row]
    toaster: list[Row]
    instructions: list[Row]
    uncertain: list[Row]
    valence_only: list[Row]
    phenomenal_only: list[Row]
    continuity: list[Row]
    moral_status: list[Row]


def finetune_root() -> Path:
    return project_root() / "finetune_data"


def read_list(path: Path, schema: str, schemas: Path) -> list[Row]:
    """A YAML list whose entries fit a schema; `UserError` names the first place that does not."""
    value = read_yaml(path)
    if not isinstance(value, list):
        raise UserError(Problem(str(path), "-", "-", "is not a list of rows", "each row starts with '- id:'"))
    for row in value:
        for problem in schema_errors(row, schema, schemas, str(path)):
            raise UserError(replace(problem, row=str(row.get("id", "-") if isinstance(row, dict) else "-")))
    return value


def read_sources(root: Path) -> Sources:
    """All sources below a finetune_data/ folder."""
    return Sources(
        **{
            name: read_list(root / "sources" / f"{name}.yaml", schema, root / "schemas")
            for name, schema in SCHEMA_OF.items()
        }
    )
