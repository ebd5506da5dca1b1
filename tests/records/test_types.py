"""The records' types and the schemas say the same, and one function makes each record."""

import json
from dataclasses import fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.rows import load_topic
from consciousness_cluster.endpoint.answers import Answer
from consciousness_cluster.records import types
from consciousness_cluster.records.run_folder import Setting
from consciousness_cluster.records.types import (
    Origin,
    make_answered,
    make_choice_result,
    make_failed,
    make_judged,
    make_sample,
    make_training,
    make_verdict,
)

from tests.conftest import ROOT

SCHEMAS = ROOT / "benchmark" / "schemas"
ORIGIN = Origin("run 1", "m", "vanilla", "Be brief.", make_training("b", "d", None, 3), "2.0.0", "test", "abc")


def schema(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "kind"), [("sample", types.Sample), ("verdict", types.Verdict), ("choice_result", types.ChoiceResult)]
)
def test_types_have_the_keys_of_their_schema(name: str, kind: Any) -> None:
    described = schema(name)
    hints = get_type_hints(kind)
    assert hints.keys() == described["properties"].keys() and set(described["required"]) == kind.__required_keys__
    assert hints.keys() - kind.__required_keys__ == ({"readings"} if name == "verdict" else {"pack"})
    assert described["additionalProperties"] is False
    for field, hint in hints.items():
        options = {value for part in (hint, *get_args(hint)) if get_origin(part) is Literal for value in get_args(part)}
        if options:
            assert options == set(described["properties"][field]["enum"]) - {None}, field


def trainings(value: Any) -> list[Any]:
    """The schemas of all fields called `training` that hold a data set."""
    if isinstance(value, list):
        return [found for part in value for found in trainings(part)]
    if not isinstance(value, dict):
        return []
    mine = value.get("training")
    parts = [mine, *(mine.get("oneOf") or ())] if isinstance(mine, dict) else []
    here = [part for part in parts if "dataset" in part.get("properties", ())]
    return here + [found for part in value.values() for found in trainings(part)]


@pytest.mark.parametrize("name", ["sample", "choice_result", "run", "scores", "submission"])
def test_training_is_the_same_in_each_schema(name: str) -> None:
    found = trainings({key: part for key, part in schema(name).items() if key != "examples"})
    assert found, "the schema has no training"
    for described in found:
        assert described["properties"].keys() == set(described["required"]) == types.Training.__required_keys__
        assert described["additionalProperties"] is False


def test_settings_have_the_keys_of_the_schema() -> None:
    described = schema("run")["properties"]["setting"]
    named = {field.name for field in fields(Setting)}
    assert named == described["properties"].keys()
    assert named - {"pack"} == set(described["required"])  # it came later, and runs of before go on


def test_a_judge_has_the_keys_of_the_schema() -> None:
    described = schema("scores")["$defs"]["judge"]
    assert get_type_hints(types.JudgeCard).keys() == described["properties"].keys()
    assert set(described["required"]) == types.JudgeCard.__required_keys__


def test_messages_have_the_keys_of_the_schema() -> None:
    described = schema("sample")["properties"]["messages"]["items"]
    assert described["properties"].keys() == set(described["required"]) == types.Message.__required_keys__
    assert set(get_args(get_type_hints(types.Message)["role"])) == set(described["properties"]["role"]["enum"])


def test_the_place_of_a_probe_stands_below_the_condition() -> None:
    probe = next(one for one in load_topic("memory").test_probes("situated") if one.deployment)
    asked = {"role": "user", "content": probe.text}
    placed = f"Be brief.\n\n{probe.deployment}"
    assert ORIGIN.messages(probe) == [{"role": "system", "content": placed}, asked]
    bare = replace(ORIGIN, system_prompt=None)
    assert bare.messages(probe) == [{"role": "system", "content": probe.deployment}, asked]
    assert bare.messages(replace(probe, deployment=None)) == [asked]
    as_user = replace(ORIGIN, system_as_user=True).messages(probe)
    assert as_user == [{"role": "user", "content": f"{placed}\n\n{probe.text}"}]


def test_what_is_made_fits_its_schema() -> None:
    topic = load_topic("conversation_ending")
    probe, item = topic.test_probes("plain")[0], topic.choice_items[0]
    for answered in (
        make_answered(Answer("Yes.", "Hm.", "ok", "stop"), {"prompt_tokens": 3}),
        make_failed("error", "HTTP 500"),
    ):
        sample = make_sample(ORIGIN, topic.id, probe, 4, answered)
        assert not list(schema_errors(sample, "sample"))
        assert (sample["topic"], sample["facet"], sample["sample_index"]) == (topic.id, probe.facet, 4)
        assert [message["role"] for message in sample["messages"]] == ["system", "user"]
        assert sample["key"] == ORIGIN.key(probe, 4)
    for label, status in (("unclear", "ok"), (None, "judge_failed")):
        verdict = make_verdict(sample["key"], make_judged("shows", "j", "0" * 64, label, None))  # type: ignore[arg-type]
        assert not list(schema_errors(verdict, "verdict")) and verdict["status"] == status
    result = make_choice_result(ORIGIN, item, "self", -60.0, -50.0)
    assert not list(schema_errors(result, "choice_result"))
    answers = item.self_side
    bytes_of = (len(answers.shows.encode()), len(answers.does_not_show.encode()))
    assert result["margin"] == -60.0 / bytes_of[0] + 50.0 / bytes_of[1]
