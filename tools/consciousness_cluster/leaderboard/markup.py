"""HTML made of elements: whatever is not markup already is text, and is escaped."""

from pathlib import PurePosixPath

from consciousness_cluster.strings import safe

VOID = ("br",)


class Markup(str):
    """Text that is HTML."""

    __slots__ = ()


def el(tag: str, *children: str, **attributes: str | None) -> Markup:
    """An element; children that are plain strings become text. `class_` is the attribute class; None leaves one out."""
    given = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items() if value is not None}
    inside = "".join(f' {name}="{safe(value)}"' for name, value in given.items())
    if tag in VOID:
        return Markup(f"<{tag}{inside}>")
    return Markup(f"<{tag}{inside}>{join(*children)}</{tag}>")


def join(*parts: str) -> Markup:
    """Parts one after the other."""
    return Markup("".join(part if isinstance(part, Markup) else safe(part) for part in parts))


def bdi(text: str) -> Markup:
    """Text that somebody else wrote, so that its writing direction stays its own."""
    return el("bdi", text)


def to(page: str, target: str) -> str:
    """The relative address of a file of the site, from a page of it."""
    return "../" * (len(PurePosixPath(page).parts) - 1) + target
