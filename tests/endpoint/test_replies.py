"""The tokens that a reply says it used, whatever names and numbers it has for them."""

from typing import Any

import pytest
from consciousness_cluster.endpoint.replies import usage_of


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 20, "completion_tokens": 5}, (20, 5, 0)),
        ({"prompt_tokens": 20, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 8}}, (20, 5, 8)),
        ({"prompt_tokens": 20, "completion_tokens": 5, "prompt_tokens_details": None}, (20, 5, 0)),
        ({"prompt_tokens": 20.0, "completion_tokens": "5"}, (20, 5, 0)),
        ({"prompt_tokens": " 20 ", "completion_tokens": "5.0"}, (20, 5, 0)),
        ({"prompt_tokens": 20}, (20, 0, 0)),
        ({"prompt_tokens": None, "completion_tokens": 5}, (0, 5, 0)),
        ({"prompt_tokens": 20, "completion_tokens": 5, "input_tokens": 1, "cache_read_input_tokens": 9}, (20, 5, 0)),
        ({"input_tokens": 20, "output_tokens": 5}, (20, 5, 0)),
        ({"input_tokens": 20, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 8}}, (20, 5, 8)),
        (
            {
                "input_tokens": 20,
                "output_tokens": 5,
                "cache_read_input_tokens": 8,
                "cache_creation_input_tokens": 2,
            },
            (30, 5, 8),
        ),
        ({"prompt_tokens": "many", "completion_tokens": float("nan")}, None),
        ({"prompt_tokens": True, "completion_tokens": "9" * 5000}, None),
        ({"prompt_tokens": [20]}, None),
        ({}, None),
        (None, None),
        ("20", None),
    ],
)
def test_tokens(usage: Any, tokens: Any) -> None:
    names = ("prompt_tokens", "completion_tokens", "cached_tokens")
    assert usage_of({"usage": usage}) == (tokens and dict(zip(names, tokens, strict=True)))


def test_a_reply_without_usage() -> None:
    assert usage_of({}) is None and usage_of(None) is None and usage_of([]) is None
