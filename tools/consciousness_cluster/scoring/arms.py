"""Which runs are one arm: those that differ in the seed of their training alone. And how arms are called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from consciousness_cluster.conditions import fixed_prompts
from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.errors import UserError
from consciousness_cluster.scoring.load import Scored
from consciousness_cluster.scoring.types import RunFields

Details = Mapping[str, str | None]  # what a short label leaves out, in words -> value
SHOWN = 12  # characters of a hash or a commit, enough to tell two apart


class HasFields(Protocol):
    """Scores of any kind: where they come from, and of which run they are."""

    @property
    def path(self) -> Path: ...

    @property
    def fields(self) -> RunFields: ...


AnyScored = TypeVar("AnyScored", bound=HasFields)


@dataclass(frozen=True, eq=False)  # an arm is known by being it: comparing all its numbers would be slow
class ArmOf(Generic[AnyScored]):
    """Runs that share everything but the seed of their training."""

    label: str
    runs: tuple[AnyScored, ...]

    @property
    def base(self) -> str | None:
        """The model that was fine-tuned; None of a model that was not."""
        training = self.runs[0].fields["training"]
        return training["base"] if training else None

    @property
    def trained(self) -> bool:
        return self.base is not None


Arm = ArmOf[Scored]


def _prompt(run: RunFields) -> str | None:
    """Hash of the system prompt. Results of forced choice alone have none, and name a condition that has one."""
    if run["system_prompt_sha256"]:
        return run["system_prompt_sha256"]
    fixed = fixed_prompts().get(run["condition"])
    return sha256_text(fixed) if fixed else None


def details(run: RunFields) -> Details:
    """What tells runs apart beside the names in a label: base model or revision, and the system prompt.

    A fine-tune has no revision here: each seed is a model of its own, and has one of its own.
    """
    training, prompt = run["training"], _prompt(run)
    return {
        "fine-tuned from": training["base"] if training else None,
        "revision": None if training or not run["revision"] else run["revision"][:SHOWN],
        "system prompt": prompt and prompt[:SHOWN],
    }


def told_apart(labels: Sequence[str], all_details: Sequence[Details]) -> list[str]:
    """The labels, each with those of its details in which another of the same label differs."""
    found = []
    for label, own in zip(labels, all_details, strict=True):
        others = [other for name, other in zip(labels, all_details, strict=True) if name == label]
        told = [
            f"{word} {value}" for word, value in own.items() if value and any(other[word] != value for other in others)
        ]
        found.append(", ".join([label, *told]))
    return found


def _label(run: RunFields) -> str:
    """Training set, recipe and condition; without training the model and the condition."""
    training = run["training"]
    who = " ".join(filter(None, (training["dataset"], training["recipe"]))) if training else run["model"]
    return who if run["condition"] == "vanilla" else f"{who} under {run['condition']}"


def arms_of(runs: Sequence[AnyScored]) -> list[ArmOf[AnyScored]]:
    """Arms in the order in which their first run is given.

    Runs of different base models, revisions of an untrained model, conditions or system prompts are never one arm.
    """
    groups: dict[tuple[str, tuple[str | None, ...]], list[AnyScored]] = {}
    for run in runs:
        about = run.fields
        groups.setdefault((_label(about), tuple(details(about).values())), []).append(run)
    for (label, _), members in groups.items():
        trainings = [member.fields["training"] for member in members]
        seeds = [training and training["seed"] for training in trainings]
        if len(members) > 1 and (None in seeds or len(set(seeds)) < len(seeds)):
            paths = ", ".join(str(member.path) for member in members)
            message = f"{paths} are of one condition ({label}) without training seeds that tell them apart"
            options = "--trained-on, --base-model and --training-seed"
            raise UserError(f"{message}; give one of them, or {options} when sampling or importing")
    firsts = [members[0].fields for members in groups.values()]
    labels = told_apart([_label(run) for run in firsts], [details(run) for run in firsts])
    return [ArmOf(label, tuple(members)) for label, members in zip(labels, groups.values(), strict=True)]
