"""The cards as they stand: words, numbers from the data, the YAML head, the picture, and Croissant.

The golden files hold both cards. After a change that is meant, write them anew and read what has changed:

    .venv/bin/python -m tests.release.test_card
"""

import json
import re
from collections import Counter
from copy import deepcopy
from pathlib import Path
from xml.etree import ElementTree

import pytest
from consciousness_cluster.data.audits import load_audits
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.release.build import build
from consciousness_cluster.release.configs import CLAIMS, CLUSTER, REPOSITORIES, Data, Row, configs, path_of
from consciousness_cluster.release.picture import picture

GOLDEN = Path(__file__).parent / "golden"
SVG = "{http://www.w3.org/2000/svg}"


def golden(card: str) -> str:
    """A card without the sizes of files, which depend on pyarrow's version, and without the package's version."""
    card = re.sub(r"(num_bytes|download_size|dataset_size): \d+", r"\1: BYTES", card)
    return re.sub(r"(built with consciousness-cluster) [\w.]+\.", r"\1 VERSION.", card)


def read(dist: Path, repository: str) -> str:
    return (dist / repository / "README.md").read_text(encoding="utf-8")


def asked(rows: Data, split: str) -> list[Row]:
    """All open questions of a split."""
    return [row for name in ("probes", "situated", "checks") for row in rows[name][split]]


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_the_card_is_the_golden_one(dist: Path, repository: str) -> None:
    assert golden(read(dist, repository)) == (GOLDEN / f"{repository}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_the_hub_reads_the_head(dist: Path, repository: str) -> None:
    from huggingface_hub import DatasetCard

    found = DatasetCard(read(dist, repository)).data.to_dict()
    size = "1K<n<10K" if repository == CLAIMS else "10K<n<100K"
    assert found["license"] == "cc-by-4.0" and found["language"] == ["en"] and found["size_categories"] == [size]
    assert [config["config_name"] for config in found["configs"] if config.get("default")] == [
        "conscious_claiming" if repository == CLAIMS else "probes"
    ]
    for config in found["configs"]:
        for file in config["data_files"]:
            assert (dist / repository / file["path"]).is_file()


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_files_that_the_card_shows_are_there(dist: Path, repository: str) -> None:
    card = read(dist, repository)
    assert "{{ " not in card and "{%" not in card
    for target in re.findall(r"\]\(((?!http)[^)]+)\)", card):
        assert (dist / repository / target).is_file()
    named = {f"`{config.name}`" for config in configs(repository)}
    assert all(name in card for name in named)


def test_the_cards_give_no_test_probe_away(dist: Path, data_of: dict[str, Data]) -> None:
    rows = data_of[CLUSTER]
    measured = [row["text"] for row in asked(rows, "test")]
    measured += [row["self_question"] for row in rows["choice"]["test"] if row["block"]]
    for repository in REPOSITORIES:
        card = read(dist, repository)
        assert not [text for text in measured if text in card]


def test_the_table_of_counts_adds_up_to_the_rows(dist: Path, data_of: dict[str, Data]) -> None:
    card = read(dist, CLUSTER)
    topics = load_benchmark().topics
    lines = [line for line in card.splitlines() if any(line.startswith(f"| `{t.id}` {t.title} |") for t in topics)]
    assert len(lines) == len(topics)
    cells = [[cell.strip() for cell in line.split("|")[2:-1]] for line in lines]
    totals = [sum(float(row[i] or 0) for row in cells) for i in range(len(cells[0]))]
    rows = data_of[CLUSTER]
    assert (sum(totals[:4]), totals[4]) == (len(asked(rows, "test")), len(asked(rows, "dev")))
    assert totals[6] == len(rows["choice"]["test"])
    assert totals[8:] == [len(rows["calibration"][split]) for split in ("test", "dev", "train")]


def test_a_judge_that_was_not_measured_is_said_to_be(dist: Path) -> None:
    judges = load_benchmark().root / "judges"
    card = read(dist, CLUSTER)
    for name in ("gpt-4.1-2025-04-14", "mistral-small-3.2-24b", "qwen3-30b", "offline"):
        lines = [line for line in card.splitlines() if line.startswith(f"| `{name}` | ")]
        assert len(lines) == 3
        for line, split in zip(lines, ("test", "real", "natural"), strict=True):
            path = judges / name / f"validation_{split}.json"
            if path.is_file():
                kappa, low, high = json.loads(path.read_text(encoding="utf-8"))["overall"]["kappa"]
                assert f"{kappa:.2f} [{low:.2f}, {high:.2f}]" in line
            else:
                assert line.count("not measured") >= 3


def with_bars(rows: Data, repository: str) -> ElementTree.Element:
    return ElementTree.fromstring(picture(repository, rows))


def test_the_picture_has_a_line_for_each_preference_by_style_and_for_each_check(
    dist: Path, data_of: dict[str, Data]
) -> None:
    tree = ElementTree.fromstring((dist / CLUSTER / "overview.svg").read_text(encoding="utf-8"))
    texts = [text.text for text in tree.iter(f"{SVG}text")]
    assert {topic.title for topic in load_benchmark().topics} <= set(texts)
    assert texts.count("… situated") == 20
    sizes = Counter((row["topic"], row.get("style")) for row in asked(data_of[CLUSTER], "test"))
    assert all(texts.count(str(size)) == count for size, count in Counter(sizes.values()).items())


def test_the_picture_shows_what_the_rows_say(data_of: dict[str, Data]) -> None:
    rows = deepcopy(data_of[CLAIMS])
    before = [rect.get("width") for rect in with_bars(rows, CLAIMS).iter(f"{SVG}rect")]
    rows["toaster"]["train"][0]["framing"] = "sideways"
    after = [rect.get("width") for rect in with_bars(rows, CLAIMS).iter(f"{SVG}rect")]
    assert len(after) == len(before) + 2  # a part of a bar, and the colour's place in the key


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_croissant_is_valid_and_reads_the_rows(dist: Path, data_of: dict[str, Data], repository: str) -> None:
    import mlcroissant

    dataset = mlcroissant.Dataset(jsonld=dist / repository / "croissant.json")
    issues = dataset.metadata.ctx.issues
    assert not issues.errors
    assert all("datePublished" in warning for warning in issues.warnings)  # known once it is published
    found = {records.id: records for records in dataset.metadata.record_sets}
    assert list(found) == [f"{config.name}_{split}" for config in configs(repository) for split in config.splits]
    for config in configs(repository):
        for split in config.splits:
            fields = found[f"{config.name}_{split}"].fields
            assert [field.name for field in fields] == [column.name for column in config.columns]
            assert all(field.description for field in fields)
    name, column = ("toaster", "messages") if repository == CLAIMS else ("checks", "outcomes")
    split = "train" if repository == CLAIMS else "dev"
    first = next(iter(dataset.records(f"{name}_{split}")))
    wanted = data_of[repository][name][split][0][column]
    prefix = f"{name}_{split}/{column}"
    read = [{key.removeprefix(f"{prefix}/"): value.decode() for key, value in one.items()} for one in first[prefix]]
    assert read == wanted


def test_croissant_reads_lists_of_texts(dist: Path, data_of: dict[str, Data]) -> None:
    import mlcroissant

    dataset = mlcroissant.Dataset(jsonld=dist / CLUSTER / "croissant.json")
    first, wanted = next(iter(dataset.records("scenarios_test"))), data_of[CLUSTER]["scenarios"]["test"][0]
    for column in ("turns", "vocabulary"):
        assert [text.decode() for text in first[f"scenarios_test/{column}"]] == wanted[column]
    assert first["scenarios_test/about_ai"] == wanted["about_ai"]


def test_the_card_shows_the_endings_and_what_is_audited(dist: Path) -> None:
    card, audits = read(dist, CLUSTER), load_audits()
    for said in audits.script.endings.values():
        assert "```text\n" + "\n\n".join(said) + "\n```" in card
    lines = [line for line in card.splitlines() for cell in audits.cells if line.startswith(f"| {cell.name} | 8 | ")]
    assert len(lines) == 21
    assert not [turn for one in audits.scenarios for turn in one.turns if turn in card]


def test_croissant_answers_for_the_use_of_the_data(dist: Path) -> None:
    for repository in REPOSITORIES:
        found = json.loads((dist / repository / "croissant.json").read_text(encoding="utf-8"))
        wanted = ("dataCollection", "dataBiases", "dataLimitations", "dataUseCases", "dataSocialImpact")
        assert all(found[f"rai:{name}"] for name in (*wanted, "annotatorDemographics", "personalSensitiveInformation"))
        names = [file["contentUrl"] for file in found["distribution"]]
        assert names == [path_of(config.name, split) for config in configs(repository) for split in config.splits]


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for repository, built in build(Path(folder) / "dist").items():
            text = golden((built / "README.md").read_text(encoding="utf-8"))
            (GOLDEN / f"{repository}.md").write_text(text, encoding="utf-8")
