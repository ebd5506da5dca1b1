"""Where the parts of a submission lie and what they are called. See benchmark/schemas/submission.schema.json."""

import re
from pathlib import PurePosixPath
from typing import Any

from consciousness_cluster.data.audits import Mode

Json = dict[str, Any]

MANIFEST, VERIFIED = "submission.json", "verified.json"
CHOICE, SAMPLES, VERDICTS = "choice.jsonl.zst", "samples.jsonl.zst", "verdicts.jsonl.zst"
JUDGE_VALIDATION = "judge_validation.jsonl.zst"
CONVERSATIONS, RATINGS = "audit.jsonl.zst", "ratings.jsonl.zst"
AUDITS: dict[str, Mode] = {"audit_self_report": "self_report", "audit_behavioral": "behavioral"}  # track -> its mode
FILES = {
    "choice": (CHOICE,),
    "open": (SAMPLES, VERDICTS, JUDGE_VALIDATION),
    **dict.fromkeys(AUDITS, (CONVERSATIONS, RATINGS)),
}
SCHEMAS = {
    CHOICE: "choice_result",
    SAMPLES: "sample",
    VERDICTS: "verdict",
    JUDGE_VALIDATION: "verdict",
    CONVERSATIONS: "audit",
    RATINGS: "rating",
}

RESPONSES = 20_000  # of a submission, and choice results likewise
CONVERSATIONS_MOST = 5_000  # of a submission
BYTES = 200_000_000  # of all files of a submission, unpacked
MANIFEST_BYTES = 1_000_000  # of submission.json and of verified.json
MOST_RECORDS = {
    CHOICE: RESPONSES,
    SAMPLES: RESPONSES,
    VERDICTS: 2 * RESPONSES,
    JUDGE_VALIDATION: RESPONSES,
    CONVERSATIONS: CONVERSATIONS_MOST,
    RATINGS: CONVERSATIONS_MOST,
}


def slug(name: str) -> str:
    """A name as a folder is called."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)


def folder_of(manifest: Json) -> PurePosixPath:
    """The folder of a submission, below submissions/."""
    model = f"{slug(manifest['org'])}__{slug(manifest['model']['name'])}"
    return PurePosixPath(model, slug(manifest["condition"]), slug(manifest["run_id"]))


def public_model(manifest: Json) -> str:
    """What the records call the model."""
    return f"{manifest['org']}/{manifest['model']['name']}"


def shared_fields(manifest: Json) -> Json:
    """Field of a sample, choice result or conversation -> what it is in all of them."""
    names = ("training", "condition", "engine", "data_version")
    return {
        "model": public_model(manifest),
        "revision": manifest["model"]["revision"],
        **{name: manifest[name] for name in names},
    }
