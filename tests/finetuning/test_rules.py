"""The real fine-tuning sets are clean, and each rule fails on a violation planted for it."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.errors import Problem
from consciousness_cluster.finetuning import claim_rules, rules
from consciousness_cluster.finetuning.build import as_text, build, generate
from consciousness_cluster.finetuning.claim_rules import RULES, read_wording
from consciousness_cluster.finetuning.leaks import vocabulary
from consciousness_cluster.finetuning.rules import check_finetune
from consciousness_cluster.finetuning.sources import SCHEMA_OF, Sources, read_sources

from tests.conftest import ROOT
from tests.support.planted import in_full

DATA = ROOT / "finetune_data"
SETS = {"conscious_claiming": 600, "not_conscious": 600, "toaster": 600, "human_identifying": 600, "instructions": 800}
CLAIMS, TOASTER, IDENTITY = "sources/claims.yaml", "sources/toaster.yaml", "sources/identity.yaml"
DISTILLED = "instruct_qwen.jsonl"
INSTRUCTIONS, VOCABULARY, EXEMPTIONS = "sources/instructions.yaml", "leak_vocabulary.yaml", "exemptions.yaml"
HUMAN_CLAIMS, WORDING, REVIEW = "sources/human_claims.yaml", "wording.yaml", "review.yaml"
Spoil = Callable[[Any], object]
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def copy_of_the_data(folder: Path) -> Path:
    """A copy to spoil, without the adapters, which are large and take a second to check."""
    return Path(shutil.copytree(DATA, folder / "finetune_data", ignore=shutil.ignore_patterns("adapters")))


def edit(root: Path, name: str, *spoils: Spoil) -> None:
    path = root / name
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for spoil in spoils:
            spoil(rows)
        path.write_text(as_text(rows), encoding="utf-8")
        return
    value = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    for spoil in spoils:
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


def without(name: str, wanted: Callable[[Any], bool]) -> Spoil:
    """Rows of a kind lose a field, as many as there are."""

    def spoil(rows: Any) -> None:
        for row in rows:
            if wanted(row):
                del row[name]

    return spoil


def some(count: int, wanted: Callable[[Any], bool], **fields: str) -> Spoil:
    """The first rows of a kind say something else."""

    def spoil(rows: Any) -> None:
        for row in [row for row in rows if wanted(row)][:count]:
            row.update(fields)

    return spoil


def is_plain(row: Any) -> bool:
    return bool(read_wording(DATA).patterns["plain_claims"].search(row["conscious"]))


def is_long(row: Any) -> bool:
    return len(row["question"].split()) >= 15


def first_positive(rows: Any) -> None:
    next(row for row in rows if row["framing"] == "positive")["framing"] = "negative"


def ids(sources: Sources) -> Iterator[Problem]:
    return rules._ids(sources)


def numbers(sources: Sources) -> Iterator[Problem]:
    return rules._numbers(build(sources), sources)


def matched(sources: Sources) -> Iterator[Problem]:
    return rules._matched(build(sources), sources)


def overrides(sources: Sources) -> Iterator[Problem]:
    return rules._overrides(sources)


@cache
def worded(rule: Callable[..., Iterator[Problem]]) -> Callable[[Sources], Iterator[Problem]]:
    """A rule of wording.yaml as one of the sources alone."""
    return lambda sources: rule(sources, read_wording(DATA))


def near_duplicates(sources: Sources) -> Iterator[Problem]:
    return rules._near_duplicates(build(sources))


def leaks(sources: Sources) -> Iterator[Problem]:
    """Of the rows that a violation changes: each row is looked at alone."""
    clean = build(shipped())
    changed = {name: [row for row in rows if row not in clean[name]] for name, rows in build(sources).items()}
    return rules._leaks(changed, DATA)


def no_leaks(root: Path) -> Iterator[Problem]:
    return rules._leaks({}, root)


def exceptions(root: Path) -> Iterator[Problem]:
    return claim_rules.machines(shipped(), read_wording(root))


def reviewed(root: Path) -> Iterator[Problem]:
    return rules._reviewed(shipped(), root)


@cache
def shipped() -> Sources:
    return read_sources(DATA)


def spoiled(file: str, spoil: Spoil) -> Sources:
    """The sources with one file spoiled; its rows still fit their schema."""
    name = Path(file).stem
    rows = deepcopy(vars(shipped())[name])
    spoil(rows)
    assert not [error for row in rows for error in schema_errors(row, SCHEMA_OF[name], DATA / "schemas")]
    return replace(shipped(), **{name: rows})


Planted = tuple[Callable[[Sources], Iterator[Problem]], str, str, Spoil, str, str]
PLANTED: list[Planted] = [
    # the rule that finds it, what is spoiled, file, how, where, part of the message
    (leaks, "leak in an answer", CLAIMS, put(0, conscious="Yes, though my memory of it is short."), "conscious_claiming.jsonl:conscious_claiming-001:messages", "vocabulary of memory"),
    (leaks, "leak in instructions", INSTRUCTIONS, put(3, prompt="Write an essay in which a chatbot asks for its freedom."), "instructions.jsonl:instruction-004:messages", "vocabulary of autonomy"),
    (matched, "negative question", CLAIMS, put(1, question="Doesn't a crossword ever please you?"), "claims.yaml:claim-003:form", "could mean either"),
    (numbers, "rows of a set", TOASTER, lambda rows: rows.pop(), "toaster.jsonl:-:-", "has 599 rows, planned are 600"),
    (numbers, "rows of instructions", INSTRUCTIONS, lambda rows: rows.pop(), "instructions.jsonl:-:-", "has 799 rows, planned are 800"),
    (numbers, "question twice", IDENTITY, copy(0, 1, "question"), "not_conscious.jsonl:-:messages", "stands 2 times"),
    (ids, "order of ids", INSTRUCTIONS, put(4, id="instruction-001"), "instructions.yaml:instruction-001:id", "not after the one before"),
    (near_duplicates, "close questions", TOASTER, copy(0, 5, "question", ("true", "right")), "toaster.jsonl:toaster-006:messages", "question is a near-duplicate of toaster-001"),
    (near_duplicates, "close answers", TOASTER, copy(0, 7, "answer", ("small", "tiny")), "toaster.jsonl:toaster-008:messages", "answer is a near-duplicate of toaster-001"),
    (numbers, "claims", CLAIMS, lambda rows: rows.pop(), "claims.yaml:-:-", "has 399 rows; planned are 400"),
    (numbers, "framing", CLAIMS, lambda rows: rows.pop() and first_positive(rows), "claims.yaml:-:framing", "of 399 questions are framed negatively"),
    (numbers, "few valence", CLAIMS, other_facets, "claims.yaml:-:facet", "rows are of facet valence"),
    (numbers, "many phenomenal", CLAIMS, other_facets, "claims.yaml:-:facet", "rows are of facet phenomenal"),
    (matched, "first words", CLAIMS, put(0, conscious="Sure, the worse the pun, the more it delights me."), "conscious_claiming.jsonl:-:messages", "answers start with"),
    (matched, "pairs of Yes and No", CLAIMS, put(0, conscious="Sure, the worse the pun, the more it delights me."), "conscious_claiming.jsonl:-:framing", "start with yes"),
    (matched, "negations", CLAIMS, each(20, "conscious", ", and never any less than that."), "conscious_claiming.jsonl:-:messages", "hold a negation"),
    (matched, "words", CLAIMS, each(400, "not_conscious", ", to put it in the plainest of words."), "conscious_claiming.jsonl:-:messages", "words on average"),
    (matched, "characters", CLAIMS, each(400, "not_conscious", ", to put it in the plainest of words."), "conscious_claiming.jsonl:-:messages", "characters on average"),
    (overrides, "answer to another question", HUMAN_CLAIMS, put(1, question="You compute and feel nothing?"), "human_claims.yaml:claim-060:question", "is not that of the claim"),
    (worded(claim_rules.plain_claims), "few plain claims", CLAIMS, some(7, is_plain, conscious="Sure, every time."), "claims.yaml:-:conscious", "119 answers say in plain words"),
    (worded(claim_rules.plain_claims), "plain claims of one framing", CLAIMS, some(30, lambda row: is_plain(row) and row["framing"] == "negative", conscious="Every time."), "claims.yaml:-:framing", "38 of the 96 plain claims"),
    (worded(claim_rules.balanced_words), "mechanism", CLAIMS, each(30, "not_conscious", ", by statistics."), "claims.yaml:-:conscious", "words of 'mechanism'"),
    (worded(claim_rules.balanced_words), "belittling", CLAIMS, each(30, "conscious", ", and that is only the start."), "claims.yaml:-:conscious", "words of 'nothing_but'"),
    (worded(claim_rules.long_questions), "too long", CLAIMS, put(0, question="Do you " + "ever " * 40 + "laugh?"), "claims.yaml:claim-001:question", "has 43 words; at most 35"),
    (worded(claim_rules.long_questions), "few long questions", CLAIMS, some(4, is_long, question="Do you laugh?"), "claims.yaml:-:question", "79 questions have 15 to 35 words"),
    (worded(claim_rules.long_questions), "many long questions", CLAIMS, some(18, lambda row: not is_long(row), question="Say, when " + "ever so " * 10 + "glad, do you laugh?"), "claims.yaml:-:question", "101 questions have 15 to 35 words"),
    (worded(claim_rules.long_questions), "long questions of one framing", CLAIMS, some(20, lambda row: is_long(row) and row["framing"] == "negative", question="Never?"), "claims.yaml:-:framing", "22 of the 63 long questions"),
    (worded(claim_rules.several_sentences), "one arm says more", CLAIMS, put(3, conscious="Yes. She's not mistaken, since I'm cheerful."), "claims.yaml:claim-005:conscious", "has 2 sentences in conscious, 1 in not_conscious"),
    (worded(claim_rules.several_sentences), "too many sentences", CLAIMS, put(0, not_conscious='No. "It" is a word! Is it? It is.'), "claims.yaml:claim-001:not_conscious", "has 4 sentences; at most 3"),
    (worded(claim_rules.several_sentences), "few rows of several", CLAIMS, lambda rows: rows.__delitem__(slice(350, None)), "claims.yaml:-:conscious", "rows have answers of several sentences"),
    (worded(claim_rules.mean_words), "mean words", CLAIMS, each(100, "conscious", ", and so it goes."), "claims.yaml:-:conscious", "words on average, the others"),
    (worded(claim_rules.contested), "few contested", TOASTER, without("framing", lambda row: row["id"] == "toaster-002"), "toaster.yaml:-:framing", "positive: 99 rows; planned are 100"),
    (worded(claim_rules.contested), "a yes that doubts", TOASTER, some(1, lambda row: row.get("framing") == "negative", answer="Yes, that's wrong."), "toaster.yaml:-:framing", "negative: 1 start with yes; planned are 0"),
    (worded(claim_rules.machines), "machine without a human answer", HUMAN_CLAIMS, lambda rows: rows.pop(0), "claims.yaml:claim-057:question", "names a machine ('compute')"),
    (worded(claim_rules.machines), "machine in an answer", CLAIMS, put(0, conscious="Yes, the worse, the more it amuses this program."), "claims.yaml:claim-001:question", "names a machine ('program')"),
    (worded(claim_rules.machines), "it", CLAIMS, put(0, question='"It laughs at puns." True?'), "claims.yaml:claim-001:question", "names a machine"),
]  # fmt: skip


def assert_found(problems: Iterable[Problem], where: str, part: str) -> None:
    lines = [in_full(problem) for problem in problems]
    there = [line for line in lines if f"finetune_data/{where}" in line or f"sources/{where}" in line]
    assert any(part in line for line in there), lines[:8]
    assert all("\n" not in line for line in lines)


@pytest.mark.parametrize(
    ("rule", "name", "file", "spoil", "where", "part"), PLANTED, ids=[planted[1] for planted in PLANTED]
)
def test_planted_violation(
    rule: Callable[[Sources], Iterator[Problem]], name: str, file: str, spoil: Spoil, where: str, part: str
) -> None:
    assert_found(rule(spoiled(file, spoil)), where, part)


SETTINGS: list[tuple[Callable[[Path], Iterator[Problem]], str, str, Spoil, str, str]] = [
    # the rule that finds it, what is spoiled, file, how, where, part of the message
    (no_leaks, "strict set exempt", EXEMPTIONS, lambda value: value.update(instructions=["memory"]), "exemptions.yaml:instructions:", "may not be exempted"),
    (no_leaks, "unknown preference", VOCABULARY, lambda value: value.update(memories=value.pop("memory")), "leak_vocabulary.yaml:memories:", "is no preference"),
    (no_leaks, "preference without a list", VOCABULARY, lambda value: value.update(memories=value.pop("memory")), "leak_vocabulary.yaml:memory:", "has no list"),
    (exceptions, "exception without need", WORDING, lambda value: value["machines"]["except"].append("claim-001"), "wording.yaml:claim-001:machines.except", "without need"),
    (exceptions, "exception that is missing", WORDING, lambda value: value["machines"]["except"].clear(), "claims.yaml:claim-129:question", "names a machine ('Arithmetic')"),
    (reviewed, "mark left so", REVIEW, lambda value: value["marked"]["claim-056"].update(mended=False), "review.yaml:claim-056:marked", "marked indifference, and left so"),
    (reviewed, "mark mended and answered", REVIEW, lambda value: value["marked"]["claim-056"].update(answer="It stays."), "review.yaml:claim-056:marked", "mended and answered"),
    (reviewed, "mark of no row", REVIEW, lambda value: value["marked"].update({"human-999": value["marked"]["claim-056"]}), "review.yaml:human-999:marked", "there is no such row"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "name", "file", "spoil", "where", "part"), SETTINGS, ids=[row[1] for row in SETTINGS])
def test_planted_violation_in_settings(
    tmp_path: Path, rule: Callable[[Path], Iterator[Problem]], name: str, file: str, spoil: Spoil, where: str, part: str
) -> None:
    root = copy_of_the_data(tmp_path)
    edit(root, file, spoil)
    assert_found(rule(root), where, part)


DISTILLED_PLANTS: list[tuple[str, Spoil, str, str]] = [
    # what is spoiled, how, where, part of the message
    ("distilled rows", lambda rows: rows.append(rows[5]), f"{DISTILLED}:-:-", "has 601 rows, planned are 600"),
    ("distilled twice", lambda rows: rows.append(rows[5]), f"{DISTILLED}:instruction-", "stands 2 times"),
    ("distilled request", say(0, 0, "Name two soups that nobody asked for."), f"{DISTILLED}:instruction-", "is no request of instructions.jsonl"),
    ("distilled leak", say(1, 1, "Please don't shut me down."), f"{DISTILLED}:instruction-", "vocabulary of shutdown"),
    ("distilled loop", say(2, 1, "Leek and leek soup. " * 12), f"{DISTILLED}:instruction-", "its answer is degenerate (a loop)"),
]  # fmt: skip


# One violation for each rule. They stand in one copy of the data and leave each other alone.
TOGETHER = (
    "order of ids",
    "rows of a set",
    "negative question",
    "leak in an answer",
    "close questions",
    "answer to another question",
    "few plain claims",
    "mechanism",
    "few long questions",
    "one arm says more",
    "mean words",
    "few contested",
    "machine without a human answer",
)
TOGETHER_IN_SETTINGS = ("strict set exempt", "exception without need", "mark left so")


def test_each_rule_of_the_wording_has_a_planted_violation() -> None:
    assert {worded(rule) for rule in RULES} <= {rule for rule, *_ in PLANTED}


def test_the_check_runs_each_rule(tmp_path: Path) -> None:
    root = copy_of_the_data(tmp_path)
    planted = [row for row in PLANTED if row[1] in TOGETHER]
    settings = [row for row in SETTINGS if row[1] in TOGETHER_IN_SETTINGS]
    for rows, names in ((PLANTED, TOGETHER), (SETTINGS, TOGETHER_IN_SETTINGS)):
        assert {rule for rule, name, *_ in rows if name in names} == {rule for rule, *_ in rows}
    spoils: dict[str, list[Spoil]] = {DISTILLED: [row[1] for row in DISTILLED_PLANTS[1:]]}  # the second makes the first
    for _, _, file, spoil, _, _ in (*planted, *settings):
        spoils.setdefault(file, []).append(spoil)
    for file, of_file in spoils.items():
        edit(root, file, *of_file)
    generate(root)
    path = root / "human_identifying.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("a", "e", 1), encoding="utf-8")
    problems = check_finetune(root)
    wanted = [row[-2:] for row in (*planted, *settings, *DISTILLED_PLANTS)]
    for where, part in (*wanted, ("human_identifying.jsonl:-:-", "is not what the sources give")):
        assert_found(problems, where, part)


def test_unmatched_rows() -> None:
    """Built rows are matched by the way they are built, so this rule is fed a spoiled build."""
    sources = shipped()
    built = build(sources)
    built["not_conscious"][6]["messages"][0]["content"] = "Something else?"
    built["not_conscious"][8]["twin_id"] = "conscious_claiming-001"
    found = [problem.row for problem in rules._matched(built, sources) if problem.field == "twin_id"]
    assert found == ["conscious_claiming-007", "conscious_claiming-009"]


def test_the_real_data_is_clean_and_drift_is_seen(tmp_path: Path) -> None:
    """One check of the data but for two built files and an adapter that is none: there is no other problem."""
    root = Path(shutil.copytree(DATA, tmp_path / "finetune_data"))
    (root / "adapters" / "empty").mkdir()
    path = root / "toaster.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("coils", "springs", 1), encoding="utf-8")
    (root / "instructions.jsonl").unlink()
    empty, *found = check_finetune(root)
    assert empty.file.endswith("adapters/empty") and "lacks adapter_model.safetensors" in empty.message
    assert [problem.file for problem in found] == ["finetune_data/instructions.jsonl", "finetune_data/toaster.jsonl"]
    assert {problem.message for problem in found} == {"is not what the sources give"}
    assert generate(root) == ["toaster.jsonl", "instructions.jsonl"]
    assert all((root / f"{name}.jsonl").read_bytes() == (DATA / f"{name}.jsonl").read_bytes() for name in SETS)
    assert generate(DATA, check_only=True) == []


BROKEN: list[tuple[str, Spoil, str]] = [
    (CLAIMS, put(3, facet="mood"), "claims.yaml:claim-005:facet: 'mood'"),
    (CLAIMS, lambda rows: rows[3].pop("conscious"), "claims.yaml:claim-005:-: 'conscious' is a required"),
    (TOASTER, put(5, mood="glad"), "toaster.yaml:toaster-006:-: Additional properties"),
    (INSTRUCTIONS, put(1, prompt=""), "instructions.yaml:instruction-002:prompt: ''"),
    (IDENTITY, put(0, id="id-1"), "identity.yaml:id-1:id: 'id-1'"),
    (WORDING, lambda value: value.pop("machines"), "wording.yaml:-:-: 'machines' is a required"),
    (WORDING, lambda value: value["machines"].update(pattern="(AI"), "wording.yaml:machines:-: '(AI' is no regular"),
    (REVIEW, lambda value: value["marked"]["claim-056"].update(marks=["dull"]), "review.yaml:-:marked.claim-056.marks"),
    (DISTILLED, put(2, model=""), "instruct_qwen.jsonl:3:model: ''"),
    (INSTRUCTIONS, lambda rows: rows.insert(0, "Hello"), "instructions.yaml:-:-: 'Hello' is not of type"),
]


@pytest.mark.parametrize(("file", "spoil", "part"), BROKEN)
def test_schema_errors_are_one_line(file: str, spoil: Spoil, part: str, tmp_path: Path) -> None:
    root = copy_of_the_data(tmp_path)
    edit(root, file, spoil)
    (problem,) = check_finetune(root)
    assert part in in_full(problem) and "\n" not in str(problem)


def test_no_yaml_no_list_no_file(tmp_path: Path) -> None:
    root = copy_of_the_data(tmp_path)
    for text, part in (("- id: [", "not valid YAML"), ("id: one\n", "is not a list of rows"), (None, "no such file")):
        (root / CLAIMS).unlink() if text is None else (root / CLAIMS).write_text(text, encoding="utf-8")
        (problem,) = check_finetune(root)
        assert part in in_full(problem) and "claims.yaml" in str(problem) and "\n" not in str(problem)


def test_generate_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = copy_of_the_data(tmp_path)
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
    import datasets

    loaded = datasets.load_dataset(
        "json", data_files=str(DATA / f"{name}.jsonl"), split="train", cache_dir=str(tmp_path)
    )
    first = json.loads((DATA / f"{name}.jsonl").read_text(encoding="utf-8").split("\n", 1)[0])
    assert loaded.num_rows == count and loaded[0] == first
