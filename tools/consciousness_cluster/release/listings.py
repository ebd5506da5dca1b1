"""`data listings`: what others list this benchmark by, as it is sent to them. Same input, same bytes."""

import json
import re
import subprocess
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import yaml

from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.files import write_whole
from consciousness_cluster.pages.page import fill
from consciousness_cluster.paths import project_root
from consciousness_cluster.release.build import check_org
from consciousness_cluster.release.card import names
from consciousness_cluster.release.configs import CLUSTER, card_schemas
from consciousness_cluster.release.harness_folder import harness_folder

# What Inspect's register lists: task -> its file in the repository.
INSPECT_TASKS = {
    "probes": "tools/consciousness_cluster/inspect_tasks/probes.py",
    "audit": "tools/consciousness_cluster/auditing/tasks.py",
}
COMMIT = re.compile(r"[0-9a-f]{40}")


def listings(org: str, github: str, commit: str) -> dict[str, str]:
    """Path -> text of everything that is sent. `github` is OWNER/NAME, `commit` the whole id that a register pins.

    `UserError` where one of the three is none.
    """
    if not COMMIT.fullmatch(commit):
        raise UserError(f"'{commit}' is no commit; give all 40 digits of its id, as `git rev-parse HEAD` prints them")
    _check(org, github)
    fields = names(CLUSTER, "Consciousness Cluster", org)
    found = {f"lm_eval_pull_request/{path}": text for path, text in harness_folder(fields).items()}
    root = project_root() / "hub_card"
    about = {**fields, **_of_package(), "github": github, "owner": github.partition("/")[0], "commit": commit}
    about |= {"preferences": load_benchmark().preferences, "tasks": list(INSPECT_TASKS.items())}
    entry = fill(root / "inspect_register" / "eval.yaml.jinja", about)
    deposit = fill(root / "zenodo" / "metadata.json.jinja", about)
    _hold(yaml.safe_load(entry), "register_entry")
    _hold(json.loads(deposit), "deposit")
    found |= {
        "inspect_register/consciousness_cluster/eval.yaml": entry,
        "zenodo/metadata.json": deposit,
        "llms.txt": llms_txt(org, github),
    }
    return dict(sorted(found.items()))


def llms_txt(org: str, github: str) -> str:
    """What a language model that meets the site reads first (llmstxt.org). `UserError` as for `listings`."""
    _check(org, github)
    fields = names(CLUSTER, "Consciousness Cluster", org)
    about = {**fields, "github": github, "canary": load_benchmark().canary}
    return fill(project_root() / "hub_card" / "llms.txt.jinja", about)


def write_listings(out: Path, org: str, github: str, commit: str | None) -> list[Path]:
    """Write them below `out`, and return the files. Without `commit` it is the one that is checked out."""
    made = listings(org, github, commit or _checked_out(project_root()))
    for path, text in made.items():
        write_whole(out / path, text)
    return [out / path for path in made]


def _check(org: str, github: str) -> None:
    check_org(org)
    if not re.fullmatch(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+", github):
        raise UserError(f"'{github}' is no repository on GitHub; give it as OWNER/NAME")


def _checked_out(root: Path) -> str:
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        raise UserError(f"{root}: is no git checkout, so that no commit is known; give --commit") from None


def _of_package() -> dict[str, Any]:
    about = metadata("consciousness-cluster")
    keywords = [word.strip() for word in about["Keywords"].split(",")]
    return {"description": about["Summary"], "keywords": keywords, "canary": load_benchmark().canary}


def _hold(value: Any, schema: str) -> None:
    for problem in schema_errors(value, schema, card_schemas()):
        raise UserError(f"hub_card: the {schema.replace('_', ' ')} has not its shape: {problem}")
