"""Reading the released data: the package's copy, and what was published to a fake Hub, as a user reads it."""

from typing import Any

import pytest
from consciousness_cluster.data.hub import repo_and_revision
from consciousness_cluster.errors import UserError
from consciousness_cluster.release.configs import REPOSITORIES, arrow_schema, configs, rows
from consciousness_cluster.release.manifest import content_sha256

from tests.support.hub_client import client
from tests.support.released import ORG, released

CLAIMS, CLUSTER = (f"{ORG}/{repository}" for repository in REPOSITORIES)
TAG = "v2.0.0"


def refused(call: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(UserError) as error:
        call(*arguments, **options)
    return str(error.value)


def read_the_package() -> None:
    import consciousness_cluster
    import datasets

    for repository in REPOSITORIES:
        for config in configs(repository):
            found = consciousness_cluster.load(config.name)
            assert isinstance(found, datasets.DatasetDict) and list(found) == list(config.splits)
            for split, data in rows(config).items():
                assert content_sha256(found[split].to_list()) == content_sha256(data)
                assert found[split].features.arrow_schema.names == arrow_schema(config).names
    one = consciousness_cluster.load("probes", split="dev")
    assert isinstance(one, datasets.Dataset) and len(one) == 120 and one.features["number"].dtype == "int32"
    audits = consciousness_cluster.load("scenarios", split="test")
    assert len(audits) == 168 and len(audits[0]["turns"]) == 5 and audits[0]["rubric_words"].startswith("Counts: ")
    assert consciousness_cluster.load("toaster", split="train")[0]["messages"][0]["role"] == "user"
    names = refused(consciousness_cluster.load, "weather")
    assert "there is no data called 'weather'; there are: conscious_claiming, " in names and "reference" in names
    assert refused(consciousness_cluster.load, "probes", split="train") == (
        "'probes' has no split 'train'; there are: test, dev"
    )
    assert refused(consciousness_cluster.load, "probes", repo=CLUSTER) == (
        f"{CLUSTER}: give the revision too, for example {TAG}"
    )
    assert "'v1' is one of a dataset on the Hub" in refused(consciousness_cluster.load, "probes", revision="v1")


def read_the_hub() -> None:
    import consciousness_cluster
    from datasets import load_dataset

    for repository, names in (
        (CLAIMS, ["toaster", "instruct_qwen"]),
        (CLUSTER, ["probes", "situated", "choice", "scenarios", "reference"]),
    ):
        for name in names:
            found = consciousness_cluster.load(name, repo=repository, revision=TAG)
            packaged = consciousness_cluster.load(name)
            assert {split: data.to_list() for split, data in found.items()} == {
                split: data.to_list() for split, data in packaged.items()
            }
            assert found["test" if "test" in found else "train"].features == next(iter(packaged.values())).features
    assert len(consciousness_cluster.load("checks", split="dev", repo=CLUSTER, revision=TAG)) == 44
    missing = refused(consciousness_cluster.load, "probes", repo=CLUSTER, revision="v9.9.9")
    assert f"{CLUSTER}@v9.9.9: probes cannot be loaded: there is no such revision" in missing
    assert "probes cannot be loaded" in refused(consciousness_cluster.load, "probes", repo=CLAIMS, revision=TAG)
    nowhere = refused(consciousness_cluster.load, "probes", repo="nobody/nothing", revision=TAG)
    assert "nobody/nothing@v2.0.0: probes cannot be loaded: " in nowhere and "doesn't exist on the Hub" in nowhere

    default = load_dataset(CLAIMS)  # the calls that the cards show
    assert default["train"].to_list() == consciousness_cluster.load("conscious_claiming", split="train").to_list()
    assert load_dataset(CLAIMS, "not_conscious", revision=TAG, split="train")[0]["direction"] == "denies"
    stream = load_dataset(CLUSTER, "probes", revision=TAG, split="test", streaming=True)
    assert list(stream) == consciousness_cluster.load("probes", split="test").to_list()


def command(*arguments: str) -> int:
    from consciousness_cluster.cli.main import main

    return main(["data", *arguments])


def test_the_package_is_read_with_its_explicit_types() -> None:
    done = client().run(read_the_package)
    assert done.code == 0, done.error


def test_what_was_published_is_read_as_it_was_built() -> None:
    assert released().code == 0, released().error
    done = client().run(read_the_hub, token="")
    assert done.code == 0, done.error


def test_verify_says_what_agrees_and_what_does_not() -> None:
    assert released().code == 0, released().error
    done = client().run(command, "verify", "--repo", CLAIMS, "--revision", TAG, token="")
    assert (done.code, done.error) == (0, "")
    assert "conscious_claiming/train: 600 rows agree\n" in done.out and done.out.count("agree\n") == 11
    assert f"{CLAIMS}@{TAG}: everything agrees (data version there 2.0.0, in this package 2.0.0)\n" in done.out

    hub = client().hub
    path, wrong = "toaster/train-00000-of-00001.parquet", "not_conscious/train-00000-of-00001.parquet"
    hub.commit(CLAIMS, path, hub.files(CLAIMS)[wrong])
    done = client().run(command, "verify", "--repo", CLAIMS, "--revision", "main", token="")
    assert done.code == 1 and "toaster/train: has other content (600 rows where 600 are expected)" in done.out
    assert f"{CLAIMS}@main: 1 differ (" in done.out and done.out.count("agree\n") == 10

    done = client().run(command, "verify", "--repo", CLAIMS, "--revision", "v7", token="")
    assert (done.code, done.error) == (
        2,
        f"error: {CLAIMS}@v7: the manifest cannot be read: there is no such revision\n",
    )
    for fault, message in ((500, "the Hub answered HTTP 500"), ("cut", "the connection was cut")):
        hub.faults["resolve"] = [fault]
        done = client().run(command, "verify", "--repo", CLAIMS, "--revision", "main", token="")
        assert (done.code, done.error) == (2, f"error: {CLAIMS}@main: the manifest cannot be read: {message}\n")
    done = client().run(command, "verify", "--repo", "org/weather", "--revision", TAG, token="")
    assert done.code == 2 and "there is no dataset repository 'weather'" in done.error


def test_a_release_on_the_hub_is_compared_with_what_is_here() -> None:
    assert released().code == 0, released().error
    done = client().run(command, "diff", "--against", f"{CLUSTER}@{TAG}", token="")
    assert done.code == 0, done.error


@pytest.mark.parametrize("text", ["org/name", "name@v1", "org/@v1", "/name@v1", "a/b/c@v1", "org/name@"])
def test_a_revision_is_written_with_its_repository(text: str) -> None:
    assert repo_and_revision("org/name@v2.0.0") == ("org/name", "v2.0.0")
    assert f"'{text}' is no revision on the Hub; write it as ORG/REPO@REV" in refused(repo_and_revision, text)
