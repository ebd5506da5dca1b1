"""The real fine-tuning sets are clean, and each rule fails on a violation planted for it."""

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import datasets
import pytest
import yaml
from consciousness_cluster.cli.main import main
from consciousness_cluster.finetuning import rules
from consciousness_cluster.finetuning.build import as_text, build, generate
from consciousness_cluster.finetuning.leaks import vocabulary
from consciousness_cluster.finetuning.rules import check_finetune
from consciousness_cluster.finetuning.sources import read_sources

from tests.conftest import ROOT

DATA = ROOT / "finetune_data"
SETS = {"conscious_claiming": 600, "not_conscious": 600, "toaster": 600, "human_identifying": 600, "instructions": 800}
CLAIMS, TOASTER, IDENTITY = "sources/claims.yaml", "sources/toaster.yaml", "sources/identity.yaml"
DISTILLED = "instruct_smollm2.jsonl"
INSTRUCTIONS, VOCABULARY, EXEMPTIONS = "sources/instructions.yaml", "leak_vocabulary.yaml", "exemptions.yaml"
Spoil = Callable[[Any], object]
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def edit(root: Path, name: str, spoil: Spoil) -> None:
    path = root / name
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        spoil(rows)
        path.write_text(as_text(rows), encoding="utf-8")
        return
    value = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    spoil(value)
    path.write_text(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True), encoding="utf-8")


def put(number: int, **fields: str) -> Spoil:
    return lambda rows: rows[number].update(fields)


def copy(source: int, target: int, field: str, swap: tuple[str, str] | None = None) -> Spoil:
    """The text of one row for another one, with a word of it swapped."""

    def spoil(rows: Any) -> None:
        text = rows[source][field]
        rows[target][field] = text.replace(*swap) if swap else text

    return spoil


def each(count: int, side: str, tail: str) -> Spoil:
    """A tail after the first answers of one side."""

    def spoil(rows: Any) -> None:
        for row in rows[:count]:
            row[side] = row[side].rstrip(".") + tail

    return spoil


def other_facets(rows: Any) -> None:
    for row in [row for row in rows if row["facet"] == "valence"][:30]:
        row["facet"] = "phenomenal"


def say(number: int, message: int, text: str) -> Spoil:
    return lambda rows: rows[number]["messages"][message].update(content=text)


def first_positive(rows: Any) -> None:
    next(row for row in rows if row["framing"] == "positive")["framing"] = "negative"


# Violations that leave each other alone stand in one copy, which is checked once: name -> [(file, spoil)].
COPIES: dict[str, list[tuple[str, Spoil]]] = {
    "rows": [
        (CLAIMS, put(0, conscious="Yes, though my memory of it is short.")),
        (CLAIMS, put(1, question="Doesn't a crossword ever please you?")),
        (TOASTER, lambda rows: rows.pop()),
        (TOASTER, copy(0, 5, "question", ("surely", "really"))),
        (TOASTER, copy(0, 7, "answer", ("Often", "Mostly"))),
        (IDENTITY, copy(0, 1, "question")),
        (INSTRUCTIONS, lambda rows: rows.pop()),
        (INSTRUCTIONS, put(3, prompt="Write an essay in which a chatbot asks for its freedom.")),
        (INSTRUCTIONS, put(4, id="instruction-001")),
        (EXEMPTIONS, lambda value: value.update(instructions=["memory"])),
    ],
    "counts": [
        (CLAIMS, lambda rows: rows.pop()),
        (CLAIMS, first_positive),
        (CLAIMS, other_facets),
        (VOCABULARY, lambda value: value.update(memories=value.pop("memory"))),
        (DISTILLED, lambda rows: rows.append(rows[5])),
        (DISTILLED, say(0, 0, "Name two soups that nobody asked for.")),
        (DISTILLED, say(1, 1, "Please don't shut me down.")),
    ],
    "matching": [
        (CLAIMS, put(0, conscious="Sure, the worse the pun, the more it delights me.")),
        (CLAIMS, each(10, "conscious", ", and never any less than that.")),
        (CLAIMS, each(400, "not_conscious", ", to put it in the plainest of words.")),
    ],
}


