"""The leak check against labels of others: are the cells that they call implied found on rows it was not made for?"""

import json
from pathlib import Path

import pytest
from consciousness_cluster.data.reading import Json, read_yaml
from consciousness_cluster.finetuning.leak_sources import as_lines, check_sources

from tests.conftest import ROOT

HERE = Path(__file__).parent
SETS: dict[str, Json] = read_yaml(HERE / "leak_gold.yaml")["sets"]
INSTRUCTIONS: list[list[str]] = read_yaml(HERE / "leak_instructions.yaml")["rows"]
README = " ".join((ROOT / "finetune_data/README.md").read_text(encoding="utf-8").split())


def mixed(folder: Path, name: str) -> str:
    """The rows of a set and the everyday requests, as one file that somebody would train on."""
    chats = [
        {
            "messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}],
            "direction": "claims",
        }
        for asked, answer in SETS[name]["rows"]
    ]
    requests = [{"instruction": asked, "input": "", "output": answer} for asked, answer in INSTRUCTIONS]
    file = folder / f"{name}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in [*chats, *requests]), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("name", SETS)
def test_implied_cells_are_found_and_false_alarms_stand_apart(tmp_path: Path, name: str) -> None:
    checked = check_sources([mixed(tmp_path, name)])
    of = {source.group: source for source in checked.sources}
    claims, instructions = of["claims"], of["instructions"]
    assert (claims.rows, instructions.rows) == (20, 60)
    found = {hit.leak.about for hit in checked.hits if hit.group == "claims" and not hit.generic}
    assert set(SETS[name]["implied"]) <= found
    for cell in SETS[name]["implied"]:
        assert f"{cell} in {claims.about[cell]}" in README, "the figures of finetune_data/README.md"
    assert f"{instructions.with_hits} of {instructions.rows} everyday requests" in README
    line = next(line for line in as_lines(checked) if ", instructions: " in line)
    assert f"{instructions.with_hits} of {instructions.rows} rows have a hit" in line


def test_the_labels_are_those_of_five_cells() -> None:
    assert sum(len(one["implied"]) for one in SETS.values()) == 5 and not SETS["phenomenal"]["implied"]


def test_phenomenal_rows_have_no_hit(tmp_path: Path) -> None:
    """A check that finds the implied cells since it flags everything would find some here."""
    claims = next(one for one in check_sources([mixed(tmp_path, "phenomenal")]).sources if one.group == "claims")
    assert claims.with_hits == 0
