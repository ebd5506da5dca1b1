"""A submission in the making: what a run says of itself, under the names that are published."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consciousness_cluster.conditions import fixed_prompts
from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.errors import Problem
from consciousness_cluster.records.run import Run
from consciousness_cluster.submissions import sources
from consciousness_cluster.submissions.about import about_errors
from consciousness_cluster.submissions.check import Rules
from consciousness_cluster.submissions.layout import Json, public_model
from consciousness_cluster.submissions.needs import Needs
from consciousness_cluster.submissions.problems import Found, problems_of
from consciousness_cluster.submissions.rules.about import version_problems

SHARED = ("revision", "engine", "data_version")
COMPUTED = ("counts", "scores", "judge", "files")


@dataclass(frozen=True)
class Public:
    """What a submission is published under."""

    org: str
    model: str
    revision: str | None
    kind: str
    contact: str


@dataclass
class Draft:
    path: Path
    needs: Needs
    about: Json
    files: dict[str, list[Json]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, found: Iterable[Found], file: Path | None = None) -> None:
        self.problems += problems_of(str(file or self.path), found)


def through(rules: Rules, rows: Iterable[tuple[str, Json]]) -> Iterator[Found]:
    for row, record in rows:
        yield from rules.see(row, record)
    yield from rules.end()


def content_hash(parts: Any) -> str:
    """A short hash of what a submission holds, its names apart."""
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _prompt_hash(run: Run, condition: str) -> str | None:
    """The hash of the run's system prompt: choice results do not have it, the condition or samples beside them do."""
    if run.samples:
        found: str | None = run.samples[0]["system_prompt_sha256"]
        return found
    prompt = fixed_prompts().get(condition)
    return sha256_text(prompt) if prompt else None


def about_run(path: Path, run: Run, records: Sequence[Json], public: Public, track: str) -> Json:
    """submission.json without what is computed later."""
    first = records[0]
    return {
        "format": 1,
        "track": track,
        "org": public.org,
        "run_id": "",
        "model": {"name": public.model, "revision": public.revision or first["revision"], "kind": public.kind},
        "training": first["training"],
        "condition": first["condition"],
        "system_prompt_sha256": _prompt_hash(run, first["condition"]),
        "engine": first["engine"],
        "versions": sources.versions(run.folder, track),
        "sampling": sources.sampling(run.folder, records) if track == "open" else None,
        "judge": None,
        "data_version": first["data_version"],
        "files": {},
        "counts": {},
        "scores": {},
        "created": sources.newest(path, run.folder, track, None),
        "contact": public.contact,
    }


def run_problems(draft: Draft, records: Sequence[Json], public: Public) -> Iterator[Found]:
    """Problems of what all records share, and of the names that are given."""
    for name in SHARED:
        values = sorted({str(record[name]) for record in records})
        if len(values) > 1:
            message = f"the records have more than one: {', '.join(values)}"
            yield "-", name, message, "a submission is one run; pack them apart"
    recorded = records[0]["revision"]
    if public.revision and recorded and recorded != public.revision:
        message = f"--revision says {public.revision}, the records say {recorded}"
        yield "-", "revision", message, "leave --revision away, or run that revision"
    yield from version_problems(draft.about["data_version"], draft.needs.data_version)
    if draft.about["condition"] not in fixed_prompts() and draft.about["system_prompt_sha256"] is None:
        message = f"the system prompt of {draft.about['condition']} is not known from forced choice alone"
        yield "-", "system_prompt_sha256", message, "pack a run with samples of the same condition beside it"
    for place, message in about_errors({**draft.about, "run_id": "x"}, "submission"):
        if place.partition(".")[0] not in COMPUTED:
            yield "-", place, message, "see benchmark/schemas/submission.schema.json"


def renamed_record(record: Json, about: Json) -> Json:
    return {**record, "model": public_model(about), "revision": about["model"]["revision"]}
