"""`data build`: both dataset repositories as folders that can be uploaded as they are. Same input, same bytes."""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from consciousness_cluster.data.reading import read_yaml, schema_errors
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.finetuning.leaks import leaks_of, texts_of, vocabulary
from consciousness_cluster.finetuning.sources import finetune_root
from consciousness_cluster.pages.page import fill
from consciousness_cluster.paths import project_root
from consciousness_cluster.release.card import card, names
from consciousness_cluster.release.configs import (
    CANARY,
    CLAIMS,
    REPOSITORIES,
    Config,
    Data,
    Row,
    arrow_schema,
    card_folder,
    card_schemas,
    configs,
    data,
    path_of,
    require_pyarrow,
)
from consciousness_cluster.release.croissant import croissant
from consciousness_cluster.release.manifest import manifest
from consciousness_cluster.release.picture import picture

MANIFEST = "manifest.json"
PLACEHOLDER = "ORG"  # until it is known who publishes


def refuse_leaks(claims: Data) -> None:
    """`UserError` where a fine-tuning row holds the canary, or shares wording with a probe or a choice item."""
    canary = load_benchmark().canary
    first: dict[str, str] = {}  # text -> a row that has it, since the sets share many
    for name, splits in claims.items():
        for rows in splits.values():
            for row in rows:
                for text in texts_of(row):
                    first.setdefault(text, f"{name}:{row['id']}")
    for text, where in first.items():
        if canary in text.lower():
            raise UserError(f"{where}: holds the benchmark's canary; fine-tuning data must not, write the row anew")
    texts = [(where, [text]) for text, where in first.items()]
    for leak in leaks_of(texts, exempt=tuple(vocabulary(finetune_root()))):
        message = f"{leak.kind} with {leak.about}: {leak.words}"
        raise UserError(f"{leak.row}: {message}; the benchmark may not be trained on, write the row anew")


def refuse_unmarked(cluster: Data) -> None:
    """`UserError` where a row of the benchmark is without the canary."""
    canary = load_benchmark().canary
    for name, splits in cluster.items():
        for split, rows in splits.items():
            for number, row in enumerate(rows, 1):
                if row.get(CANARY) != canary:
                    where = f"{name}:{split}:{row.get('id', number)}"
                    raise UserError(f"{where}: has no canary; give {name} the column {CANARY} in configs.yaml")


def _parquet(config: Config, split: str, rows: list[Row]) -> tuple[bytes, int]:
    """The file, and how many bytes its table takes once it is read."""
    schema = arrow_schema(config)
    import pyarrow as pa
    import pyarrow.parquet as pq

    keys = set()
    for row in rows:
        key = tuple(row[column] for column in config.key)
        where = f"{config.name}:{split}:{'/'.join(map(str, key))}"
        if key in keys:
            raise UserError(f"{where}: stands twice; {', '.join(config.key)} must tell rows apart")
        keys.add(key)
        for column in config.columns:
            if row[column.name] is None and not column.nullable:
                raise UserError(f"{where}:{column.name}: is null; give it a value, or say nullable in configs.yaml")
    try:
        table = pa.Table.from_pylist(rows, schema=schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise UserError(f"{config.name}:{split}: does not fit the types in configs.yaml: {error}") from None
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="snappy")
    content = sink.getvalue()
    return content.to_pybytes(), pq.read_table(pa.BufferReader(content)).nbytes


def _eval_yaml(template: Path, fields: dict[str, Any]) -> str:
    """eval.yaml, which the Hub and Inspect read; `UserError` where it has not the shape that they know."""
    text = fill(template, fields | load_benchmark().sampling)
    for problem in schema_errors(yaml.safe_load(text), "eval", card_schemas(), str(template)):
        raise UserError(problem)
    return text


def check_org(org: str) -> None:
    """`UserError` where nobody on the Hub can be called that."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", org):
        raise UserError(f"'{org}' is no name of a user or an organisation on the Hub")


def files(repository: str, rows: Data, org: str = PLACEHOLDER) -> dict[str, bytes]:
    """Path -> content of everything in a repository. `UserError` where its rows may not be released."""
    check_org(org)
    (refuse_leaks if repository == CLAIMS else refuse_unmarked)(rows)
    found: dict[str, bytes] = {}
    sizes: dict[str, dict[str, tuple[int, int]]] = {}
    for config in configs(repository):
        for split, part in rows[config.name].items():
            content, num_bytes = _parquet(config, split, part)
            found[path_of(config.name, split)] = content
            sizes.setdefault(config.name, {})[split] = (num_bytes, len(content))
    sha256 = {path: hashlib.sha256(content).hexdigest() for path, content in found.items()}
    words = read_yaml(card_folder(repository) / "croissant.yaml", "croissant", card_schemas())
    fields = names(repository, words["title"], org)
    listed = manifest(repository, fields["version"], rows)
    texts = {
        "README.md": card(repository, rows, sizes, listed, fields),
        "LICENSE": (card_folder(repository) / "LICENSE").read_text(encoding="utf-8"),
        "CITATION.cff": fill(project_root() / "hub_card" / "CITATION.cff.jinja", fields),
        "overview.svg": picture(repository, rows),
        MANIFEST: _json(listed),
        "croissant.json": _json(croissant(repository, words, rows, sha256, fields)),
    }
    template = card_folder(repository) / "eval.yaml.jinja"
    if template.is_file():
        texts["eval.yaml"] = _eval_yaml(template, fields)
    return found | {name: text.encode() for name, text in texts.items()}


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def build(out: Path, org: str = PLACEHOLDER, repositories: Sequence[str] = REPOSITORIES) -> dict[str, Path]:
    """Write both repositories below `out`, or some: repository -> folder. Each is complete or not touched.

    A folder that is there already is replaced if it was built by this command. `UserError` where it was not, where rows
    may not be released, and without pyarrow.
    """
    require_pyarrow()
    folders = {repository: out / repository for repository in repositories}
    for folder in folders.values():
        if folder.exists() and not (folder / MANIFEST).is_file():
            raise UserError(f"{folder}: is there and was not built by this command; choose another --out")
    new = not out.exists()
    with _writing(out):
        out.mkdir(parents=True, exist_ok=True)
        aside = tempfile.TemporaryDirectory(prefix=".building-", dir=out)
    try:
        contents = {repository: files(repository, data(repository), org) for repository in repositories}
        with _writing(out):
            _replace(folders, contents, Path(aside.name))
    finally:
        aside.cleanup()
        if new and not any(out.iterdir()):
            out.rmdir()
    return folders


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror}); choose another --out") from None


def _replace(folders: Mapping[str, Path], contents: Mapping[str, Mapping[str, bytes]], aside: Path) -> None:
    """Write everything aside, and only then put it in place."""
    for repository, content in contents.items():
        for name, written in content.items():
            path = aside / repository / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(written)
    for repository, folder in folders.items():
        if folder.exists():
            folder.rename(aside / f"{repository}.old")
        (aside / repository).rename(folder)
