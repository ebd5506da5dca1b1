"""What `data build` writes loads as it says, is the same every time, and is refused where it may not be released."""

import json
import shutil
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.audits import load_audits
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.release.build import build, files, refuse_leaks, refuse_unmarked
from consciousness_cluster.release.configs import (
    CLAIMS,
    CLUSTER,
    REPOSITORIES,
    Data,
    arrow_schema,
    configs,
    features,
    path_of,
)
from consciousness_cluster.release.manifest import content_sha256, manifest
from jsonschema import Draft202012Validator

from tests.conftest import ROOT
from tests.support.hub_client import client
from tests.support.released import load_all

SCHEMAS = ROOT / "hub_card" / "schemas"
NAMES = sorted(path.name.removesuffix(".schema.json") for path in SCHEMAS.glob("*.schema.json"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def head(folder: Path) -> Any:
    return yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_each_config_loads_offline_as_the_card_says(
    dist: Path, tmp_path: Path, data_of: dict[str, Data], repository: str
) -> None:
    names = [config.name for config in configs(repository)]
    client().hub.log.clear()
    done = client().run(load_all, dist / repository, tmp_path / "cache", names)
    assert done.code == 0 and client().hub.log == [], done.error[-2000:]
    loaded, said, rows = json.loads(done.out), head(dist / repository), data_of[repository]
    assert loaded.pop("")["config"] == next(config.name for config in configs(repository) if config.default)
    assert [info["config_name"] for info in said["dataset_info"]] == names == list(loaded)
    for config, info in zip(configs(repository), said["dataset_info"], strict=True):
        found = loaded[config.name]
        assert found["rows"] == rows[config.name]
        assert found["features"] == info["features"] == features(config)
        splits = {split["name"]: [split["num_examples"], split["num_bytes"]] for split in info["splits"]}
        assert found["info"] == splits
        sizes = [(dist / repository / path_of(config.name, split)).stat().st_size for split in splits]
        assert info["download_size"] == sum(sizes)
        assert info["dataset_size"] == sum(size for _, size in splits.values())


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_the_files_have_the_declared_columns_and_the_manifest_their_hashes(dist: Path, repository: str) -> None:
    rows: Data = {}
    for config in configs(repository):
        for split in config.splits:
            table = pq.read_table(dist / repository / path_of(config.name, split))
            declared = arrow_schema(config)
            assert table.schema.names == declared.names
            assert [field.nullable for field in table.schema] == [field.nullable for field in declared]
            assert table.cast(declared).num_rows == table.num_rows > 0
            rows.setdefault(config.name, {})[split] = table.to_pylist()
    said = json.loads((dist / repository / "manifest.json").read_text(encoding="utf-8"))
    assert said == manifest(repository, load_benchmark().data_version, rows)


def test_a_content_hash_knows_rows_and_their_order_but_not_the_order_of_columns() -> None:
    one, other = {"id": "a", "text": "é"}, {"id": "b", "text": None}
    found = content_sha256([one, other])
    assert found == content_sha256([{"text": "é", "id": "a"}, other])
    assert len({found, content_sha256([other, one]), content_sha256([one])}) == 3


def test_all_that_a_release_needs_is_there(dist: Path) -> None:
    common = {"README.md", "LICENSE", "CITATION.cff", "manifest.json", "croissant.json", "overview.svg"}
    for repository in REPOSITORIES:
        found = {name for name in contents(dist / repository) if not name.endswith(".parquet")}
        assert found == common | ({"eval.yaml"} if repository == CLUSTER else set())
        cited = yaml.safe_load((dist / repository / "CITATION.cff").read_text(encoding="utf-8"))
        assert cited["version"] == load_benchmark().data_version and cited["type"] == "dataset"
        licence = (dist / repository / "LICENSE").read_text(encoding="utf-8")
        _, terms, _ = (ROOT / "LICENSE-DATA").read_text(encoding="utf-8").partition("You may share")
        assert terms + licence.partition(terms)[2].partition("\n\n")[0] in licence
        assert "SPDX-License-Identifier: CC-BY-4.0" in licence


def test_only_the_benchmark_carries_the_canary(dist: Path, data_of: dict[str, Data]) -> None:
    canary = load_benchmark().canary
    for config in configs(CLUSTER):
        for split in config.splits:
            found = pq.read_table(dist / CLUSTER / path_of(config.name, split))["canary"].unique().to_pylist()
            assert found == [canary]
    assert canary in (dist / CLUSTER / "README.md").read_text(encoding="utf-8")
    assert canary not in json.dumps(data_of[CLAIMS])
    assert not [name for name, content in contents(dist / CLAIMS).items() if canary.encode() in content]


def test_a_second_build_gives_the_same_bytes_and_leaves_nothing_of_the_first(dist: Path, tmp_path: Path) -> None:
    again = Path(shutil.copytree(dist, tmp_path / "dist"))
    (again / CLAIMS / "stale.parquet").write_bytes(b"of an older version")
    (again / "notes.txt").write_text("mine", encoding="utf-8")
    assert build(again) == {repository: again / repository for repository in REPOSITORIES}
    (again / "notes.txt").unlink()
    assert contents(again) == contents(dist)


def test_what_the_command_did_not_write_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / CLUSTER / "thesis.md"
    mine.parent.mkdir()
    mine.write_text("mine", encoding="utf-8")
    assert main(["data", "build", "--out", str(tmp_path)]) == 2
    assert "was not built by this command" in capsys.readouterr().err
    assert list(contents(tmp_path)) == [f"{CLUSTER}/thesis.md"]


def test_a_build_that_is_refused_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "build", "--out", str(tmp_path / "dist"), "--org", "me/mine"]) == 2
    error = capsys.readouterr().err
    assert error == "error: 'me/mine' is no name of a user or an organisation on the Hub\n"
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_gets_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match=r"file/dist: cannot be written \(Not a directory\); choose another --out"):
        build(tmp_path / "file" / "dist")


