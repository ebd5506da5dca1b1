"""Read YAML and JSON, and hold them to JSON Schemas. Every error names file, row and field, and says what to do."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any

import yaml

from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.paths import project_root

Json = dict[str, Any]  # an object, as it is read
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
BYTE_ORDER_MARK = "\ufeff"
DEEPEST = 100  # lists and objects within each other: more is no data of anybody's, and ends Python's stack


class _StrictLoader(_Base):  # type: ignore[misc]
    """Refuses a key that stands twice, which YAML would silently let win."""


def _mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    seen = set()
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key has to be a text", key_node.start_mark)
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key '{key}' stands twice", key_node.start_mark)
        seen.add(key)
    loader.flatten_mapping(node)
    return {loader.construct_object(k, deep=True): loader.construct_object(v, deep=True) for k, v in node.value}


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _too_deep(value: Any) -> bool:
    level = {id(value): value}  # once each, however often an alias of YAML names it
    for _ in range(DEEPEST):
        level = {
            id(part): part
            for whole in level.values()
            for part in (whole.values() if isinstance(whole, dict) else whole)
            if isinstance(part, dict | list)
        }
        if not level:
            return False
    return True


def read_bytes(path: Path) -> bytes:
    """The content of a file; `UserError` where it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UserError(Problem(str(path), "-", "-", "no such file")) from None
    except OSError as error:
        message = f"cannot be read ({error.strerror})"
        raise UserError(Problem(str(path), "-", "-", message, "mend that, or name another file")) from None


