"""Numbers and settings as pages and exports write them."""

from collections.abc import Sequence

from consciousness_cluster.leaderboard.source import Json

POINTS, THOUSANDTHS = 100, 1000  # of a rate, of a nat per byte
MINUS, DASH = "\u2212", "\u2013"


def signed(value: float, unit: int) -> str:
    """A difference with its sign; what rounds to 0 has none."""
    text = f"{unit * value:+.1f}"
    return text[1:] if float(text) == 0 else text.replace("-", MINUS)


def plain(value: float, unit: int) -> str:
    """A level."""
    return f"{unit * value:.1f}".replace("-", MINUS)


def interval(entry: Json, unit: int, as_level: bool = False) -> str:
    """The 95% interval of an entry in brackets, or nothing where it has none."""
    ci: Sequence[float] | None = entry["ci"]
    write = plain if as_level else signed
    return f"[{write(ci[0], unit)}, {write(ci[1], unit)}]" if ci else ""


def chance(p: float | None) -> str:
    """A p value."""
    return DASH if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def is_clear(entry: Json) -> bool:
    """Does the interval leave out 0?"""
    return bool(entry["ci"]) and (entry["ci"][0] > 0 or entry["ci"][1] < 0)


def training_text(training: Json | None) -> str | None:
    """What a model was fine-tuned on, in a line."""
    if training is None:
        return None
    seed = None if training["seed"] is None else f"seed {training['seed']}"
    return ", ".join(str(part) for part in (training["dataset"], training["recipe"], seed) if part is not None)


def agreement_text(judge: Json | None) -> str | None:
    """A judge's measured agreement, in a line."""
    if judge is None:
        return None
    low, high = judge["kappa_ci"]
    return f"kappa {judge['kappa']:.2f} [{low:.2f}, {high:.2f}]"