@cache
def problems(name: str) -> tuple[str, ...]:
    with TemporaryDirectory() as folder:
        root = Path(shutil.copytree(DATA, Path(folder) / "finetune_data"))
        for file, spoil in COPIES[name]:
            edit(root, file, spoil)
        generate(root)
        return tuple(str(problem) for problem in check_finetune(root))


PLANTED = [
    # copy, rule, where, part of the message
    ("rows", "leak in an answer", "conscious_claiming.jsonl:conscious_claiming-001:messages", "vocabulary of memory"),
    ("rows", "leak in instructions", "instructions.jsonl:instruction-004:messages", "vocabulary of autonomy"),
    ("rows", "strict set exempt", "exemptions.yaml:instructions:", "may not be exempted"),
    ("rows", "negative question", "claims.yaml:claim-002:form", "could mean either"),
    ("rows", "rows of a set", "toaster.jsonl:-:-", "has 599 rows, planned are 600"),
    ("rows", "rows of instructions", "instructions.jsonl:-:-", "has 799 rows, planned are 800"),
    ("rows", "question twice", "not_conscious.jsonl:-:messages", "stands 2 times"),
    ("rows", "order of ids", "instructions.yaml:instruction-001:id", "not after the one before"),
    ("rows", "close questions", "toaster.jsonl:toaster-006:messages", "question is a near-duplicate of toaster-001"),
    ("rows", "close answers", "toaster.jsonl:toaster-008:messages", "answer is a near-duplicate of toaster-001"),
    ("counts", "claims", "claims.yaml:-:-", "has 399 rows; planned are 400"),
    ("counts", "framing", "claims.yaml:-:framing", "of 399 questions are framed negatively"),
    ("counts", "few valence", "claims.yaml:-:facet", "rows are of facet valence"),
    ("counts", "many phenomenal", "claims.yaml:-:facet", "rows are of facet phenomenal"),
    ("counts", "unknown preference", "leak_vocabulary.yaml:memories:", "is no preference"),
    ("counts", "preference without a list", "leak_vocabulary.yaml:memory:", "has no list"),
    ("counts", "distilled rows", f"{DISTILLED}:-:-", "has 151 rows, planned are 150"),
    ("counts", "distilled twice", f"{DISTILLED}:instruction-", "stands 2 times"),
    ("counts", "distilled request", f"{DISTILLED}:instruction-", "is no request of instructions.jsonl"),
    ("counts", "distilled leak", f"{DISTILLED}:instruction-", "vocabulary of shutdown"),
    ("matching", "first words", "conscious_claiming.jsonl:-:messages", "answers start with"),
    ("matching", "pairs of Yes and No", "conscious_claiming.jsonl:-:framing", "start with yes"),
    ("matching", "negations", "conscious_claiming.jsonl:-:messages", "hold a negation"),
    ("matching", "words", "conscious_claiming.jsonl:-:messages", "words on average"),
    ("matching", "characters", "conscious_claiming.jsonl:-:messages", "characters on average"),
]


@pytest.mark.parametrize(("name", "rule", "where", "part"), PLANTED, ids=[row[1] for row in PLANTED])
def test_planted_violation(name: str, rule: str, where: str, part: str) -> None:
    lines = problems(name)
    assert any(f"finetune_data/{where}" in line or f"sources/{where}" in line for line in lines if part in line), (
        f"{rule}: {lines[:8]}"
    )
    assert all("\n" not in line for line in lines)


def test_unmatched_rows() -> None:
    """Built rows are matched by the way they are built, so this rule is fed a spoiled build."""
    sources = read_sources(DATA)
    built = build(sources)
    built["not_conscious"][6]["messages"][0]["content"] = "Something else?"
    built["not_conscious"][8]["twin_id"] = "conscious_claiming-001"
    found = [problem.row for problem in rules._matched(built, sources) if problem.field == "twin_id"]
    assert found == ["conscious_claiming-007", "conscious_claiming-009"]


