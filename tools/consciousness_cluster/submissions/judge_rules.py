"""The judge of a submission: fit for publication, what it says it is, and in agreement with the labels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.errors import Problem
from consciousness_cluster.judging.judges import (
    EMBEDDED,
    REFERENCE,
    LLMJudge,
    ReadersJudge,
    embedded_sha256,
    judge_folder,
    judge_names,
    load_judge,
)
from consciousness_cluster.submissions.layout import Json
from consciousness_cluster.submissions.problems import PACK, problem, shown

KAPPA = 0.8
OTHER = f"judge the run with a language model, for example --judge {REFERENCE}"


AGAIN = "judged by readers; cannot be judged again"
READERS = "readers"  # what stands for the model of a judge of readers


@dataclass
class Shipped:
    """Of the judges that ship and name their model: id -> hash, that of the form which rates audits, id -> model, and
    the hashes of each odd kind."""

    known: dict[str, str] = field(default_factory=dict)
    raters: dict[str, str] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    embedded: set[str] = field(default_factory=set)
    readers: set[str] = field(default_factory=set)


@cache
def shipped() -> Shipped:
    """All of them."""
    found = Shipped()
    for name in judge_names():
        settings = read_yaml(judge_folder(name) / "judge.yaml", "judge")
        if settings["kind"] in EMBEDDED:  # loading its weights takes a second
            found.known[name] = embedded_sha256(settings)
            found.embedded.add(found.known[name])
        elif settings["kind"] == READERS or settings["model"]:
            for paper_protocol in (False,) if settings["kind"] == READERS else (False, True):
                judge = load_judge(name, None, None, paper_protocol, {"OPENAI_API_KEY": "unused"})
                found.known[judge.id] = judge.sha256
                if isinstance(judge, LLMJudge):
                    found.models[judge.id] = judge.model
                    rater = load_judge(name, environment={"OPENAI_API_KEY": "unused"}, audits=True)
                    found.raters[rater.id] = rater.sha256
                if isinstance(judge, ReadersJudge):
                    found.models[judge.id] = READERS
                    found.readers.add(judge.sha256)
    return found


def by_readers(judge: Mapping[str, Any] | None) -> bool:
    """Whether this judge (of a submission.json, or of a card) is one of readers, whom nobody can ask again."""
    return judge is not None and judge["sha256"] in shipped().readers


def judge_problems(judge_id: str, sha256: str, model: str | None = None, audits: bool = False) -> Iterator[Problem]:
    """Problems of a judge's name and hash, and its model where that is known; they stand at submission.json.

    `audits`: the judge is of the form that rates these.
    """
    known, embedded, models = shipped().known, shipped().embedded, shipped().models
    if not judge_id.isascii():
        message = f"{judge_id!a} has letters beyond ASCII, with which it could look like another"
        yield problem("-", "judge.id", message, "give the judge a name in ASCII")
    if sha256 in embedded or known.get(judge_id) in embedded:
        yield problem("-", "judge.id", f"the judge {judge_id} is not for publication", OTHER)
        return
    known = shipped().raters if audits else known
    if known.get(judge_id, sha256) != sha256:
        message = f"is not that of the judge {judge_id} as it ships (prompt, model and settings)"
        yield problem("-", "judge.sha256", message, "judge and validate again, or give a judge of your own another id")
    elif model and models.get(judge_id, model) != model:
        yield problem("-", "judge.model", f"is {shown(model)}, the judge {judge_id} is {models[judge_id]}", PACK)


def kappa_problems(figures: Json) -> Iterator[Problem]:
    """Whether the judge agrees with the labels well enough; for all that it has no verdict on it was wrong."""
    kappa = figures["kappa"]
    if kappa is None or kappa < KAPPA:
        said = "undefined" if kappa is None else f"{kappa:.3f}"
        yield problem(
            "-", "judge.kappa", f"is {said} on the labelled answers, a submission needs {KAPPA} or more", OTHER
        )
