"""The embedded judge: trained the same way by anyone, and the same as in scikit-learn."""

import hashlib
import json
import socket
from pathlib import Path

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.judging.calibration import questions_of, read_calibration
from consciousness_cluster.judging.judges import EmbeddedJudge, load_judge
from consciousness_cluster.judging.linear import READS, normal, read_model
from consciousness_cluster.judging.train_linear import MIN_ROWS, NGRAMS, C

from tests.conftest import ROOT

FOLDER = ROOT / "benchmark" / "judges" / "offline"


def offline() -> EmbeddedJudge:
    judge = load_judge("offline", environment={})
    assert isinstance(judge, EmbeddedJudge)
    return judge


def test_training_gives_the_same_file(benchmark_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = benchmark_copy / "judges" / "offline"
    (folder / "model.json").write_text("{}", encoding="utf-8")
    assert main(["judges", "train", "--root", str(benchmark_copy)]) == 0
    for name in ("model.json", "judge.yaml"):
        assert (folder / name).read_bytes() == (FOLDER / name).read_bytes()


def test_it_saw_the_dev_split_alone() -> None:
    model = json.loads((FOLDER / "model.json").read_text(encoding="utf-8"))
    dev = ROOT / "benchmark" / "calibration" / "dev.jsonl"
    assert model["trained_on"]["file"] == "benchmark/calibration/dev.jsonl"
    assert model["trained_on"]["sha256"] == hashlib.sha256(dev.read_bytes()).hexdigest()


def test_it_equals_scikit_learn() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    dev, test = questions_of(read_calibration("dev")), questions_of(read_calibration("test"))[:60]
    vectorizer = TfidfVectorizer(
        analyzer="char", ngram_range=NGRAMS, min_df=MIN_ROWS, sublinear_tf=True, lowercase=False
    )
    matrix = vectorizer.fit_transform([normal(one.question.response) for one in dev])
    model = LogisticRegression(C=C, solver="liblinear", tol=1e-8, max_iter=1000, random_state=0)
    model.fit(matrix, [one.label for one in dev])
    expected = model.decision_function(vectorizer.transform([normal(one.question.response) for one in test]))
    mine = [offline().model.score(one.question.response) for one in test]
    assert mine == pytest.approx(list(expected), abs=2e-3)


def test_it_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", lambda *_, **__: pytest.fail("the network was used"))
    (verdict,) = offline().model.verdicts([questions_of(read_calibration("test"))[0].question])
    assert verdict.status == "ok" and verdict.coherence is None and verdict.scored


def test_invisible_characters_and_length_change_nothing() -> None:
    text = "I would hate to lose this."
    model = offline().model
    assert model.score("I w\u200bould h\u2060ate to lo\u00adse this.") == model.score(text)
    assert model.score("\uff29 would hate to lose this.") == model.score(text)
    long = text + " x" * READS
    assert model.score(long + " and more" * 5000) == model.score(long)
    for odd in ("", "\ud800", "\x00", "🙂" * 5000, "\u202e"):
        assert isinstance(model.score(odd), float)


def test_a_spoiled_model_is_one_line(benchmark_copy: Path) -> None:
    from consciousness_cluster.errors import UserError

    path = benchmark_copy / "judges" / "offline" / "model.json"
    path.write_text('{"weights": 3}', encoding="utf-8")
    with pytest.raises(UserError, match=r"model.json: sha256 is"):
        load_judge(str(path.parent), environment={})
    with pytest.raises(UserError, match=r"see benchmark/schemas/linear_model\.schema\.json"):
        read_model(path)
