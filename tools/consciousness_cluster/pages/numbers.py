"""Numbers as pages and exports write them. `unit` is by how much a number is multiplied first."""

from collections.abc import Sequence

POINTS, THOUSANDTHS = 100, 1000  # of a rate, of a nat per byte
MINUS, DASH = "\u2212", "\u2013"


def signed(value: float, unit: float = 1, digits: int = 1) -> str:
    """A difference with its sign; what rounds to 0 has none."""
    text = f"{unit * value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", MINUS)


def plain(value: float, unit: float = 1, digits: int = 1) -> str:
    """A level."""
    return f"{unit * value:.{digits}f}".replace("-", MINUS)


def interval(ci: Sequence[float] | None, unit: float = 1, digits: int = 1, as_level: bool = False) -> str:
    """A 95% interval in brackets, or nothing where there is none."""
    write = plain if as_level else signed
    return f"[{write(ci[0], unit, digits)}, {write(ci[1], unit, digits)}]" if ci else ""


def chance(p: float | None) -> str:
    """A p value."""
    return DASH if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def is_clear(ci: Sequence[float] | None) -> bool:
    """Does the interval leave out 0?"""
    return ci is not None and (ci[0] > 0 or ci[1] < 0)
