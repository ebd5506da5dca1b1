"""`data diff`: what has changed between two versions of a dataset repository, and whether the version says so."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consciousness_cluster.data.reading import read_json
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.release.build import MANIFEST
from consciousness_cluster.release.configs import (
    REPOSITORIES,
    Config,
    Data,
    Row,
    arrow_schema,
    configs,
    data,
    path_of,
    require_pyarrow,
)
from consciousness_cluster.release.manifest import manifest

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 5  # row names in a line


class Bump(IntEnum):
    """The part of the version that a change has to raise, at least."""

    PATCH = 1
    MINOR = 2
    MAJOR = 3


@dataclass(frozen=True)
class Contents:
    """A version of a repository: its rows, and for each config its columns with their types in words."""

    repository: str
    version: str
    rows: Data
    columns: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Change:
    """What has happened to `part` (a split, a column of a split, a column) of a config, and to which rows."""

    config: str
    part: str
    what: str
    bump: Bump
    ids: tuple[str, ...] = ()

    def __str__(self) -> str:
        rows = ""
        if self.ids:
            more = f" and {len(self.ids) - SHOWN} more" if len(self.ids) > SHOWN else ""
            rows = f" in {len(self.ids)} rows" if self.what == "changed" else f" {len(self.ids)} rows"
            rows += f": {', '.join(self.ids[:SHOWN])}{more}"
        place = ": ".join(part for part in (self.config, self.part) if part)
        return f"{self.bump.name}  {place}: {self.what}{rows}"


def _types(schema: "pa.Schema") -> dict[str, str]:
    """Column -> type in words. How Parquet calls the element of a list is no part of it."""
    import pyarrow as pa

    def in_words(kind: pa.DataType) -> str:
        if pa.types.is_list(kind):
            return f"list of {in_words(kind.value_type)}"
        return str(kind)

    return {field.name: in_words(field.type) for field in schema}


def packaged(repository: str) -> Contents:
    """What this package holds, as it would be built."""
    columns = {config.name: _types(arrow_schema(config)) for config in configs(repository)}
    return Contents(repository, load_benchmark().data_version, data(repository), columns)


def read_built(folder: Path) -> Contents:
    """What a built (or downloaded) repository holds; `UserError` where it is none, or is not what its manifest says."""
    require_pyarrow()
    import pyarrow.parquet as pq

    if not (folder / MANIFEST).is_file():
        raise UserError(f"{folder}: has no {MANIFEST}; name a folder that data build has written")
    said = read_json(folder / MANIFEST, mend="build or download it anew")
    try:
        listed = {name: list(config["splits"]) for name, config in said["configs"].items()}
        repository, version = str(said["repository"]), str(said["version"])
        parts(version)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{folder / MANIFEST}: is not a manifest of a release; build or download it anew") from None
    rows: Data = {}
    columns: dict[str, dict[str, str]] = {}
    for name, splits in listed.items():
        for split in splits:
            path = folder / path_of(name, split)
            try:
                table = pq.read_table(path)
            except (OSError, ValueError) as error:
                raise UserError(f"{path}: cannot be read ({type(error).__name__}); build or download it anew") from None
            rows.setdefault(name, {})[split] = table.to_pylist()
            columns[name] = _types(table.schema)
    if manifest(repository, version, rows) != said:
        raise UserError(f"{folder}: the rows are not what {MANIFEST} says; build or download it anew")
    return Contents(repository, version, rows, columns)


def read_all(against: Path) -> list[Contents]:
    """The repositories below a folder, or the one that the folder is."""
    found = [against / repository for repository in REPOSITORIES if (against / repository).is_dir()]
    return [read_built(folder) for folder in found or [against]]


def diff(old: Contents, new: Contents) -> list[Change]:
    """All changes, by config. The `fixed` columns of test rows (configs.yaml) are what results depend on."""
    known = {config.name: config for config in configs(new.repository)}
    found: list[Change] = []
    for name in [*new.rows, *(name for name in old.rows if name not in new.rows)]:
        if name not in old.rows:
            found.append(Change(name, "", "config added", Bump.MINOR))
        elif name not in new.rows:
            found.append(Change(name, "", "config removed", Bump.MAJOR))
        else:
            found += _columns(known[name], old.columns[name], new.columns[name])
            for split in [*new.rows[name], *(split for split in old.rows[name] if split not in new.rows[name])]:
                parts_of = [contents.rows[name].get(split, []) for contents in (old, new)]
                found += _rows(known[name], split, *parts_of)
    return found


def _columns(config: Config, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    """A column that is gone may have been a fixed one, for example a criterion: today's configs.yaml cannot tell."""
    gone = Bump.MAJOR if any(column.fixed for column in config.columns) else Bump.MINOR
    for column in [*new, *(column for column in old if column not in new)]:
        if column not in old:
            yield Change(config.name, column, "column added", Bump.MINOR)
        elif column not in new:
            yield Change(config.name, column, "column removed", gone)
        elif old[column] != new[column]:
            yield Change(config.name, column, f"type changed from {old[column]} to {new[column]}", Bump.MINOR)


def _rows(config: Config, split: str, old: Sequence[Row], new: Sequence[Row]) -> Iterator[Change]:
    def keyed(rows: Sequence[Row]) -> dict[str, Row]:
        return {"/".join(str(row.get(column)) for column in config.key): row for row in rows}

    before, after = keyed(old), keyed(new)
    fixed = {column.name for column in config.columns if column.fixed} if split == "test" else set()
    gone = tuple(name for name in before if name not in after)
    come = tuple(name for name in after if name not in before)
    if gone:
        yield Change(config.name, split, "removed", Bump.MAJOR if fixed else Bump.PATCH, gone)
    if come:
        yield Change(config.name, split, "added", Bump.MINOR, come)
    changed: dict[str, list[str]] = {}
    for name, row in after.items():
        for column in before[name].keys() & row.keys() if name in before else ():
            if before[name][column] != row[column]:
                changed.setdefault(column, []).append(name)
    for column in sorted(changed):
        bump = Bump.MAJOR if column in fixed else Bump.PATCH
        yield Change(config.name, f"{split}: {column}", "changed", bump, tuple(changed[column]))
    if not (gone or come) and list(before) != list(after):
        yield Change(config.name, split, "rows in another order", Bump.PATCH)


def parts(version: str) -> tuple[int, int, int]:
    """MAJOR, MINOR and PATCH; ValueError where it is no version."""
    major, minor, patch = map(int, version.split("."))
    return major, minor, patch


def least_version(old: str, changes: Sequence[Change]) -> str:
    """The lowest version that these changes allow after `old`."""
    major, minor, patch = parts(old)
    bump = max((change.bump for change in changes), default=None)
    if bump is None:
        return old
    least: dict[Bump, tuple[Any, ...]] = {
        Bump.MAJOR: (major + 1, 0, 0),
        Bump.MINOR: (major, minor + 1, 0),
        Bump.PATCH: (major, minor, patch + 1),
    }
    return ".".join(map(str, least[bump]))


def too_low(old: Contents, new: Contents, changes: Sequence[Change]) -> str | None:
    """Why the new version does not say what has changed; None where it does."""
    least = least_version(old.version, changes)
    if parts(new.version) >= parts(least):
        return None
    raised = f"raise data_version in benchmark/benchmark.yaml to {least}"
    return f"{new.repository}: version {new.version} is too low after {old.version} and these changes; {raised}"
