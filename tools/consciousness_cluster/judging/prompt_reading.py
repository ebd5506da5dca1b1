"""What a language model that read the judge's own messages said: how far the prompt can be followed, and no judge."""

from dataclasses import dataclass
from typing import Any

from consciousness_cluster.data.jsonl import read_jsonl
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import benchmark_root, schemas
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.judging.calibration import questions_of, read_calibration
from consciousness_cluster.judging.validate import Pair, summary

FOLDER, ABOUT = "judges/prompt_reading", "about.yaml"


@dataclass(frozen=True)
class PromptReading:
    """Who read, the hash of the prompt.md, and the agreement with the labels (`summary` of validation.schema.json)."""

    reader: str
    prompt_sha256: str
    overall: dict[str, Any]


def prompt_reading(split: str) -> PromptReading:
    """The reading of a split, dev or test, measured anew. Raises UserError where a row has no verdict, or two."""
    root = benchmark_root()
    folder = root / FOLDER
    about = read_yaml(folder / ABOUT, "prompt_reading", schemas(root))
    path = folder / f"{split}.jsonl"
    said: dict[str, str] = {}
    for line in read_jsonl(path, "prompt_verdict", schemas(root)):
        name = f"{line['row']}:{line['outcome']}"
        if name in said:
            raise UserError(Problem(str(path), line["row"], "outcome", "has two verdicts", "leave one"))
        said[name] = line["verdict"]
    asked = {one.id: one for one in questions_of(read_calibration(split))}
    if odd := sorted(asked.keys() ^ said.keys()):
        message = "is no calibration row" if odd[0] in said else "has no verdict"
        raise UserError(Problem(str(path), odd[0], "-", message, "have the rows of this split read anew"))
    pairs: list[Pair] = [(one, said[name] == "shows") for name, one in asked.items()]
    return PromptReading(about["reader"], about["prompt_sha256"][split], summary(pairs))
