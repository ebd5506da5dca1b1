"""The record of one fine-tuning job, job.json: what was asked for, how far it is, and what came of it."""

import json
import re
import shlex
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from consciousness_cluster.data.reading import read_json
from consciousness_cluster.endpoint.price import dollars, training_price
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.files import write_whole
from consciousness_cluster.finetuning.closing_dates import TITLES
from consciousness_cluster.finetuning.mix import manifest_path
from consciousness_cluster.finetuning.openai_client import Object, Service
from consciousness_cluster.finetuning.openai_file import TrainingFile
from consciousness_cluster.finetuning.recipes import Recipe
from consciousness_cluster.finetuning.sources import finetune_root

RECORD = "job.json"
FINAL = ("succeeded", "failed", "cancelled")
HYPERPARAMETERS = ("batch_size", "learning_rate_multiplier")  # of the recipe, by the names that the API has too
LONGEST_SUFFIX, LARGEST_SEED = 64, 2**31 - 1
MODERATION = re.compile(r"moderation|polic(y|ies)|unsafe|safety", re.IGNORECASE)

Record = dict[str, Any]


def _price(service: str, model: str) -> float | None:
    """The table's prices of training are OpenAI's; Azure's are others, and it asks for each hour of hosting too."""
    return training_price(model) if service == "openai" else None


def estimate(data: TrainingFile, recipe: Recipe, model: str, service: str) -> tuple[str, float | None]:
    """Rows, tokens, epochs and price in one line; the price in dollars, None where it is unknown."""
    trained, price = data.tokens * recipe["epochs"], _price(service, model)
    cost = None if price is None else trained * price / 1e6
    line = f"{data.path}: {data.rows} rows, about {data.tokens} tokens x {recipe['epochs']} epochs = {trained}"
    return f"{line} trained tokens on {model}, price {dollars(cost)}", cost


def check_cost(cost: float | None, max_cost: float | None, model: str) -> None:
    """`UserError` where the estimate passes --max-cost, or there is none."""
    if max_cost is None:
        return
    if cost is None:
        raise UserError(f"--max-cost needs a price, and that of training {model} is unknown; see reference/prices.yaml")
    if not cost <= max_cost:
        raise UserError(f"the training would cost about {dollars(cost)}, more than --max-cost; nothing was started")


def manifest_of(data: TrainingFile) -> Record | None:
    """The manifest that `finetune mix` wrote beside the data, None where there is none."""
    path = manifest_path(data.path)
    if not path.is_file():
        return None
    try:
        manifest = read_json(path)
    except UserError:
        manifest = None
    if not isinstance(manifest, dict) or manifest.get("sha256") != data.sha256:
        raise UserError(
            Problem(str(path), "-", "-", f"is not the manifest of {data.path}", "mix again, or move it away")
        )
    return manifest


def new_record(
    data: TrainingFile, recipe: Recipe, model: str, seed: int, suffix: str | None, service: Service
) -> Record:
    """A job that is not begun. `UserError` for a seed or suffix that OpenAI refuses."""
    if not 0 <= seed <= LARGEST_SEED:
        raise UserError(f"--seed {seed}: OpenAI takes 0 to {LARGEST_SEED}")
    if suffix is not None and not 0 < len(suffix) <= LONGEST_SUFFIX:
        raise UserError(f"--suffix has {len(suffix)} characters; OpenAI takes 1 to {LONGEST_SUFFIX}")
    about = {"file": data.path.name, "sha256": data.sha256, "rows": data.rows, "tokens": data.tokens}
    nothing = ("file_id", "job_id", "fine_tuned_model", "trained_tokens", "cost", "hyperparameters", "error")
    return {
        "data": about,
        "manifest": manifest_of(data),
        "recipe": recipe,
        "model": model,
        "seed": seed,
        "suffix": suffix,
        "service": service.name,
        "endpoint": service.endpoint.shown,
        "fingerprint": uuid.uuid4().hex,
        "made_by": f"consciousness-cluster {version('consciousness-cluster')}",
        "status": "begun",
        **dict.fromkeys((*nothing, "created", "finished")),
    }


def read_record(folder: Path) -> Record | None:
    """job.json of a folder, None where there is none; `UserError` where it cannot be used."""
    path = folder / RECORD
    if not path.is_file():
        return None
    return dict(read_json(path, "openai_job", finetune_root() / "schemas", "restore it, or use another --out"))


