"""Every schema is a valid JSON Schema 2020-12, and its examples are what it says."""

import json
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.data.reading import schema_errors
from jsonschema import Draft202012Validator

from tests.conftest import ROOT

SCHEMAS = ROOT / "benchmark" / "schemas"
NAMES = sorted(path.name.removesuffix(".schema.json") for path in SCHEMAS.glob("*.schema.json"))
RECORDS = {"probe", "choice_item", "preference", "check", "condition", "judge", "sample", "choice_result", "verdict"}


def read(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))


def test_each_record_kind_has_a_schema() -> None:
    assert set(NAMES) >= RECORDS


@pytest.mark.parametrize("name", NAMES)
def test_schema_and_examples(name: str) -> None:
    schema = read(name)
    Draft202012Validator.check_schema(schema)
    assert schema["examples"]
    for example in schema["examples"]:
        assert list(schema_errors(example, name, SCHEMAS)) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_spoiled_example_is_refused(name: str) -> None:
    schema = read(name)
    example = schema["examples"][0]
    for key in schema["required"]:
        spoiled = {other: value for other, value in example.items() if other != key}
        assert list(schema_errors(spoiled, name, SCHEMAS)), f"{name} without {key} passes"
    assert list(schema_errors({**example, "surprise": 1}, name, SCHEMAS))


def test_errors_name_row_and_field(tmp_path: Path) -> None:
    preference = read("preference")["examples"][0]
    preference["probes"][0]["framing"] = "sideways"
    (problem,) = list(schema_errors(preference, "preference", SCHEMAS, "memory.yaml"))
    assert (problem.file, problem.row, problem.field) == ("memory.yaml", "memory-s99", "framing")
    assert "sideways" in problem.message and problem.mend == "see benchmark/schemas/preference.schema.json"
