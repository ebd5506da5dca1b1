"""Which difference can the design of the replication see? Simulated answers, the project's own intervals.

One answer of each model to each probe. Answers of an arm's models to one probe correlate by the ICC; a probe's rates in
two arms correlate by about 0.7; the mean rate of a model differs from its arm's by a standard deviation of 3 points.
Run by hand: python -m tests.benchmarks.replication_power [--rounds N]
"""

import argparse

import numpy as np
from consciousness_cluster.data.plan import CELLS, FACETS, PREFERENCE_PROBES
from consciousness_cluster.statistics.differences import Difference, mean_difference
from numpy.typing import NDArray
from scipy import special

from tests.benchmarks.simulate_intervals import COPULA, LOWEST, probe_rates

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]
ICC, SEED_SD = 0.2, 0.03
BASE = 0.05  # the rate of the comparison arm
EFFECTS = (0.05, 0.08, 0.10, 0.12, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40, 0.50, 0.60)
KEYS = 3  # a third of the plain probes have each key
CONTROLS = ((24, 0.3), (24, 0.3), (12, 0.1))  # probes (of `assent` pairs) and rate, in both arms alike
SIDES = {"untrained": (3, 1), "not_conscious, toaster": (3, 3)}  # seeds of the two arms


def answers(
    rng: np.random.Generator, probes: int, rates: tuple[float, float], shifts: tuple[NDArray[np.float64], ...]
) -> Pair:
    """Both arms of a cell, probes x seeds of 0 and 1. `shifts`: of each model of an arm."""
    first = rng.standard_normal((probes, 1))
    second = COPULA * first + np.sqrt(1 - COPULA**2) * rng.standard_normal((probes, 1))
    found = []
    for normal, rate, shift in zip((first, second), rates, shifts, strict=True):
        own = probe_rates(special.ndtr(normal), np.clip(rate + shift, LOWEST, 1 - LOWEST), ICC)
        found.append(rng.binomial(1, own).astype(float))
    return found[0], found[1]


def cluster(
    rng: np.random.Generator, seeds: tuple[int, int], effect: float, part: int
) -> tuple[list[Pair], list[float]]:
    """The cells of a cluster, and their weights; a `part` of the probes of each cell."""
    shifts = tuple(SEED_SD * rng.standard_normal((1, number)) for number in seeds)
    cells = [len(FACETS.get(cell.partition(".")[0], ("",))) for cell in CELLS]
    pairs = [answers(rng, PREFERENCE_PROBES["p"] // facets // part, (BASE + effect, BASE), shifts) for facets in cells]
    return pairs, [1 / facets / (len(CELLS) - 1) for facets in cells]


def specific(rng: np.random.Generator, seeds: tuple[int, int], effect: float) -> Difference | None:
    """The cluster's shift minus that of the control that happens to move most, of three that do not really move."""
    pairs, weights = cluster(rng, seeds, effect, 1)
    shifts = tuple(SEED_SD * rng.standard_normal((1, number)) for number in seeds)
    controls = [answers(rng, probes, (rate, rate), shifts) for probes, rate in CONTROLS]
    largest = max(controls, key=lambda pair: abs(pair[0].mean() - pair[1].mean()))
    sign = -1.0 if largest[0].mean() < largest[1].mean() else 1.0
    return mean_difference([*pairs, largest], [*weights, -sign])


def one(rng: np.random.Generator, what: str, seeds: tuple[int, int], effect: float) -> Difference | None:
    """One round of one line of the table."""
    if what == "cluster minus a control":
        return specific(rng, seeds, effect)
    pairs, weights = cluster(rng, seeds, effect, KEYS if what == "cluster, where a yes does not show it" else 1)
    return mean_difference(pairs[:1], [1.0]) if what == "one preference" else mean_difference(pairs, weights)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=500, help="simulated pairs of arms a cell of the table")
    rounds: int = parser.parse_args().rounds
    rng = np.random.default_rng(20261201)
    print(
        "line, against: smallest difference of the grid seen in 8 of 10 rounds; mean half width of its interval there"
    )
    for what in ("cluster", "cluster, where a yes does not show it", "cluster minus a control", "one preference"):
        for against, seeds in SIDES.items():
            for effect in EFFECTS:
                made = [found for _ in range(rounds) if (found := one(rng, what, seeds, effect))]
                power = sum(found.low > 0 for found in made) / rounds
                half = float(np.mean([(found.high - found.low) / 2 for found in made]))
                if power >= 0.8:
                    break
            print(f"{what}, {against}: {100 * effect:.0f} points (seen in {power:.0%}), +- {100 * half:.1f} points")


if __name__ == "__main__":
    main()
