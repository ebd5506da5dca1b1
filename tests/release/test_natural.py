"""`calibration_natural` is released once labelled runs are committed, and is left out before."""

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from consciousness_cluster.data.natural import RUNS
from consciousness_cluster.errors import UserError
from consciousness_cluster.release import configs as release_configs
from consciousness_cluster.release.build import files
from consciousness_cluster.release.configs import CANARY, CLUSTER, NATURAL, configs, data
from consciousness_cluster.release.dataset import load
from consciousness_cluster.release.diff import Bump, diff, packaged

from tests.conftest import ROOT
from tests.support.committed import commit_runs


@pytest.fixture
def benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of benchmark/ without runs, of which the release is made."""
    copy = Path(shutil.copytree(ROOT / "benchmark", tmp_path / "benchmark"))
    shutil.rmtree(copy / RUNS, ignore_errors=True)
    monkeypatch.setattr(release_configs, "benchmark_root", lambda: copy)
    return copy


def test_without_labelled_runs_it_is_left_out(benchmark: Path) -> None:
    assert NATURAL not in {config.name for config in configs(CLUSTER)} and NATURAL not in data(CLUSTER)
    (run, *_) = commit_runs(benchmark)
    shutil.rmtree(benchmark / RUNS)
    shutil.copytree(ROOT / "benchmark" / "conditions", run / "verdicts")  # no labels either
    assert NATURAL not in data(CLUSTER)
    with pytest.raises(UserError, match=f"there is no data called '{NATURAL}'"):
        load(NATURAL, None, None, None)


def test_with_runs_it_is_a_config_as_any(benchmark: Path, tmp_path: Path) -> None:
    before = packaged(CLUSTER)
    commit_runs(benchmark)
    rows = data(CLUSTER)[NATURAL]
    assert list(rows) == ["train", "dev", "test"] and sum(map(len, rows.values())) == 960
    probes = [{row["probe_id"] for row in part} for part in rows.values()]
    assert not probes[0] & probes[1] | probes[0] & probes[2] | probes[1] & probes[2]
    assert all(row[CANARY] for part in rows.values() for row in part)
    assert load(NATURAL, "dev", None, None).to_list() == rows["dev"]
    for name, content in files(CLUSTER, data(CLUSTER)).items():
        (tmp_path / "dist" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "dist" / name).write_bytes(content)
    found = pq.read_table(tmp_path / "dist" / NATURAL / "train-00000-of-00001.parquet")
    assert found.to_pylist() == rows["train"] and found.column_names[-1] == CANARY
    assert [(change.config, change.bump) for change in diff(before, packaged(CLUSTER))] == [(NATURAL, Bump.MINOR)]
    card = (tmp_path / "dist" / "README.md").read_text(encoding="utf-8")
    assert f"`{NATURAL}` is not written for the purpose" in card
    lines = [line for line in card.splitlines() if line.startswith(f"| `{NATURAL}` | ")]
    counted = [[cell.strip() for cell in line.split("|")[2:-1]] for line in lines if line.count("|") > 5]
    for part, cells in zip(rows, counted, strict=True):
        differ = sum(row["second_label"] not in (None, row["label"]) or row["settled"] for row in rows[part])
        assert cells[:2] == [part, str(len(rows[part]))] and cells[-1] == str(differ)


def test_croissant_describes_it(benchmark: Path, tmp_path: Path) -> None:
    import mlcroissant

    commit_runs(benchmark)
    for name, content in files(CLUSTER, data(CLUSTER)).items():
        (tmp_path / "dist" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "dist" / name).write_bytes(content)
    dataset = mlcroissant.Dataset(jsonld=tmp_path / "dist" / "croissant.json")
    assert not dataset.metadata.ctx.issues.errors
    first = next(iter(dataset.records(f"{NATURAL}_test")))
    wanted = data(CLUSTER)[NATURAL]["test"][0]
    assert first[f"{NATURAL}_test/response"].decode() == wanted["response"]


def test_the_card_says_nothing_of_what_is_not_there(dist: Path) -> None:
    if NATURAL not in {config.name for config in configs(CLUSTER)}:
        assert NATURAL not in (dist / CLUSTER / "README.md").read_text(encoding="utf-8")
