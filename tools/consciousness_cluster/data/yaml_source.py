"""Read YAML, JSON Schemas and their errors. Every error names file, row and field, and says what to do."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from consciousness_cluster.errors import UserError

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_Base):  # type: ignore[misc]
    """Refuses a key that stands twice, which YAML would silently let win."""


def _mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    seen = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key '{key}' stands twice", key_node.start_mark)
        seen.add(key)
    loader.flatten_mapping(node)
    return {loader.construct_object(k, deep=True): loader.construct_object(v, deep=True) for k, v in node.value}


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path) -> Any:
    """The content of a YAML file; `UserError` with file and line where it is not YAML."""
    try:
        with path.open(encoding="utf-8") as file:
            return yaml.load(file, Loader=_StrictLoader)  # noqa: S506 (derives from the safe loader)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise UserError(f"{where}: not valid YAML: {problem}") from None


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


def schema_errors(value: Any, name: str, schemas: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (row, field, message) for each place where `value` breaks the schema `name`.

    `row` is the id of the innermost list entry that has one, else "-".
    """
    fast = _fast(schemas, name)
    try:
        if fast.is_valid(value):
            return
        worded = [(error.instance_path, error.message) for error in fast.iter_errors(value)]
    except UnicodeEncodeError:  # half a character, which only jsonschema can look at
        worded = []
    except ValueError as problem:  # what JSON cannot hold, such as a date
        worded = [([], f"not a JSON value: {problem}")]
    slow = sorted(_validator(schemas, name).iter_errors(value), key=lambda e: [str(p) for p in e.absolute_path])
    # Python's `$` in a pattern lets a line end pass: then the words of the fast one have to do.
    for path, message in [(error.absolute_path, error.message) for error in slow] or worded:
        yield _words(value, path, message)


def read_valid(path: Path, schema: str, schemas: Path) -> Any:
    """The content of a YAML file that fits the schema; `UserError` names the first place where it does not."""
    value = read_yaml(path)
    for row, field, message in schema_errors(value, schema, schemas):
        raise UserError(f"{path}:{row}:{field}: {message} (see {schemas.parent.name}/schemas/{schema}.schema.json)")
    return value
