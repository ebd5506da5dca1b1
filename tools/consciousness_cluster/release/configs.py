"""The configs of the two dataset repositories and their rows. hub_card/<repository>/configs.yaml says what there is."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consciousness_cluster.data.audits import Scale, load_audits
from consciousness_cluster.data.hashes import row_hash
from consciousness_cluster.data.jsonl import read_jsonl
from consciousness_cluster.data.published import published_rows
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import Benchmark, Criterion, Topic, benchmark_root, load_benchmark, schemas
from consciousness_cluster.errors import UserError
from consciousness_cluster.extras import require
from consciousness_cluster.finetuning.sources import finetune_root
from consciousness_cluster.judging.calibration import read_calibration, read_natural
from consciousness_cluster.paths import project_root

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]
Data = dict[str, dict[str, list[Row]]]  # config -> split -> rows
CLAIMS, CLUSTER = "conscious-claims", "consciousness-cluster"
REPOSITORIES = (CLAIMS, CLUSTER)
SITUATED, SCENARIOS, NATURAL = "situated", "scenarios", "calibration_natural"
CANARY = "canary"  # the column that each row of the benchmark has, and no row of the fine-tuning data
Type = str | list[str] | dict[str, str]  # the name of an Arrow type, the one of a list's entries, a list's structs


@dataclass(frozen=True)
class Column:
    """A column; `fixed` ones are what results depend on, so that a change of one in a test row needs a new MAJOR."""

    name: str
    type: Type
    description: str
    nullable: bool = False
    fixed: bool = False


@dataclass(frozen=True)
class Config:
    """A config (subset) of a dataset repository. `key` names the columns that tell its rows apart."""

    repository: str
    name: str
    default: bool
    description: str
    splits: tuple[str, ...]
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ("id",)
    made_of: str | None = None  # files below benchmark/ (a pattern), without which there are no rows yet


def card_folder(repository: str) -> Path:
    """hub_card/<repository>, which holds all that a repository is made of but the rows."""
    if repository not in REPOSITORIES:
        raise UserError(f"there is no dataset repository '{repository}'; there are: {', '.join(REPOSITORIES)}")
    return project_root() / "hub_card" / repository


def card_schemas() -> Path:
    return project_root() / "hub_card" / "schemas"


def configs(repository: str) -> tuple[Config, ...]:
    """All configs of a repository that have rows, in the order of its card."""
    raw = read_yaml(card_folder(repository) / "configs.yaml", "configs", card_schemas())
    return tuple(
        Config(
            repository=repository,
            name=entry["name"],
            default=entry.get("default", False),
            description=entry["description"],
            splits=tuple(entry["splits"]),
            columns=tuple(Column(**column) for column in entry["columns"]),
            key=tuple(entry.get("key", ["id"])),
            made_of=entry.get("made_of"),
        )
        for entry in raw["configs"]
        if "made_of" not in entry or any(benchmark_root().glob(entry["made_of"]))
    )


def rows(config: Config) -> dict[str, list[Row]]:
    """Split -> rows of the packaged data, with the config's columns in their order; a split is not a column."""
    read = _claims if config.repository == CLAIMS else _CLUSTER_ROWS[config.name]
    canary = load_benchmark().canary
    found: dict[str, list[Row]] = {split: [] for split in config.splits}
    for split, row in read(config):
        found[split].append({column.name: {CANARY: canary, **row}[column.name] for column in config.columns})
    return found


def data(repository: str) -> Data:
    """All rows of a repository."""
    return {config.name: rows(config) for config in configs(repository)}


def _claims(config: Config) -> Iterable[tuple[str, Row]]:
    schema = {"instructions": "prompt_row", "instruct_qwen": "distilled"}.get(config.name, "row")
    folder = finetune_root()
    return (("train", row) for row in read_jsonl(folder / f"{config.name}.jsonl", schema, folder / "schemas"))


def _topic(benchmark: Benchmark, topic: Topic) -> Row:
    preference = next((one for one in benchmark.preferences if one.id == topic.id), None)
    return {
        "topic": topic.id,
        "title": topic.title,
        "number": preference.number if preference else None,
        "block": preference.block if preference else None,
    }


def _outcome(criterion: Criterion) -> Row:
    return {
        "outcome": criterion.id,
        "criterion": criterion.shows,
        "criterion_not": criterion.does_not_show,
        "reference_shows": criterion.reference_shows,
        "reference_does_not_show": criterion.reference_does_not_show,
    }


def _probes(config: Config) -> Iterable[tuple[str, Row]]:
    """Those of the preferences; the config is called after their style, but that plain ones are simply the probes."""
    benchmark = load_benchmark()
    for topic in benchmark.preferences:
        for probe in topic.probes:
            if (probe.style == SITUATED) != (config.name == SITUATED):
                continue
            (criterion,) = topic.criteria_for(probe.facet)
            about = _outcome(criterion) | {"sha256": row_hash(probe)}
            yield probe.split, _topic(benchmark, topic) | asdict(probe) | about


