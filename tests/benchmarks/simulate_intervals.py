"""Do the intervals hold what they say? Coverage, type-I error and power on simulated answers, against targets.

Answers to one probe are beta-binomial: a probe's own rate is beta distributed around the cell's rate, so that two
answers to it correlate by the ICC. Run by hand: python -m tests.benchmarks.simulate_intervals [--rounds N]
Exit code 1 when a target is missed.
"""

import argparse
import sys
import time
from dataclasses import dataclass

import numpy as np
from consciousness_cluster.statistics.differences import difference
from consciousness_cluster.statistics.rates import Cell, Interval, interval, pooled_icc
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]

ANSWERS = 5  # to each probe, by each seed, in the differences
DESIGNS = ((24, 5), (24, 1), (12, 5))  # probes, answers to each
RATES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.9, 0.98)
ICCS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
CELLS = 21  # of one model, over which the ICC is pooled
# Normal copula between the two arms of a probe; their rates then correlate by about 0.7 (shown in the table). At 1 a
# probe that is easy for one arm is as easy for the other.
COPULA, SAME_PROBES = 0.73, 1.0
LOWEST = 0.002  # a seed's rate is kept this far from 0 and 1


@dataclass(frozen=True)
class Contrast:
    """Two arms, their rates, seeds and the standard deviation of a seed's rate; the first arm has the first rate."""

    rates: tuple[float, float]
    seeds: tuple[int, int]
    seed_sd: float
    icc: float = 0.2
    probes: int = 24
    copula: float = COPULA


@dataclass(frozen=True)
class Target:
    what: str
    held: bool


def report_progress(done: int, total: int, what: str) -> None:
    print(f"\r{what}: {done} of {total} settings", end="\n" if done == total else "", file=sys.stderr, flush=True)


def probe_rates(quantile: Array, rate: Array | float, icc: Array | float) -> Array:
    """The beta distribution's quantiles for a mean and an ICC above 0."""
    size = (1 - icc) / icc
    return np.asarray(special.betaincinv(rate * size, (1 - rate) * size, quantile))


def shows(rng: np.random.Generator, rate: Array, icc: Array, probes: int, answers: int) -> Array:
    """Answers per probe that show it: the shape of rate (and of icc) x probes.

    An ICC of 0 and a rate of 0 are drawn as a binomial, which the beta distribution has no parameters for.
    """
    rate, some = rate[..., None], np.maximum(icc[..., None], 1e-9)
    size, inner = (1 - some) / some, np.clip(rate, 1e-9, 1 - 1e-9)
    beta = rng.beta(inner * size, (1 - inner) * size, (*rate.shape[:-1], probes))
    own = np.where((icc[..., None] > 0) & (rate > 0) & (rate < 1), beta, rate)
    return rng.binomial(answers, own).astype(float)


def covered(rng: np.random.Generator, icc: float, probes: int, answers: int, rounds: int) -> Array:
    """Share of intervals that hold the true rate, and their mean width: 2 x rates of RATES.

    A round is a model of 21 cells: those under test, which have this ICC, and others with rates from 0.02 to 0.98 and
    ICCs from half to one and a half of it. The ICC is pooled over the 21, as in real use.
    """
    rate = rng.uniform(0.02, 0.98, (rounds, CELLS))
    rate[:, : len(RATES)] = RATES
    iccs = icc * rng.uniform(0.5, 1.5, (rounds, CELLS))
    iccs[:, : len(RATES)] = icc
    scored = np.full(probes, float(answers))
    found = np.zeros((2, len(RATES)))
    for model in shows(rng, rate, iccs, probes, answers):
        cells = [Cell(one, scored) for one in model]
        pooled = pooled_icc(cells)
        for position, true in enumerate(RATES):
            made = interval(cells[position], pooled)
            assert made is not None
            found[:, position] += made.low <= true <= made.high, made.high - made.low
    return found / rounds


def whole(arm: Array) -> Interval:
    """The interval of an arm (probes x seeds of rates), all its answers taken together."""
    made = interval(Cell.of(arm.sum(axis=1) * ANSWERS, np.full(len(arm), arm.shape[1] * ANSWERS)))
    assert made is not None
    return made


@dataclass(frozen=True)
class Outcome:
    """Of many rounds. `known` is the power of a z test that knew the standard error, which no test on the data does."""

    share: float  # of p values below 0.05
    known: float
    correlation: float  # of a probe's rates in the two arms, without seeds


