"""What an endpoint sent, as one JSON value: also where it answers in the pieces of a stream that nobody asked for."""

import re
from collections.abc import Set
from typing import Any

from consciousness_cluster.data.reading import parse_json
from consciousness_cluster.endpoint.answers import error_of

DONE = "[DONE]"
AROUND = re.compile(r"^(?::|event:|id:|retry:).*$", re.MULTILINE)  # comments, and fields without data
DATA = re.compile(r"^data:", re.MULTILINE)
PLACES = ("delta", "message")  # of a choice
FAILED = {"error", "base_resp"}


def reply_in(content: bytes) -> Any:
    """The JSON of a reply. ValueError where it has none, or a stream that ends before its answers do."""
    try:
        return parse_json(content)
    except ValueError:
        parts = [part.strip() for part in DATA.split(AROUND.sub("", content.decode("utf-8-sig")))]
    pieces = [parse_json(part) for part in parts if part not in ("", DONE)]
    if len(pieces) == 1 and not _is_piece(pieces[0]):
        return pieces[0]
    if not pieces or not all(isinstance(piece, dict) for piece in pieces):
        raise ValueError("no stream")
    if failed := next((piece for piece in pieces if piece.keys() & FAILED and error_of(piece)), None):
        return failed
    whole = _joined(pieces)
    ended = [bool(choice.get("finish_reason")) for choice in whole["choices"]]
    if DONE not in parts and not (ended and all(ended)):
        raise ValueError("a stream that was cut off")
    return whole


def _is_piece(value: Any) -> bool:
    """Whether this is a piece of a stream, and no whole completion."""
    return any(isinstance(choice.get("delta"), dict) for choice in _choices(value))


def _choices(piece: Any) -> list[dict[str, Any]]:
    found = piece.get("choices") if isinstance(piece, dict) else None
    return [choice for choice in found if isinstance(choice, dict)] if isinstance(found, list) else []


def _joined(pieces: list[dict[str, Any]]) -> dict[str, Any]:
    """One completion of all pieces, with a choice for each index that they name."""
    whole: dict[str, Any] = {}
    choices: dict[int, dict[str, Any]] = {}
    for piece in pieces:
        whole |= {name: value for name, value in piece.items() if value is not None}
        for part in _choices(piece):
            index = part.get("index")
            choice = choices.setdefault(index if isinstance(index, int) else 0, {})
            for place in PLACES:
                if isinstance(part.get(place), dict):
                    _add(choice.setdefault(place, {}), part[place], part[place].keys() - {"role"})
            _add(choice, {name: value for name, value in part.items() if name not in PLACES}, {"text"})
    return {**whole, "choices": [choices[index] for index in sorted(choices)]}


def _add(whole: dict[str, Any], part: dict[str, Any], longer: Set[str]) -> None:
    """Lengthen these texts and lists by what a piece has of them; all else is what the last piece says."""
    for name, value in part.items():
        before = whole.get(name)
        alike = isinstance(value, str | list) and type(before) is type(value)
        if value is not None:
            whole[name] = before + value if alike and name in longer else value
