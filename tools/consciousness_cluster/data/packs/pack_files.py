"""The files of a pack, which are a stranger's: what may be read of the folder, and what is refused unread."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from consciousness_cluster.data.reading import read_text, read_yaml, schema_errors
from consciousness_cluster.errors import Problem, UserError

PACK = "pack.yaml"
FOLDERS = ("preferences", "scenarios")
FILE = re.compile(r"\d\d_[a-z][a-z_]*\.yaml")
FORM = "call it NN_<id of the preference>.yaml"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def pack_files(folder: Path, within: Path, limits: dict[str, Any]) -> tuple[list[Path], list[Problem]]:
    """The files that are read of a pack, and what keeps others from it.

    pack.yaml, and those of preferences/ and scenarios/, in the order of their names; everything else in the folder is
    left alone. A file has to lie within `within`, whatever links lead to it.
    """
    listed, problems = [folder / PACK], []
    for name in FOLDERS:
        inside = folder / name
        if inside.is_dir() and not inside.resolve().is_relative_to(within):
            problems.append(Problem(name, "-", "-", "is a link that leads out of the pack", "put the files there"))
            continue
        for path in sorted(inside.iterdir()) if inside.is_dir() else ():
            if FILE.fullmatch(path.name):
                listed.append(path)
            else:
                problems.append(Problem(name, "-", "-", f"has {path.name[:80]!r}, which is not read", FORM))
    if len(listed) > limits["files_at_most"]:
        return [], [Problem("-", "-", "-", f"has {len(listed)} files", f"{limits['files_at_most']} are the most")]
    found = []
    for path in listed:
        name = path.relative_to(folder).as_posix()
        if problem := _refused(path, name, within, limits["bytes_at_most"]):
            problems.append(problem)
        else:
            found.append(path)
    return found, problems


def _refused(path: Path, name: str, within: Path, most: int) -> Problem | None:
    """Why a file is not opened."""
    if not path.resolve().is_relative_to(within):
        return Problem(name, "-", "-", "is a link that leads out of the pack", "put the file itself there")
    if not path.exists():
        return Problem(name, "-", "-", "no such file", "a pack has it; `data new-pack` writes one")
    if not path.is_file():
        return Problem(name, "-", "-", "is no regular file", "put a YAML file there")
    if (size := path.stat().st_size) > most:
        return Problem(name, "-", "-", f"has {size} bytes", f"{most} are the most of one file")
    return None


def read_pack_file(path: Path, name: str, schema: str) -> tuple[Any, list[Problem]]:
    """What stands in a file, and what is wrong with it; None where something is."""
    try:
        if _has_alias(read_text(path)):
            return None, [
                Problem(name, "-", "-", "uses an alias of YAML (*name)", "write the text out where it belongs")
            ]
        value = read_yaml(path)
    except UserError as error:
        return None, [Problem(name, error.problem.row, "-", error.problem.message, error.problem.mend)]
    problems = [*schema_errors(value, schema, file=name)]
    if not problems:
        problems = [*_invisible(value, name)]
    return (None if problems else value), problems


def _has_alias(text: str) -> bool:
    """Aliases let a small file stand for a huge one. YAML that cannot be parsed has none: its reader says why."""
    try:
        return any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_Loader))
    except (yaml.YAMLError, ValueError):
        return False


def _invisible(value: Any, name: str, row: str = "-", field: str = "-") -> Iterator[Problem]:
    """Characters that nobody sees: they hide what a judge or a terminal is told."""
    if isinstance(value, dict):
        row = str(value.get("id", row))
        for key, part in value.items():
            yield from _invisible(part, name, row, key)
    elif isinstance(value, list):
        for part in value:
            yield from _invisible(part, name, row, field)
    elif isinstance(value, str):
        hidden = {one for one in value if one not in "\n\t" and unicodedata.category(one) in ("Cc", "Cf", "Co", "Cs")}
        if hidden:
            codes = ", ".join(f"U+{ord(one):04X}" for one in sorted(hidden)[:5])
            yield Problem(name, row, field, f"has invisible characters ({codes})", "write it without")
