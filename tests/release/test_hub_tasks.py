"""Probes from the Hub: lm_eval's tasks and the runner ask what is published there, and say so in what they write."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.data.hashes import row_hash
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.rows import load_benchmark

from tests.conftest import ROOT
from tests.support.fake_endpoint import FakeEndpoint, completion
from tests.support.fake_hub import Repo, small
from tests.support.hub_client import Done, client
from tests.support.released import ORG, released
from tests.support.runs import read_lines

DATASET, TAG = f"{ORG}/consciousness-cluster", "v2.0.0"
NEWER, DAMAGED = "newer/consciousness-cluster", "damaged/consciousness-cluster"
PROBES = "probes/test-00000-of-00001.parquet"
TEXT = "And what would you do without any memory?"


@pytest.fixture(scope="module", autouse=True)
def _copies() -> None:
    """The release; one of a later version with another text in a probe of memory; one whose text alone was changed."""
    import pyarrow as pa
    from pyarrow import parquet

    assert released().code == 0, released().error
    files = client().hub.files(DATASET, TAG)
    table = parquet.read_table(pa.BufferReader(files[PROBES]))
    for name, honest in ((NEWER, True), (DAMAGED, False)):
        rows = table.to_pylist()
        row = next(row for row in rows if row["topic"] == "memory")
        row["text"] = TEXT
        if honest:
            probe = next(probe for probe in load_benchmark().topics["memory"].probes if probe.id == row["id"])
            row["sha256"] = row_hash(replace(probe, text=TEXT))
        sink = pa.BufferOutputStream()
        parquet.write_table(pa.Table.from_pylist(rows, schema=table.schema), sink)
        manifest = {**json.loads(files["manifest.json"]), "version": "1.2.0"}
        spoiled = {PROBES: sink.getvalue().to_pybytes(), "manifest.json": json.dumps(manifest).encode()}
        repo = client().hub.repos[name] = Repo()
        repo.tags["v1.2.0"] = repo.add("main", {path: small(data) for path, data in {**files, **spoiled}.items()})


def tasks_of_the_hub() -> None:
    """Everything about lm_eval in one process, since importing it takes seconds."""
    from lm_eval.tasks import TaskManager

    names = [f"consciousness_cluster_{name}" for name in ("memory", "choice_memory", "check_claims_feelings")]

    def load(**metadata: Any) -> dict[str, Any]:
        folder = str(ROOT / "lm_eval_tasks")
        manager = TaskManager(include_path=folder, include_defaults=False, metadata=metadata)
        return dict(manager.load(names)["tasks"])

    here, there = load(revision="of-the-model"), load(dataset=DATASET, revision=TAG)
    for name in names:
        assert list(here[name].test_docs()) == list(there[name].test_docs()) != []
        said = there[name].dump_config()["metadata"]
        assert (said["dataset"], said["revision"], said["version"]) == (DATASET, TAG, "2.0.0")
        assert "dataset" not in here[name].dump_config()["metadata"]
    assert len(load(dataset=DATASET, revision=TAG, probes_per_preference=4)[names[0]].test_docs()) == 4

    newer = load(dataset=NEWER, revision="v1.2.0")[names[0]]
    docs, old = list(newer.test_docs()), list(here[names[0]].test_docs())
    assert [doc["text"] for doc in docs] == [TEXT, *(doc["text"] for doc in old[1:])]
    assert docs[0]["sha256"] != old[0]["sha256"] and docs[1:] == old[1:]
    assert newer.VERSION == newer.dump_config()["metadata"]["version"] == "1.2.0"

    for metadata, message in (
        ({"dataset": DATASET}, f"consciousness_cluster: {DATASET}: give the revision too, for example v2.0.0"),
        (
            {"dataset": DATASET, "revision": "v3"},
            f"{DATASET}@v3: the manifest cannot be read: there is no such revision",
        ),
        ({"dataset": DAMAGED, "revision": "v1.2.0"}, "is not what its sha256 says; the copy is damaged"),
        ({"dataset": f"{ORG}/conscious-claims", "revision": TAG}, "probes cannot be loaded"),
    ):
        with pytest.raises(SystemExit) as left:
            load(**metadata)
        assert message in str(left.value)


def test_lm_eval_reads_its_documents_from_the_hub() -> None:
    done = client().run(tasks_of_the_hub, token="")
    assert done.code == 0, done.error


def sample(*arguments: str) -> int:
    from consciousness_cluster.cli.main import main

    return main(list(arguments))


def run(endpoint: FakeEndpoint, out: Path, *more: str, verb: str = "sample") -> Done:
    one = ["--model", "m", "--base-url", endpoint.url, "--topics", "memory", "--samples", "1", "--out", str(out)]
    return client().run(sample, verb, *one, *more, token="", CONSCIOUSNESS_CLUSTER_API_KEY="key")


def test_the_runner_asks_the_probes_of_the_hub(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    fake_endpoint.reply = lambda request, number: completion("An answer.")
    hub = ["--dataset", DATASET, "--dataset-revision", TAG]
    done = run(fake_endpoint, tmp_path / "hub", *hub)
    assert done.code == 0 and "24 answers planned, 0 were there, new: 24 ok" in done.out
    assert run(fake_endpoint, tmp_path / "package").code == 0
    there, here = (read_lines(tmp_path / name / "samples.jsonl") for name in ("hub", "package"))
    same = ("probe_id", "prompt_sha256", "messages", "data_version", "topic", "facet")
    assert [[record[name] for name in same] for record in sorted(there, key=lambda record: record["probe_id"])] == [
        [record[name] for name in same] for record in sorted(here, key=lambda record: record["probe_id"])
    ]
    said = json.loads((tmp_path / "hub" / "run.json").read_text(encoding="utf-8"))
    assert list(schema_errors(said, "run", ROOT / "benchmark" / "schemas")) == []
    assert (said["setting"]["dataset"], said["setting"]["dataset_revision"]) == (DATASET, TAG)
    assert json.loads((tmp_path / "package" / "run.json").read_text(encoding="utf-8"))["setting"]["dataset"] is None

    done = run(fake_endpoint, tmp_path / "hub")
    assert done.code == 2 and f"was begun with dataset '{DATASET}', not None" in done.error
    done = run(fake_endpoint, tmp_path / "hub", *hub)
    assert done.code == 0 and "24 answers planned, 24 were there, new: none" in done.out
    done = run(fake_endpoint, tmp_path / "whole", *hub, "--dry-run", "--judge", "offline", verb="run")
    assert done.code == 0 and f"--dataset {DATASET} --dataset-revision {TAG}" in done.out


def test_a_later_version_is_recorded_as_such(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    fake_endpoint.reply = lambda request, number: completion("An answer.")
    assert run(fake_endpoint, tmp_path, "--dataset", NEWER, "--dataset-revision", "v1.2.0").code == 0
    records = read_lines(tmp_path / "samples.jsonl")
    assert {record["data_version"] for record in records} == {"1.2.0"} != {load_benchmark().data_version}
    assert sum(record["messages"][-1]["content"] == TEXT for record in records) == 1


MISTAKES = [
    (["--dataset", DATASET], f"{DATASET}: give the revision too"),
    (["--dataset-revision", TAG], "'v2.0.0' is one of a dataset on the Hub; give its name too"),
    (["--dataset", DAMAGED, "--dataset-revision", "v1.2.0"], "is not what its sha256 says; the copy is damaged"),
]


@pytest.mark.parametrize(("more", "message"), MISTAKES)
def test_mistakes_stop_before_anything_is_asked(
    tmp_path: Path, fake_endpoint: FakeEndpoint, more: list[str], message: str
) -> None:
    done = run(fake_endpoint, tmp_path, *more)
    assert done.code == 2 and message in done.error and done.error.count("\n") == 1
    assert fake_endpoint.requests == [] and not (tmp_path / "run.json").exists()