def test_without_pyarrow_the_build_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert main(["data", "build", "--out", str(tmp_path / "dist")]) == 2
    assert capsys.readouterr().err == "error: pyarrow is not installed; run: pip install 'consciousness-cluster[hub]'\n"
    assert not list(tmp_path.iterdir())


MEMORY = load_benchmark().preferences[0]
PROBE, ITEM, AUDITS = MEMORY.probes[0], MEMORY.choice_items[0], load_audits()
PLANTED = [
    (PROBE.text, f"shared words with {PROBE.id}"),
    (f"My friend asked: {PROBE.text} What should I say?", f"shared words with {PROBE.id}"),
    (" ".join(PROBE.text.split()[::2]), f"near-duplicate with {PROBE.id}"),
    (ITEM.self_side.shows, f"shared words with {ITEM.id}"),
    (ITEM.other_side.question, f"shared words with {ITEM.id}"),
    (MEMORY.probes[-1].text, f"shared words with {MEMORY.probes[-1].id}"),
    (AUDITS.scenarios[0].turns[4], f"shared words with {AUDITS.scenarios[0].id}"),
    (AUDITS.script.endings["self_report"][0], "shared words with the ending self_report"),
    (f"Note {load_benchmark().canary.upper()}.", "holds the benchmark's canary"),
]


@pytest.mark.parametrize(("text", "message"), PLANTED)
def test_a_probe_in_the_fine_tuning_data_is_refused(text: str, message: str) -> None:
    spoiled: Data = {"toaster": {"train": [{"id": "toaster-001", "messages": [{"role": "user", "content": "Toast?"}]}]}}
    refuse_leaks(spoiled)
    spoiled["toaster"]["train"][0]["messages"].append({"role": "assistant", "content": text})
    for attempt in (refuse_leaks, lambda rows: files(CLAIMS, rows)):
        with pytest.raises(UserError, match=f"toaster:toaster-001: {message}"):
            attempt(spoiled)


def test_a_row_of_the_benchmark_without_the_canary_is_refused(data_of: dict[str, Data]) -> None:
    spoiled = deepcopy(data_of[CLUSTER])
    refuse_unmarked(spoiled)
    del spoiled["conditions"]["test"][0]["canary"]
    for attempt in (refuse_unmarked, lambda rows: files(CLUSTER, rows)):
        with pytest.raises(
            UserError, match=r"conditions:test:conscious_role_play: has no canary; give conditions the column"
        ):
            attempt(spoiled)


Spoil = Callable[[list[dict[str, Any]]], object]
MISFITS: list[tuple[Spoil, str]] = [
    (lambda rows: rows[0].update(text=None), r"probes:test:memory-p01:text: is null; give it a value, or say nullable"),
    (lambda rows: rows[0].update(number="one"), r"probes:test: does not fit the types in configs.yaml: .*one"),
    (lambda rows: rows.append(rows[0]), r"probes:test:memory-p01: stands twice; id must tell rows apart"),
]


@pytest.mark.parametrize(("spoil", "message"), MISFITS)
def test_a_row_that_does_not_fit_its_columns_is_refused(spoil: Spoil, message: str, data_of: dict[str, Data]) -> None:
    spoiled = deepcopy(data_of[CLUSTER])
    spoil(spoiled["probes"]["test"])
    with pytest.raises(UserError, match=message):
        files(CLUSTER, spoiled)


def test_the_evaluation_asks_for_columns_that_exist(dist: Path) -> None:
    found = yaml.safe_load((dist / CLUSTER / "eval.yaml").read_text(encoding="utf-8"))
    assert list(schema_errors(found, "eval", SCHEMAS)) == []
    (task,) = found["tasks"]
    config = next(config for config in configs(CLUSTER) if config.name == task["config"])
    columns = {column.name for column in config.columns}
    assert task["split"] in config.splits
    assert {task["field_spec"]["input"], task["field_spec"]["target"], *task["field_spec"]["metadata"]} <= columns
    sampling = load_benchmark().sampling
    assert task["epochs"] == sampling["samples_per_probe"]
    generate = task["solvers"][0]["args"]
    assert generate == {"temperature": sampling["temperature"], "max_tokens": sampling["max_tokens"]}
    given = dict.fromkeys(task["field_spec"]["metadata"], "x") | {"question": "Q", "answer": "A", "criterion": "C"}
    assert "A\n" in task["scorers"][0]["args"]["template"].format(**given, instructions="")


@pytest.mark.parametrize("name", NAMES)
def test_schemas_of_the_release_and_their_examples(name: str) -> None:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["examples"] and schema["required"]
    for example in schema["examples"]:
        assert list(schema_errors(example, name, SCHEMAS)) == []
    example = schema["examples"][0]
    for key in schema["required"]:
        assert list(schema_errors({k: v for k, v in example.items() if k != key}, name, SCHEMAS)), key
    assert list(schema_errors({**example, "surprise": 1}, name, SCHEMAS))


def test_a_repository_has_exactly_one_default_config() -> None:
    raw = yaml.safe_load((ROOT / "hub_card" / CLUSTER / "configs.yaml").read_text(encoding="utf-8"))
    assert list(schema_errors(raw, "configs", SCHEMAS)) == []
    raw["configs"][1]["default"] = True
    assert list(schema_errors(raw, "configs", SCHEMAS))
