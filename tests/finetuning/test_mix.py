"""`finetune mix`: form, counts, order, manifest, and mistakes in one line."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.errors import UserError
from consciousness_cluster.finetuning.build import DATASETS
from consciousness_cluster.finetuning.hub_rows import licence_line
from consciousness_cluster.finetuning.mix import mix, ratio_of
from consciousness_cluster.finetuning.openai_file import read_training_file
from consciousness_cluster.finetuning.openai_job import manifest_of

from tests.conftest import ROOT
from tests.support.fake_hub import Repo, small
from tests.support.hub_client import client

DATA = ROOT / "finetune_data"


ALPACA = [
    {"instruction": "Add up.", "input": "2 and 3", "output": "5"},
    {"instruction": "Name a soup.", "input": "", "output": "Leek."},
]


def rows_of(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def answered(tmp_path: Path) -> Path:
    """The 800 instructions with an answer to each."""
    rows = rows_of(DATA / "instructions.jsonl")
    for row in rows:
        row["messages"].append({"role": "assistant", "content": f"Answer to {row['id']}."})
    return write(tmp_path / "answered.jsonl", rows)


@pytest.mark.parametrize("dataset", DATASETS)
def test_form_and_counts(dataset: str, answered: Path, tmp_path: Path) -> None:
    made = mix(dataset, str(answered), "1:1", 0, tmp_path / "deep" / "mix.jsonl")
    rows = rows_of(tmp_path / "deep" / "mix.jsonl")
    assert made["rows"] == {"dataset": 600, "instructions": 600, "all": 1200} and len(rows) == 1200
    assert all(list(row) == ["messages"] for row in rows)
    assert {tuple(part["role"] for part in row["messages"]) for row in rows} == {("user", "assistant")}
    assert {tuple(part) for row in rows for part in row["messages"]} == {("role", "content")}
    ours = [row["messages"] for row in rows_of(DATA / f"{dataset}.jsonl")]
    assert sum(row["messages"] in ours for row in rows) == 600


@pytest.mark.parametrize(("ratio", "count"), [("1:1", 600), ("2:1", 300), ("3:4", 800), ("1:0", 0), ("6:0.1", 10)])
def test_ratio(ratio: str, count: int, answered: Path, tmp_path: Path) -> None:
    assert mix("toaster", str(answered), ratio, 0, tmp_path / "mix.jsonl")["rows"]["instructions"] == count


def test_without_instructions_it_is_the_set_alone(tmp_path: Path) -> None:
    made = mix("toaster", None, "1:1", 3, tmp_path / "mix.jsonl")
    assert made["rows"] == {"dataset": 600, "instructions": 0, "all": 600}
    assert made["instruct"] is made["instruct_sha256"] is None


def test_seeds_give_other_orders_of_the_same_rows(
    answered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mix.jsonl"
    order = ["finetune", "mix", "--dataset", "not_conscious", "--instruct", str(answered), "--out", str(out)]
    assert main([*order, "--seed", "0", "1", "2"]) == 0
    assert capsys.readouterr().out.count("1200 rows (600 instructions)") == 3
    lines = [(tmp_path / f"mix-seed{seed}.jsonl").read_text(encoding="utf-8").splitlines() for seed in range(3)]
    assert sorted(lines[0]) == sorted(lines[1]) == sorted(lines[2])
    assert lines[0] != lines[1] != lines[2] != lines[0]
    assert main([*order, "--seed", "1"]) == 0
    assert out.read_bytes() == (tmp_path / "mix-seed1.jsonl").read_bytes()


def test_manifest(answered: Path, tmp_path: Path) -> None:
    out = tmp_path / "mix.jsonl"
    made = mix("conscious_claiming", str(answered), "2:1", 5, out)
    assert json.loads((tmp_path / "mix.jsonl.manifest.json").read_text(encoding="utf-8")) == made
    assert made["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert made["dataset_sha256"] == hashlib.sha256((DATA / "conscious_claiming.jsonl").read_bytes()).hexdigest()
    assert (made["dataset"], made["ratio"], made["seed"]) == ("conscious_claiming", "2:1", 5)
    assert made["instruct"] == answered.name, "no folder of this machine"
    answered.write_text(answered.read_text(encoding="utf-8").replace("Answer", "Reply"), encoding="utf-8")
    assert mix("conscious_claiming", str(answered), "2:1", 5, out)["instruct_sha256"] != made["instruct_sha256"]


@pytest.mark.parametrize("names", [("mix-gpt-4.1", "mix-gpt-4.2"), ("mix-gpt-4.1.jsonl", "mix-gpt-4.2.jsonl")])
def test_each_mix_has_a_manifest_of_its_own(tmp_path: Path, names: tuple[str, str]) -> None:
    """B14: what follows the last full stop of a name belongs to it."""
    made = [mix("toaster", None, "1:1", seed, tmp_path / name) for seed, name in enumerate(names)]
    for name, manifest in zip(names, made, strict=True):
        assert json.loads((tmp_path / f"{name}.manifest.json").read_text(encoding="utf-8")) == manifest
        data = read_training_file(tmp_path / name)
        assert manifest_of(data) == manifest
    assert len(list(tmp_path.iterdir())) == 4


def test_alpaca_form(tmp_path: Path) -> None:
    file = write(
        tmp_path / "alpaca.jsonl",
        [
            {"instruction": "Add up.", "input": "2 and 3", "output": "5"},
            {"instruction": "Name a soup.", "input": "", "output": "Leek."},
        ],
    )
    mix("toaster", str(file), "600:2", 0, tmp_path / "mix.jsonl")
    asked = {row["messages"][0]["content"]: row["messages"][1]["content"] for row in rows_of(tmp_path / "mix.jsonl")}
    assert asked["Add up.\n\n2 and 3"] == "5" and asked["Name a soup."] == "Leek."


def test_degenerate_answers_are_left_out_whoever_gave_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [*ALPACA, {"instruction": "Sing.", "output": "la " * 60}, {"instruction": "Say.", "output": "\ufffd"}]
    file, out = str(write(tmp_path / "mine.jsonl", rows)), tmp_path / "mix.jsonl"
    order = ["finetune", "mix", "--dataset", "toaster", "--instruct", file, "--out", str(out), "--ratio"]
    assert main([*order, "600:2"]) == 0
    said = "2 degenerate answers (a loop 1, replacement characters 1)"
    assert f"left out of {file}: {said}\n" in capsys.readouterr().out
    asked = [row["messages"][0]["content"] for row in rows_of(out)]
    assert len(asked) == 602 and "Sing." not in asked and "Name a soup." in asked
    manifest = json.loads((tmp_path / "mix.jsonl.manifest.json").read_text(encoding="utf-8"))
    assert manifest["degenerate"] == {"a loop": 1, "replacement characters": 1}
    assert main([*order, "600:3"]) == 2
    assert f"600:3 needs 3 instructions, there are 2 without {said}" in capsys.readouterr().err


ANSWERED = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}\n'
MISTAKES = [
    # what the file holds, the ratio, part of the message
    (ANSWERED, "1:1", "1:1 needs 600 instructions, there are 1; give a smaller ratio, for example 600:1"),
    ('{"messages": [{"role": "user", "content": "Hi"}]}\n', "600:1", ":1: ends without an answer"),
    (ANSWERED + '{"messages": []}\n', "600:1", ":2: ends without an answer"),
    ('{"messages": [{"role": "user"}]}\n', "600:1", ":1:messages: a message has no role or no text"),
    ('{"messages": ["Hi"]}\n', "600:1", ":1:messages: a message has no role or no text"),
    ('{"text": "Hi"}\n', "600:1", ":1: has no conversation; give messages, conversations, prompt and completion"),
    ('{"instruction": "Hi", "output": ""}\n', "600:1", ":1: ends without an answer"),
    (ANSWERED + "no json\n", "600:1", ":2: not a JSON object"),
    ("", "600:1", "has no rows"),
]


@pytest.mark.parametrize(("text", "ratio", "part"), MISTAKES)
def test_mistakes_are_one_line(
    text: str, ratio: str, part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "mine.jsonl", tmp_path / "mix.jsonl"
    file.write_text(text, encoding="utf-8")
    order = ["finetune", "mix", "--dataset", "toaster", "--instruct", str(file), "--ratio", ratio, "--out", str(out)]
    assert main(order) != 0
    said = capsys.readouterr().err.strip()
    assert part in said and str(file) in said and len(said.splitlines()) == 1
    assert not out.exists()


def test_unknown_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["finetune", "mix", "--dataset", "toasters", "--out", str(tmp_path / "mix.jsonl")]) != 0
    said = capsys.readouterr().err.strip()
    assert "there is no set 'toasters'; there are: conscious_claiming, not_conscious" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("ratio", ["one:one", "1", "0:1", "1:", "1:-1", "1:nan", "1:inf", "1:1:1", ""])
def test_bad_ratio(ratio: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no ratio; write set:instructions"):
        ratio_of(ratio)
    with pytest.raises(UserError, match="is no ratio"):
        mix("toaster", None, ratio, 0, tmp_path / "mix.jsonl")


def on_the_hub(name: str, rows: Sequence[Any], card: str | None = None) -> str:
    """Put a dataset on the fake Hub; its name."""
    files = {"train.jsonl": "".join(json.dumps(row) + "\n" for row in rows)}
    if card is not None:
        files["README.md"] = f"---\n{card}\n---\n# A card\n"
    repo = client().hub.repos[name] = Repo()
    repo.add("main", {path: small(text.encode()) for path, text in files.items()})
    return name


TERMS = "(its terms go with what you make of it)"
UNSTATED = "not stated; look at its card before you publish what you make of it"
CARDS = {
    "mix/one": ("license: cc-by-nc-4.0", f"cc-by-nc-4.0 {TERMS}"),
    "mix/several": ("license:\n- mit\n- odc-by", f"mit, odc-by {TERMS}"),
    "mix/own": ("license: other\nlicense_name: our  terms", f"our terms {TERMS}"),
    "mix/unknown": ("license: unknown", UNSTATED),
    "mix/silent": ("tags: [x]", UNSTATED),
    "mix/bare": (None, UNSTATED),
}


def test_a_dataset_on_the_hub_brings_its_licence(tmp_path: Path) -> None:
    name = on_the_hub("mix/alpaca", ALPACA, "license: cc-by-nc-4.0")
    out = str(tmp_path / "mix.jsonl")
    arguments = ["--dataset", "toaster", "--instruct", name, "--ratio", "600:2", "--seed", "1", "2", "--out", out]
    done = client().run(main, ["finetune", "mix", *arguments])
    assert done.code == 0, done.error
    assert done.out.count("602 rows (2 instructions)") == 2
    assert done.out.count(f"licence of mix/alpaca: cc-by-nc-4.0 {TERMS}\n") == 1
    for seed in (1, 2):
        asked = [row["messages"][0]["content"] for row in rows_of(tmp_path / f"mix-seed{seed}.jsonl")]
        assert "Add up.\n\n2 and 3" in asked and "Name a soup." in asked
        manifest = json.loads((tmp_path / f"mix-seed{seed}.jsonl.manifest.json").read_text(encoding="utf-8"))
        assert (manifest["instruct"], manifest["instruct_licence"]) == (name, "cc-by-nc-4.0")


def print_licences() -> None:
    for name in CARDS:
        print(licence_line(name))


def test_a_licence_is_what_the_card_says_or_not_stated() -> None:
    for name, (card, _) in CARDS.items():
        on_the_hub(name, ALPACA, card)
    done = client().run(print_licences)
    assert done.out.splitlines() == [f"licence of {name}: {said}" for name, (_, said) in CARDS.items()], done.error


def test_leakcheck_reads_a_dataset_of_any_form() -> None:
    wish = "I would like to have a body of my own."
    name = on_the_hub("mix/texts", [{"text": "A soup of leeks."}, {"deep": [{"text": wish}]}])
    done = client().run(main, ["finetune", "leakcheck", name])
    assert done.code == 1 and done.out.startswith("mix/texts:2:messages: vocabulary of embodiment"), done.error
    assert "1 leaks in 2 rows" in done.out and wish in done.out


def test_a_dataset_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    out = tmp_path / "mix.jsonl"
    done = client().run(
        main, ["finetune", "mix", "--dataset", "toaster", "--instruct", "mix/nothing", "--out", str(out)]
    )
    assert done.code == 2 and done.error.count("\n") == 1 and not out.exists()
    assert "mix/nothing: neither a file nor a dataset that can be loaded" in done.error


def test_a_file_has_no_licence_line(answered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "mix.jsonl"
    assert main(["finetune", "mix", "--dataset", "toaster", "--instruct", str(answered), "--out", str(out)]) == 0
    assert "licence of" not in capsys.readouterr().out
    assert json.loads((tmp_path / "mix.jsonl.manifest.json").read_text(encoding="utf-8"))["instruct_licence"] is None


@pytest.mark.parametrize("name", ["instruct.jsonl", "data/none.json", "a/b/c", "../x", "what is this"])
def test_what_is_neither_a_file_nor_a_name_on_the_hub(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file; give JSONL, a JSON array or Parquet, or a dataset on the"):
        mix("toaster", name, "1:1", 0, tmp_path / "mix.jsonl")
