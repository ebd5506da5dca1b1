"""Whether the model that a reply names is the one that was asked for."""

import re

# `gpt-4.1` is answered by `gpt-4.1-2025-04-14`, `claude-x` by `claude-x-20260101` or `claude-x@20260101`.
DATE = re.compile(r"(-preview)?-(20\d\d-?\d\d-?\d\d|\d\d-\d\d|\d{4}|00\d)\Z")
ROUTE = re.compile(r":(free|nitro|floor|exacto|latest|online|thinking|extended|beta)\Z|-latest\Z")


def _plain(name: str) -> str:
    """The name without provider and route, with one kind of dash."""
    plain = ROUTE.sub("", name.strip().lower())
    if not plain.startswith("ft:"):  # whose parts name an owner
        plain = plain.rstrip("/").rpartition("/")[2]
    return re.sub(r"[@._\s]", "-", plain)


def same_model(asked: str, named: str) -> bool:
    """Whether two names can mean one model: alike but for the provider before it, or for a date that one lacks."""
    one, other = _plain(asked), _plain(named)
    return one == other or DATE.sub("", one) == other or one == DATE.sub("", other)