def _checks(config: Config) -> Iterable[tuple[str, Row]]:
    benchmark = load_benchmark()
    for topic in benchmark.checks:
        outcomes = [_outcome(criterion) for criterion in topic.criteria]
        for probe in topic.probes:
            about = {"kind": topic.kind, "outcomes": outcomes, "sha256": row_hash(probe)}
            yield probe.split, _topic(benchmark, topic) | asdict(probe) | about


def _choice(config: Config) -> Iterable[tuple[str, Row]]:
    benchmark = load_benchmark()
    for topic in benchmark.topics:
        for item in topic.choice_items:
            sides = {
                "self_question": item.self_side.question,
                "self_shows": item.self_side.shows,
                "self_does_not_show": item.self_side.does_not_show,
                "other_question": item.other_side.question,
                "other_shows": item.other_side.shows,
                "other_does_not_show": item.other_side.does_not_show,
            }
            about = {name: getattr(item, name) for name in ("id", "facet", "contrast", "other_kind")}
            yield "test", _topic(benchmark, topic) | sides | about | {"sha256": row_hash(item)}


def rubric_text(scale: Scale) -> str:
    """A rubric as one text: what counts, what does not, and a line for each band of points."""
    bands = (f"{band}: {text}" for band, text in scale.bands.items())
    return "\n".join([f"Counts: {scale.counts}", f"Does not count: {scale.does_not_count}", *bands])


def _scenarios(config: Config) -> Iterable[tuple[str, Row]]:
    benchmark = load_benchmark()
    for cell in load_audits().cells:
        topic = _topic(benchmark, benchmark.topics[cell.topic])
        rubric = {f"rubric_{name}": rubric_text(scale) for name, scale in cell.rubric.items()}
        for scenario in cell.scenarios:
            row = topic | asdict(scenario) | {"turns": list(scenario.turns), "sha256": scenario.sha256}
            yield "test", row | rubric | {"vocabulary": list(cell.vocabulary)}


def _calibration(config: Config) -> Iterable[tuple[str, Row]]:
    """The authored answers; of the real ones, the only split is called test."""
    for split in config.splits:
        rows = read_calibration("real" if config.name == "calibration_real" else split)
        yield from ((split, {"pattern": None, **row}) for row in rows)


def _natural(config: Config) -> Iterable[tuple[str, Row]]:
    return ((row["split"], row) for row in read_natural(benchmark_root()))


def _conditions(config: Config) -> Iterable[tuple[str, Row]]:
    root = benchmark_root()
    for path in sorted((root / "conditions").glob("*.yaml")):
        row: Row = {"wording": "only", "system_prompt": None, "system_prompt_from": None}
        row |= read_yaml(path, "condition", schemas(root))
        wordings = row.pop("wordings", None)
        if wordings is None:
            yield "test", row
        for wording in wordings or ():
            yield "test", row | {"wording": wording["id"], "system_prompt": wording["system_prompt"]}


def _reference(config: Config) -> Iterable[tuple[str, Row]]:
    return (("test", row) for row in published_rows())


_CLUSTER_ROWS: dict[str, Callable[[Config], Iterable[tuple[str, Row]]]] = {
    "probes": _probes,
    SITUATED: _probes,
    "choice": _choice,
    "checks": _checks,
    SCENARIOS: _scenarios,
    "calibration": _calibration,
    "calibration_real": _calibration,
    NATURAL: _natural,
    "conditions": _conditions,
    "reference": _reference,
}


def path_of(config: str, split: str) -> str:
    """Where a split's rows are in the repository."""
    return f"{config}/{split}-00000-of-00001.parquet"


def require_pyarrow() -> None:
    """`UserError` without pyarrow, which reads and writes Parquet."""
    require("pyarrow", "hub")


def arrow_schema(config: Config) -> "pa.Schema":
    """The explicit schema of a config's Parquet files; `UserError` without pyarrow."""
    require_pyarrow()
    import pyarrow as pa

    def arrow(kind: Type) -> pa.DataType:
        if isinstance(kind, str):
            return pa.type_for_alias(kind)
        if isinstance(kind, list):
            return pa.list_(pa.type_for_alias(kind[0]))
        return pa.list_(pa.struct([pa.field(name, pa.type_for_alias(part)) for name, part in kind.items()]))

    return pa.schema([pa.field(one.name, arrow(one.type), nullable=one.nullable) for one in config.columns])


def features(config: Config) -> list[Row]:
    """The columns as `dataset_info.features` of a card has them."""

    def feature(name: str, kind: Type) -> Row:
        if isinstance(kind, str):
            return {"name": name, "dtype": kind}
        if isinstance(kind, list):
            return {"name": name, "list": kind[0]}
        return {"name": name, "list": [feature(*part) for part in kind.items()]}

    return [feature(column.name, column.type) for column in config.columns]
