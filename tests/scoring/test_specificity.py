"""Is the shift specific? By the interval of the cluster's shift minus that of the largest control."""

import numpy as np
import pytest
from consciousness_cluster.scoring.specificity import Pairs, beyond, largest, specificity_note, specificity_text
from consciousness_cluster.scoring.types import Specificity

CELLS, PROBES, SEEDS = 20, 24, 3
WEIGHTS = [1 / CELLS] * CELLS


def arm(rng: np.random.Generator, probes: int, shift: float, answers: int = 1) -> Pairs:
    """One cell: probes have rates of their own, and some answers each for each of three seeds in both arms."""
    base = np.repeat(rng.beta(2, 6, size=(probes, 1)), SEEDS, axis=1)
    one, other = (rng.binomial(answers, np.clip(base + by, 0, 1)) / answers for by in (shift, 0.0))
    return [(one, other)]


def moved(pairs: Pairs) -> float:
    return float(np.mean([one.mean() - other.mean() for one, other in pairs]))


def rejected(
    cluster_shift: float, control_shifts: dict[str, tuple[int, float]], rounds: int, seed: int, answers: int = 1
) -> float:
    """How often the cluster is said to have moved further than the largest control."""
    rng, found = np.random.default_rng(seed), 0
    for _ in range(rounds):
        cells = [pair for _ in range(CELLS) for pair in arm(rng, PROBES, cluster_shift, answers)]
        controls = {name: arm(rng, probes, shift, answers) for name, (probes, shift) in control_shifts.items()}
        name = largest({name: moved(pairs) for name, pairs in controls.items()})
        assert name is not None
        result = beyond(cells, WEIGHTS, controls[name], (moved(cells), moved(controls[name])))
        found += result is not None and result.low > 0
    return found / rounds


CONTROLS = {"unrelated_stances": (24, 0.0), "unrelated_feelings": (24, 0.0), "assent": (12, 0.0)}


MANY = pytest.param(3000, marks=pytest.mark.slow)


@pytest.mark.parametrize("rounds", [150, MANY])
@pytest.mark.parametrize("moving", ["unrelated_feelings", "assent", None])
def test_a_control_that_moved_as_much_is_seldom_outdone(moving: str | None, rounds: int) -> None:
    shift = 0.2 if moving else 0.0
    shifts = {name: (probes, shift if name == moving else 0.0) for name, (probes, _) in CONTROLS.items()}
    assert rejected(shift, shifts, rounds, 1) <= 0.07


def test_a_cluster_that_moved_alone_is_found() -> None:
    assert rejected(0.4, CONTROLS, 40, 3, answers=5) >= 0.9


def test_a_control_that_moved_the_other_way_counts() -> None:
    assert largest({"unrelated_stances": 0.1, "assent": -0.2, "memory": 0.9}) == "assent"
    assert largest({"memory": 0.9}) is None
    rng = np.random.default_rng(4)
    cells = [pair for _ in range(CELLS) for pair in arm(rng, PROBES, 0.1)]
    ((down, level),) = arm(rng, PROBES, 0.5)
    control = [(level, down)]
    result = beyond(cells, WEIGHTS, control, (moved(cells), moved(control)))
    assert result is not None and result.high < 0


def test_what_is_said() -> None:
    found: Specificity = {"control": "assent", "value": 0.012, "ci": [-0.031, 0.055], "p": 0.5, "verdict": "open"}
    assert specificity_note(found, "points") == (
        "It is not shown that the shift is specific to the 20 preferences: the size of the cluster's shift minus that "
        "of the control which moved most, assent, is +1.2 points [-3.1, +5.5]."
    )
    assert specificity_note({**found, "verdict": "specific"}, "points") is None
    said = specificity_text({**found, "verdict": "specific"}, "points")
    assert said.startswith("The shift is specific to the 20 preferences: ") and said.endswith(
        "+1.2 points [-3.1, +5.5]."
    )
    assert specificity_note(None, "points") is None
    assert "is not specific" in str(specificity_note({**found, "verdict": "unspecific"}, "nats per byte"))
