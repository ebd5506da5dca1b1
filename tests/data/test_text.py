"""Texts that are compared in pieces give what they give at once."""

import pytest
from consciousness_cluster.data import text
from consciousness_cluster.data.text import close_pairs, close_to, words


def test_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [words(f"the {name} sat on the mat all day") for name in ("cat", "dog", "cow", "pig", "hen", "owl", "fox")]
    others = [texts[6], texts[0], words("something else altogether")]
    whole = list(close_to(texts, others, 1.0))
    assert whole == [(0, 1), (6, 0)]
    monkeypatch.setattr(text, "CHUNK", 2)
    assert list(close_to(texts, others, 1.0)) == whole
    assert sorted(close_to(texts, others, 0.8)) == [(one, other) for one in range(7) for other in (0, 1)]


def test_words_that_are_compared_by_the_same_letter_are_told_apart() -> None:
    many = [f"word{number}" for number in range(text.LETTERS + 10)]
    one, other = many[:10], many[text.LETTERS :]
    assert list(close_pairs([many, one, other, one], 0.9)) == [(1, 3, 1.0)]