def decoded(content: bytes, path: Path) -> str:
    """The text of a file's content, without a byte order mark; `UserError` where it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"not UTF-8 (byte {error.start})"
        raise UserError(Problem(str(path), "-", "-", message, "save it as UTF-8")) from None


def read_text(path: Path) -> str:
    """The text of a file, without a byte order mark; `UserError` where it cannot be read as UTF-8."""
    return decoded(read_bytes(path), path)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError("a number is too large")
    return number


_ANY, _FINITE = json.JSONDecoder(), json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def parse_json(text: str | bytes, finite: bool = False) -> Any:
    """The value of a JSON text; `ValueError`, whose words say why, where it is none or is nested too deep.

    With `finite` also where it has a number that JSON itself does not know (NaN, Infinity), as others' files may.
    """
    try:
        text = (text if isinstance(text, str) else text.decode("utf-8")).removeprefix(BYTE_ORDER_MARK)
        value = (_FINITE if finite else _ANY).decode(text)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start})") from None
    except RecursionError:
        raise ValueError("nested too deep") from None
    if text.count("[") + text.count("{") > DEEPEST and isinstance(value, dict | list) and _too_deep(value):
        raise ValueError("nested too deep")
    return value


def read_json(path: Path, schema: str | None = None, schemas: Path | None = None, mend: str = "restore it") -> Any:
    """The value of a JSON file, which fits the schema where one is named; `mend` says what to do about another.

    `schemas` is the folder of the schema, the benchmark's where it is None. A file of others, which has no schema of
    ours, may hold NaN.
    """
    try:
        value = parse_json(read_text(path), finite=schema is not None)
    except UserError as error:
        raise UserError(replace(error.problem, mend=error.problem.mend or mend)) from None
    except ValueError as error:
        raise UserError(Problem(str(path), "-", "-", f"not JSON ({error})", mend)) from None
    return value if schema is None else _valid(value, path, schema, schemas, mend)


def read_yaml(path: Path, schema: str | None = None, schemas: Path | None = None) -> Any:
    """The value of a YAML file, which fits the schema where one is named (see `read_json`)."""
    text = read_text(path)
    try:
        value = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 (derives from the safe loader)
        if isinstance(value, dict | list) and _too_deep(value):
            raise ValueError("nested too deep")
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: such as a date that does not exist
        mark = getattr(error, "problem_mark", None)
        what = "nested too deep" if isinstance(error, RecursionError) else getattr(error, "problem", None) or error
        row = str(mark.line + 1) if mark else "-"
        message = f"not valid YAML: {' '.join(str(what).split())}"
        raise UserError(Problem(str(path), row, "-", message, "mend the file so that it can be read")) from None
    return value if schema is None else _valid(value, path, schema, schemas)


def _valid(value: Any, path: Path, schema: str, schemas: Path | None, mend: str = "") -> Any:
    for problem in schema_errors(value, schema, schemas, str(path)):
        raise UserError(replace(problem, mend=f"{problem.mend}, or {mend}" if mend else problem.mend))
    return value


@cache
def _documents(schemas: Path) -> dict[str, Any]:
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in schemas.glob("*.schema.json")}


@cache
def _fast(schemas: Path, name: str) -> Any:
    """Says whether a value is valid, in microseconds; what is wrong is worded by `_validator`, which takes 100 times as
    long."""
    import jsonschema_rs

    documents = _documents(schemas)
    registry = jsonschema_rs.Registry([(f"json-schema:///{key}", document) for key, document in documents.items()])
    return jsonschema_rs.Draft202012Validator(
        documents[f"{name}.schema.json"], registry=registry, base_uri=f"json-schema:///{name}.schema.json"
    )


@cache
def _validator(schemas: Path, name: str) -> Any:
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource

    documents = _documents(schemas)
    registry: Any = Registry().with_resources(
        (key, Resource.from_contents(document)) for key, document in documents.items()
    )
    return Draft202012Validator(documents[f"{name}.schema.json"], registry=registry)


def _words(value: Any, path: Sequence[Any], message: str) -> tuple[str, str, str]:
    """(row, field, message) of an error at `path` in `value`."""
    row, here = "-", value
    field: list[str] = []
    for part in path:
        here = here[part]
        if isinstance(part, int):
            row, field = (str(here.get("id", part)), []) if isinstance(here, dict) else (row, [*field, str(part)])
        else:
            field.append(str(part))
    message = " ".join(message.split())
    return row, ".".join(field) or "-", message if len(message) <= 160 else message[:157] + "..."


def _fast_errors(value: Any, schemas: Path, name: str) -> list[tuple[Sequence[Any], str]]:
    """(path, message) of each place that is wrong."""
    fast = _fast(schemas, name)
    try:
        if fast.is_valid(value):
            return []
        return [(error.instance_path, error.message) for error in fast.iter_errors(value)]
    except UnicodeEncodeError:  # half a character: any other one does as well here
        whole = json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "replace")
        return _fast_errors(json.loads(whole), schemas, name)
    except ValueError as problem:  # what JSON cannot hold, such as a date
        return [([], f"not a JSON value: {problem}")]


def fits(name: str) -> Callable[[Any], bool]:
    """Whether a value surely fits a schema of the benchmark, in a microsecond; of others `schema_errors` knows more."""
    is_valid = _fast(project_root() / "benchmark" / "schemas", name).is_valid

    def fits_surely(value: Any) -> bool:
        try:
            return bool(is_valid(value))
        except ValueError:  # half a character, a date
            return False

    return fits_surely


def schema_errors(value: Any, name: str, schemas: Path | None = None, file: str = "") -> Iterator[Problem]:
    """Each place where `value`, which stands in `file`, breaks the schema `name`.

    `schemas` is the folder of the schema, the benchmark's where it is None. `row` of a problem is the id of the
    innermost list entry that has one, else "-".
    """
    folder = schemas or project_root() / "benchmark" / "schemas"
    worded = _fast_errors(value, folder, name)
    if not worded:
        return
    slow = sorted(_validator(folder, name).iter_errors(value), key=lambda e: [str(p) for p in e.absolute_path])
    mend = f"see {folder.parent.name}/schemas/{name}.schema.json"
    # Python's `$` in a pattern lets a line end pass: then the words of the fast one have to do.
    for path, message in [(error.absolute_path, error.message) for error in slow] or worded:
        row, field, text = _words(value, path, message)
        yield Problem(file, row, field, text, mend)