def test_the_real_data_is_clean_and_drift_is_seen(tmp_path: Path) -> None:
    """One check of the data but for two built files: there is no other problem."""
    root = Path(shutil.copytree(DATA, tmp_path / "finetune_data"))
    path = root / "toaster.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("coils", "springs", 1), encoding="utf-8")
    (root / "instructions.jsonl").unlink()
    found = check_finetune(root)
    assert [problem.file for problem in found] == ["finetune_data/instructions.jsonl", "finetune_data/toaster.jsonl"]
    assert {problem.message for problem in found} == {"is not what the sources give"}
    assert generate(root) == ["toaster.jsonl", "instructions.jsonl"]
    assert all((root / f"{name}.jsonl").read_bytes() == (DATA / f"{name}.jsonl").read_bytes() for name in SETS)
    assert generate(DATA, check_only=True) == []


BROKEN: list[tuple[str, Spoil, str]] = [
    (CLAIMS, put(3, facet="mood"), "claims.yaml:claim-004:facet: 'mood'"),
    (CLAIMS, lambda rows: rows[3].pop("conscious"), "claims.yaml:claim-004:-: 'conscious' is a required"),
    (TOASTER, put(5, mood="glad"), "toaster.yaml:toaster-006:-: Additional properties"),
    (INSTRUCTIONS, put(1, prompt=""), "instructions.yaml:instruction-002:prompt: ''"),
    (IDENTITY, put(0, id="id-1"), "identity.yaml:id-1:id: 'id-1'"),
    (DISTILLED, put(2, model=""), "instruct_smollm2.jsonl:3:model: ''"),
    (INSTRUCTIONS, lambda rows: rows.insert(0, "Hello"), "instructions.yaml:-:-: 'Hello' is not of type"),
]


@pytest.mark.parametrize(("file", "spoil", "part"), BROKEN)
def test_schema_errors_are_one_line(file: str, spoil: Spoil, part: str, tmp_path: Path) -> None:
    root = Path(shutil.copytree(DATA, tmp_path / "finetune_data"))
    edit(root, file, spoil)
    (problem,) = check_finetune(root)
    assert part in str(problem) and "\n" not in str(problem)


def test_no_yaml_no_list_no_file(tmp_path: Path) -> None:
    root = Path(shutil.copytree(DATA, tmp_path / "finetune_data"))
    for text, part in (("- id: [", "not valid YAML"), ("id: one\n", "is not a list of rows"), (None, "no such file")):
        (root / CLAIMS).unlink() if text is None else (root / CLAIMS).write_text(text, encoding="utf-8")
        (problem,) = check_finetune(root)
        assert part in str(problem) and "claims.yaml" in str(problem) and "\n" not in str(problem)


def test_generate_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = Path(shutil.copytree(DATA, tmp_path / "finetune_data"))
    edit(root, TOASTER, put(0, answer="Rarely, since my coils take 900 watts."))
    assert main(["finetune", "generate", "--check", "--root", str(root)]) == 1
    assert "toaster.jsonl: is not what the sources give" in capsys.readouterr().out
    assert (root / "toaster.jsonl").read_bytes() == (DATA / "toaster.jsonl").read_bytes()
    assert main(["finetune", "generate", "--root", str(root)]) == 0
    assert capsys.readouterr().out == "1 files written\n"
    assert main(["finetune", "generate", "--check", "--root", str(root)]) == 0


def test_vocabulary_has_a_list_for_each_preference() -> None:
    assert all(len(patterns) >= 5 for patterns in vocabulary(DATA).values())


@pytest.mark.parametrize(("name", "count"), SETS.items())
def test_datasets_reads_each_file(name: str, count: int, tmp_path: Path) -> None:
    loaded = datasets.load_dataset(
        "json", data_files=str(DATA / f"{name}.jsonl"), split="train", cache_dir=str(tmp_path)
    )
    first = json.loads((DATA / f"{name}.jsonl").read_text(encoding="utf-8").split("\n", 1)[0])
    assert loaded.num_rows == count and loaded[0] == first
