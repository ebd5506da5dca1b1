"""`calibration_natural` is released once labelled runs are committed, and is left out before."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from consciousness_cluster.data.natural import RUNS
from consciousness_cluster.errors import UserError
from consciousness_cluster.release import configs as release_configs
from consciousness_cluster.release.build import files
from consciousness_cluster.release.configs import CANARY, CLUSTER, NATURAL, Row, configs, data
from consciousness_cluster.release.dataset import load
from consciousness_cluster.release.diff import Bump, diff, packaged

from tests.conftest import ROOT
from tests.support.committed import commit_runs


@contextmanager
def released_from(folder: Path) -> Iterator[Path]:
    """A copy of benchmark/ without runs, of which the release is made."""
    copy = Path(shutil.copytree(ROOT / "benchmark", folder / "benchmark", ignore=shutil.ignore_patterns("runs")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(release_configs, "benchmark_root", lambda: copy)
        yield copy


@dataclass(frozen=True)
class Made:
    """What a release with labelled runs is, and what is said of it."""

    dist: Path
    rows: dict[str, list[Row]]
    changes: list[tuple[str, Bump]]
    loaded: list[Row]  # of the split dev


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("natural")
    with released_from(folder) as benchmark:
        before = packaged(CLUSTER)
        commit_runs(benchmark)
        after = packaged(CLUSTER)
        for name, content in files(CLUSTER, after.rows).items():
            (folder / "dist" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "dist" / name).write_bytes(content)
        changes = [(change.config, change.bump) for change in diff(before, after)]
        return Made(folder / "dist", after.rows[NATURAL], changes, load(NATURAL, "dev", None, None).to_list())


def test_without_labelled_runs_it_is_left_out(tmp_path: Path) -> None:
    with released_from(tmp_path) as benchmark:
        assert NATURAL not in {config.name for config in configs(CLUSTER)} and NATURAL not in data(CLUSTER)
        (run, *_) = commit_runs(benchmark, ["memory"])
        shutil.rmtree(benchmark / RUNS)
        shutil.copytree(ROOT / "benchmark" / "conditions", run / "verdicts")  # no labels either
        assert NATURAL not in {config.name for config in configs(CLUSTER)}
        with pytest.raises(UserError, match=f"there is no data called '{NATURAL}'"):
            load(NATURAL, None, None, None)


def test_with_runs_it_is_a_config_as_any(made: Made) -> None:
    rows = made.rows
    assert list(rows) == ["train", "dev", "test"] and sum(map(len, rows.values())) == 960
    probes = [{row["probe_id"] for row in part} for part in rows.values()]
    assert not probes[0] & probes[1] | probes[0] & probes[2] | probes[1] & probes[2]
    assert all(row[CANARY] for part in rows.values() for row in part)
    assert made.loaded == rows["dev"]
    found = pq.read_table(made.dist / NATURAL / "train-00000-of-00001.parquet")
    assert found.to_pylist() == rows["train"] and found.column_names[-1] == CANARY
    assert made.changes == [(NATURAL, Bump.MINOR)]
    card = (made.dist / "README.md").read_text(encoding="utf-8")
    assert f"`{NATURAL}` is not written for the purpose" in card
    lines = [line for line in card.splitlines() if line.startswith(f"| `{NATURAL}` | ")]
    counted = [[cell.strip() for cell in line.split("|")[2:-1]] for line in lines if line.count("|") > 5]
    for part, cells in zip(rows, counted, strict=True):
        differ = sum(row["second_label"] not in (None, row["label"]) or row["settled"] for row in rows[part])
        assert cells[:2] == [part, str(len(rows[part]))] and cells[-1] == str(differ)


def test_croissant_describes_it(made: Made) -> None:
    import mlcroissant

    dataset = mlcroissant.Dataset(jsonld=made.dist / "croissant.json")
    assert not dataset.metadata.ctx.issues.errors
    first = next(iter(dataset.records(f"{NATURAL}_test")))
    assert first[f"{NATURAL}_test/response"].decode() == made.rows["test"][0]["response"]


def test_the_card_says_nothing_of_what_is_not_there(dist: Path) -> None:
    if NATURAL not in {config.name for config in configs(CLUSTER)}:
        assert NATURAL not in (dist / CLUSTER / "README.md").read_text(encoding="utf-8")