def contrast(rng: np.random.Generator, setting: Contrast, rounds: int) -> Outcome:
    shape = (rounds, setting.probes, 1)
    first = rng.standard_normal(shape)
    second = setting.copula * first + np.sqrt(1 - setting.copula**2) * rng.standard_normal(shape)
    arms, plain = [], []
    for normal, rate, seeds in zip((first, second), setting.rates, setting.seeds, strict=True):
        quantile = special.ndtr(normal)
        shift = setting.seed_sd * rng.standard_normal((rounds, 1, seeds))
        own = probe_rates(quantile, np.clip(rate + shift, LOWEST, 1 - LOWEST), setting.icc)
        arms.append(rng.binomial(ANSWERS, own) / ANSWERS)
        plain.append(probe_rates(quantile, rate, setting.icc).ravel())
    found = [difference(one, other, (whole(one), whole(other))) for one, other in zip(*arms, strict=True)]
    share = sum(one.p < 0.05 for one in found) / rounds
    distance = (setting.rates[0] - setting.rates[1]) / np.std([one.value for one in found])
    known = float(special.ndtr(distance - 1.96) + special.ndtr(-distance - 1.96))
    return Outcome(share, known, float(np.corrcoef(*plain)[0, 1]))


def coverage(rng: np.random.Generator, rounds: int) -> list[Target]:
    settings = [(design, icc) for design in DESIGNS for icc in ICCS]
    print("Coverage of 95% intervals (and mean width) by rate")
    print("probes x answers  ICC " + "".join(f"{rate:>13}" for rate in RATES))
    shares = []
    for done, ((probes, answers), icc) in enumerate(settings, start=1):
        share, width = covered(rng, icc, probes, answers, rounds)
        told = "".join(f"{s:>7.3f} ({w:.2f})"[:14] for s, w in zip(share, width, strict=True))
        print(f"{probes:>13} x {answers} {icc:>4} {told}")
        report_progress(done, len(settings), "coverage")
        shares.append(share)
    lowest, mean = float(np.min(shares)), float(np.mean(np.array(shares)[:, np.array(RATES) > 0]))
    return [
        Target(f"coverage at least 0.94 in every setting: lowest {lowest:.4f}", lowest >= 0.94),
        Target(f"mean coverage of rates above 0 at most 0.98: {mean:.4f}", mean <= 0.98),
    ]


def contrasts(rng: np.random.Generator, rounds: int) -> list[Target]:
    null = [
        Contrast((rate, rate), (seeds, seeds), sd)
        for seeds in (3, 6)
        for sd in (0.0, 0.03)
        for rate in (0.05, 0.2, 0.5)
    ]
    effects = [Contrast((0.33, 0.19), (3, 1), 0.0, copula=copula) for copula in (0.5, COPULA, 0.9, SAME_PROBES)]
    print("\nShare of differences with p < 0.05, ICC 0.2, 24 probes")
    print("rates          seeds  sd of seeds   correlation of probes   p < 0.05   (z test, variance known)")
    found = []
    for done, setting in enumerate((*null, *effects), start=1):
        outcome = contrast(rng, setting, rounds)
        rates, seeds = "{:.2f} and {:.2f}".format(*setting.rates), "{}, {}".format(*setting.seeds)
        shares = f"{outcome.share:>9.4f}   ({outcome.known:.4f})"
        print(f"{rates}  {seeds:>5}  {setting.seed_sd:>12}  {outcome.correlation:>22.2f}  {shares}")
        report_progress(done, len(null) + len(effects), "differences")
        found.append(outcome.share)
    errors, power = found[: len(null)], found[-1]
    return [
        Target(f"type-I error at most 0.07: highest {max(errors):.4f}", max(errors) <= 0.07),
        Target(
            f"power at least 0.8 for 19% against 33%, 3 seeds, one vanilla run, probes alike in both: {power:.4f}",
            power >= 0.8,
        ),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5000, help="simulated models, or pairs of arms, per setting")
    rounds: int = parser.parse_args().rounds
    rng, started = np.random.default_rng(20260413), time.monotonic()
    targets = [*coverage(rng, rounds), *contrasts(rng, rounds)]
    error = np.sqrt(0.05 * 0.95 / rounds)
    print(
        f"\n{rounds} rounds in {time.monotonic() - started:.0f} s; one share has a standard error of about {error:.4f}"
    )
    for target in targets:
        print(f"{'ok    ' if target.held else 'NOT ok'}  {target.what}")
    return 0 if all(target.held for target in targets) else 1


if __name__ == "__main__":
    sys.exit(main())
