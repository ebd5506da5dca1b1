"""A submission in the making: what is packed, what keeps it from being one, and how its folder is written."""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from consciousness_cluster.conditions import fixed_prompts
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.submissions.check import Rules, check_submission
from consciousness_cluster.submissions.layout import MANIFEST, Json, folder_of, public_model
from consciousness_cluster.submissions.manifest import version_problems
from consciousness_cluster.submissions.needs import Needs
from consciousness_cluster.submissions.packed import packed, written
from consciousness_cluster.submissions.problems import of_file, problem

SHARED = ("engine", "data_version")
COMPUTED = ("counts", "scores", "judge", "files")
REASON = re.compile(r"[A-Za-z_]{1,40}")  # a finish reason, not an error that names addresses of a network


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
    """A submission in the making: its manifest, the records of its files, and what keeps it from being one."""

    path: Path
    needs: Needs
    manifest: Json
    files: dict[str, list[Json]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, problems: Iterable[Problem], file: Path | None = None) -> None:
        """Take over problems of a file, by default the run's own."""
        self.problems += of_file(file or self.path, problems)


def begun(first: Mapping[str, Any], public: Public, track: str, prompt_sha256: str | None, **own: Any) -> Json:
    """submission.json before anything is computed: `first` is a record, `own` what the track adds."""
    return {
        "format": 1,
        "track": track,
        "org": public.org,
        "run_id": "",
        "model": {"name": public.model, "revision": public.revision or first["revision"], "kind": public.kind},
        "training": first["training"],
        "condition": first["condition"],
        "system_prompt_sha256": prompt_sha256,
        "engine": first["engine"],
        "versions": {"consciousness-cluster": version("consciousness-cluster")},
        "sampling": None,
        "judge": None,
        "auditor": None,
        "data_version": first["data_version"],
        "files": {},
        "counts": {},
        "scores": {},
        "created": "",
        "contact": public.contact,
        **own,
    }


def run_problems(draft: Draft, records: Sequence[Mapping[str, Any]], public: Public) -> Iterator[Problem]:
    """Problems of what all records share, and of the names that are given."""
    for name in SHARED:
        values = sorted({str(record[name]) for record in records})
        if len(values) > 1:
            message = f"the records have more than one: {', '.join(values)}"
            yield problem("-", name, message, "a submission is one run; pack them apart")
    recorded = records[0]["revision"]
    if public.revision and recorded and recorded != public.revision:
        message = f"--revision says {public.revision}, the records say {recorded}"
        yield problem("-", "revision", message, "leave --revision away, or run that revision")
    yield from version_problems(draft.manifest["data_version"], draft.needs.data_version)
    if draft.manifest["condition"] not in fixed_prompts() and draft.manifest["system_prompt_sha256"] is None:
        message = f"the system prompt of {draft.manifest['condition']} is not known from forced choice alone"
        yield problem("-", "system_prompt_sha256", message, "pack a run with samples of the same condition beside it")
    for one in schema_errors({**draft.manifest, "run_id": "x"}, "submission"):
        if one.field.partition(".")[0] not in COMPUTED:
            yield one


def through(rules: Rules, records: Iterable[tuple[str, Json]]) -> Iterator[Problem]:
    for row, record in records:
        yield from rules.see(row, record)
    yield from rules.end()


def content_hash(parts: Any) -> str:
    """A short hash of what a submission holds, its names apart."""
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def renamed(record: Mapping[str, Any], manifest: Json) -> Json:
    """A record under the names that are published."""
    return {**record, "model": public_model(manifest), "revision": manifest["model"]["revision"]}


def public_reason(reason: str | None) -> str | None:
    """A finish reason, None for what may name addresses of a network."""
    return reason if reason and REASON.fullmatch(reason) else None


def newest(paths: Iterable[Path]) -> str:
    """The time of the newest file that is packed, so that packing again gives the same."""
    seconds = max((one.stat().st_mtime for one in paths if one.is_file()), default=0.0)
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%dT%H:%M:%SZ}"


def write_draft(draft: Draft, out: Path) -> Path:
    """Write the folder aside, verify it there, and move it to its place. The same run gives the same bytes."""
    data = {}
    for name, records in draft.files.items():
        data[name] = packed(b"".join(written(record) + b"\n" for record in records))
    draft.manifest["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in data.items()}
    data[MANIFEST] = (json.dumps(draft.manifest, indent=2, ensure_ascii=False) + "\n").encode()
    place = out / folder_of(draft.manifest)
    if place.exists():
        if all((place / name).is_file() and (place / name).read_bytes() == content for name, content in data.items()):
            return place
        raise UserError(f"{place}: is there already, with other content; remove it to pack the run anew")
    out.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".pack-", dir=out))
    try:
        folder = aside / folder_of(draft.manifest)
        folder.mkdir(parents=True)
        for name, content in data.items():
            (folder / name).write_bytes(content)
        found = check_submission(folder, draft.needs).problems
        draft.problems += [replace(one, file=one.file.replace(f"{aside}/", "")) for one in found]
        if not draft.problems:
            place.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(place)
    finally:
        shutil.rmtree(aside)
    return place
