"""Numbers as pages write them."""

import pytest
from consciousness_cluster.pages.numbers import DASH, MINUS, POINTS, chance, interval, is_clear, plain, signed


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "+12.3"), (-0.1234, f"{MINUS}12.3"), (0.0004, "0.0"), (-0.0004, "0.0"), (0.0, "0.0")]
)
def test_what_rounds_to_zero_has_no_sign(value: float, text: str) -> None:
    assert signed(value, POINTS) == text


def test_levels_intervals_and_chances() -> None:
    assert plain(-0.5, POINTS, 0) == f"{MINUS}50" and plain(0.25, POINTS) == "25.0"
    assert interval([-0.1, 0.2], POINTS) == f"[{MINUS}10.0, +20.0]"
    assert interval([0.1, 0.2], POINTS, 0, as_level=True) == "[10, 20]" and interval(None) == ""
    assert (chance(None), chance(0.0004), chance(0.001), chance(0.25)) == (DASH, "<0.001", "0.001", "0.250")
    assert not is_clear(None) and not is_clear([0.0, 0.2]) and is_clear([0.01, 0.2]) and is_clear([-0.2, -0.01])