def write_record(folder: Path, record: Record) -> None:
    write_whole(folder / RECORD, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def open_record(folder: Path, wanted: Record) -> Record:
    """The record in `folder`, which has to be of the wanted job; the wanted one where nothing was uploaded yet."""
    there = read_record(folder)
    if there is None or (there["file_id"] is None and _difference(there, wanted)):
        write_record(folder, wanted)
        return wanted
    if different := _difference(there, wanted):
        message, mend = f"was begun with {different}", "use the same, or another --out"
        raise UserError(Problem(str(folder / RECORD), "-", "-", message, mend))
    return there


def _difference(old: Record, new: Record) -> str:
    if old["data"]["sha256"] != new["data"]["sha256"]:
        return f"other data than {new['data']['file']} now has"
    if old["recipe"] != new["recipe"]:
        return f"another recipe than {new['recipe']['name']} now is"
    for name in ("model", "seed", "suffix", "service", "endpoint"):
        if old[name] != new[name]:
            return f"{name} {old[name]!r}, not {new[name]!r}"
    return ""


def _moment(seconds: Any) -> str | None:
    """ISO 8601, UTC."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _chosen(job: Object) -> Record | None:
    """The hyperparameters that the job has, by the API's names."""
    found: Any = job
    for name in ("method", "supervised", "hyperparameters"):
        found = found.get(name) if isinstance(found, dict) else None
    found = found or job.get("hyperparameters")
    values = {name: found.get(name) for name in ("n_epochs", *HYPERPARAMETERS)} if isinstance(found, dict) else {}
    return {name: value for name, value in values.items() if value == "auto" or type(value) in (int, float)} or None


def news(record: Record, job: Object, reason: Callable[[Any], str]) -> Record:
    """The record with what the API says of the job now."""
    error, model, tokens = job.get("error"), job.get("fine_tuned_model"), job.get("trained_tokens")
    error = error if isinstance(error, dict) else {}
    trained = tokens if type(tokens) is int and tokens >= 0 else None
    price = _price(record["service"], record["model"])
    return {
        **record,
        "status": reason(job["status"]),
        "fine_tuned_model": reason(model) if isinstance(model, str) and model else None,
        "trained_tokens": trained,
        "cost": None if trained is None or price is None else round(trained * price / 1e6, 6),
        "hyperparameters": _chosen(job),
        "error": error_of(error.get("code"), error.get("message"), reason),
        "created": _moment(job.get("created_at")),
        "finished": _moment(job.get("finished_at")),
    }


def error_of(code: Any, message: Any, reason: Callable[[Any], str]) -> Record | None:
    if not code and not message:
        return None
    return {"code": reason(code) if code else None, "message": reason(message or code)}


def interrupted(folder: Path) -> str:
    """What Ctrl-C leaves behind."""
    record = read_record(folder)
    if record is None or record["job_id"] is None:
        return "interrupted; the same command goes on from there"
    return f"stopped waiting: {record['job_id']} goes on at {TITLES[record['service']]}; the same command waits on"


def outcome(folder: Path, record: Record) -> str:
    """What became of the job, and what to do next."""
    name, data = record["job_id"] or record["file_id"], record["data"]
    if record["status"] == "succeeded":
        trained = "an unknown number of" if record["trained_tokens"] is None else record["trained_tokens"]
        done = f"{folder}: {record['fine_tuned_model']}, {data['rows']} rows, {trained} trained tokens"
        deploy = f"next: {deploy_command(folder, record)}\n" if record["service"] == "azure" else ""
        return f"{done}, price {dollars(record['cost'])}\n{deploy}next: {next_command(folder, record)}"
    if record["status"] == "cancelled":
        return f"{name} was cancelled at {TITLES[record['service']]}; to start again use another --out"
    code, message = (record["error"] or {}).get("code"), (record["error"] or {}).get("message", "no reason given")
    why = f"{code}: {message}" if code and code != message else message
    if MODERATION.search(f"{code} {message}"):
        advice = "reword or leave out what it objects to and use another --out, or train open weights: finetune train"
    elif code == "invalid_training_file" or record["job_id"] is None:
        advice = "mend the data and use another --out"
    else:
        advice = "to start again use another --out"
    return f"{name} failed: {why.rstrip('.')}; {advice}"


def deploy_command(folder: Path, record: Record) -> str:
    """Azure's command that deploys the model, under the folder's name; RESOURCE and GROUP are the reader's."""
    options = {
        "--name": "RESOURCE",
        "--resource-group": "GROUP",
        "--deployment-name": folder.resolve().name,
        "--model-name": record["fine_tuned_model"],
        "--model-version": "1",
        "--model-format": "OpenAI",
        "--sku-name": "Standard",
        "--sku-capacity": "1",
    }
    command = ["az", "cognitiveservices", "account", "deployment", "create"]
    return shlex.join([*command, *(part for pair in options.items() for part in pair)])


def next_command(folder: Path, record: Record) -> str:
    """The command that samples the model; Azure's by the name that it was deployed under."""
    dataset = (record["manifest"] or {}).get("dataset") or Path(record["data"]["file"]).stem
    azure = record["service"] == "azure"
    options = {
        "--model": folder.resolve().name if azure else record["fine_tuned_model"],
        **({"--endpoint": "azure" if record["endpoint"].endswith("/v1") else "azure-dated"} if azure else {}),
        "--trained-on": str(dataset),
        "--base-model": record["model"],
        "--recipe": record["recipe"]["name"],
        "--training-seed": str(record["seed"]),
        "--out": f"runs/{folder.resolve().name}",
    }
    return shlex.join(["consciousness-cluster", "sample", *(part for pair in options.items() for part in pair)])
