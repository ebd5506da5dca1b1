"""The files and jobs of OpenAI's fine-tuning API, which tests cannot reach, on a local socket. They can misbehave."""

import json
import threading
import time
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.fake_batch import _Handler as Misbehaving
from tests.support.http import LocalServer

Made = dict[str, Any]
PAGE = 2  # items in one page of a list
CREATED = 1_770_000_000
FINAL = ("succeeded", "failed", "cancelled")
METADATA_KEYS, KEY_LENGTH, VALUE_LENGTH = 16, 64, 512


class _Handler(Misbehaving):
    def do_GET(self) -> None:
        owner: FakeFinetuning = self.server.owner  # type: ignore[attr-defined]
        if refusal := owner.refuses(self.path, self.headers):
            self.send(*refusal)
            return
        address = urlsplit(self.path)
        after = parse_qs(address.query).get("after", [""])[0]
        parts = address.path.removeprefix(f"{owner.root}/").split("/")
        if parts == ["files"]:
            self._reply("files", lambda: owner.page(owner.files, after))
        elif parts[0] == "files":
            self._reply("file", lambda: owner.look_at_file(parts[1]))
        elif parts == ["fine_tuning", "jobs"]:
            self._reply("jobs", lambda: owner.page(owner.jobs, after))
        elif parts[-1] == "events":
            self._reply("events", lambda: owner.events(parts[2]))
        else:
            self._reply("job", lambda: owner.look_at_job(parts[2]))

    def do_POST(self) -> None:
        owner: FakeFinetuning = self.server.owner  # type: ignore[attr-defined]
        data = self.body()
        if refusal := owner.refuses(self.path, self.headers):
            self.send(*refusal)
        elif urlsplit(self.path).path == f"{owner.root}/files":
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            parts: Any = message_from_bytes(head + data).get_payload()
            self._reply("upload", lambda: owner.upload(parts))
        else:
            self._reply("create", lambda: owner.create(json.loads(data)))


class FakeFinetuning(LocalServer):
    """`ends` is what becomes of every job: fields of the job once it is final. `path` are its statuses before that.

    `faults[route]` are taken one a request, for the routes files, upload, file, jobs, create, job and events; see
    FakeBatches. `hold` names a route whose replies wait, after the request was carried out, until `release` is set.
    """

    root = "/v1"

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.lock = threading.RLock()
        self.release = threading.Event()
        self.hold: str | None = None
        self.held = threading.Event()
        self.faults: dict[str, list[int | str | None]] = {}
        self.calls: list[str] = []
        self.keys: list[str] = []
        self.files: list[Made] = []
        self.contents: list[bytes] = []
        self.jobs: list[Made] = []
        self.bodies: list[Made] = []
        self.file_statuses = ["processed"]  # one a look; the last one stays
        self.status_details: str | None = None
        self.path = ["validating_files", "queued", "running", "running"]
        self.ends: Made = {"status": "succeeded", "fine_tuned_model": "ft:gpt:org::abc", "trained_tokens": 3000}

    def __exit__(self, *_: Any) -> None:
        self.release.set()
        super().__exit__()

    def refuses(self, path: str, headers: Any) -> tuple[int, Any] | None:
        """The reply to a request that is put in a wrong way."""
        return None

    def upload(self, parts: Any) -> tuple[int, Any]:
        form = {part.get_param("name", header="content-disposition"): part for part in parts}
        name, content = form["file"].get_filename(), form["file"].get_payload(decode=True)
        if form["purpose"].get_payload(decode=True) != b"fine-tune" or not name.endswith(".jsonl"):
            return 400, {"error": {"message": "wrong purpose or name"}}
        about = {"object": "file", "bytes": len(content), "created_at": CREATED, "purpose": "fine-tune"}
        self.files.append({"id": f"file-{len(self.files) + 1}", "filename": name, "status": "uploaded", **about})
        self.contents.append(content)
        return self._after("upload", self.files[-1])

    def look_at_file(self, file_id: str) -> tuple[int, Any]:
        file = next((one for one in self.files if one["id"] == file_id), None)
        if file is None:
            return 404, {"error": {"message": f"No such File object: {file_id}"}}
        file["status"] = self.file_statuses[0]
        if len(self.file_statuses) > 1:
            self.file_statuses.pop(0)
        return self._after("file", {**file, "status_details": self.status_details})

    def create(self, wanted: Made) -> tuple[int, Any]:
        """Only what the API takes: a known file, a supervised method, seed and suffix in range, short metadata."""
        hyperparameters = wanted["method"]["supervised"]["hyperparameters"]
        metadata = wanted["metadata"]
        valid = (
            any(file["id"] == wanted["training_file"] for file in self.files)
            and wanted["method"]["type"] == "supervised"
            and 1 <= hyperparameters["n_epochs"] <= 50
            and 0 <= wanted["seed"] < 2**31
            and (wanted.get("suffix") is None or 0 < len(wanted["suffix"]) <= 64)
            and len(metadata) <= METADATA_KEYS
            and all(len(key) <= KEY_LENGTH and len(value) <= VALUE_LENGTH for key, value in metadata.items())
        )
        if not valid:
            return 400, {"error": {"message": "not a valid job"}}
        self.bodies.append(wanted)
        chosen = {"batch_size": "auto", "learning_rate_multiplier": "auto", **hyperparameters}
        job = {
            "id": f"ftjob-{len(self.jobs) + 1}",
            "object": "fine_tuning.job",
            "created_at": CREATED,
            "status": "validating_files",
            "error": {"code": None, "message": None, "param": None},  # as the API does while there is none
            "fine_tuned_model": None,
            "trained_tokens": None,
            "finished_at": None,
            **{name: wanted[name] for name in ("model", "training_file", "seed", "metadata")},
            "method": {"type": "supervised", "supervised": {"hyperparameters": chosen}},
            "looks": 0,
        }
        self.jobs.append(job)
        return self._after("create", job)

    def look_at_job(self, job_id: str) -> tuple[int, Any]:
        job = next((one for one in self.jobs if one["id"] == job_id), None)
        if job is None:
            return 404, {"error": {"message": f"Could not find fine tune: {job_id}"}}
        if job["looks"] < len(self.path):
            job["status"] = self.path[job["looks"]]
        elif job["status"] not in FINAL:
            job.update(self.ends, finished_at=CREATED + 3600)
            if job["status"] == "succeeded":
                chosen = {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 2.0}
                job["method"]["supervised"]["hyperparameters"] = chosen
        job["looks"] += 1
        return self._after("job", job)

    def events(self, job_id: str) -> tuple[int, Any]:
        """Newest first."""
        step = next(job["looks"] for job in self.jobs if job["id"] == job_id)
        numbers = {"step": step, "total_steps": 30, "train_loss": 1.5 / step}
        made = [
            {"id": "e2", "message": "New fine-tuned model", "data": {}, "type": "message"},
            {"id": "e1", "message": f"Step {step}", "data": numbers, "type": "metrics"},
        ]
        return self._after("events", {"object": "list", "data": made, "has_more": False})

    def page(self, items: list[Made], after: str) -> tuple[int, Any]:
        """Newest first."""
        newest = items[::-1]
        start = next((n + 1 for n, item in enumerate(newest) if item["id"] == after), 0)
        found = {"object": "list", "data": newest[start : start + PAGE], "has_more": start + PAGE < len(newest)}
        return self._after("files" if items is self.files else "jobs", found)

    def _after(self, route: str, payload: Any) -> tuple[int, Any]:
        """The reply, which waits where the test holds it."""
        if route == self.hold:
            self.held.set()
            while not self.release.is_set():
                time.sleep(0.01)
        return 200, payload


class FakeAzure(FakeFinetuning):
    """A resource of Azure's: one interface of the year (`version` is None), or that of a date, which knows less.

    A key in another header, a missing or superfluous version, and a body with what the interface does not know are
    refused. Its files are being processed under other names, and its jobs carry no metadata.
    """

    def __init__(self, version: str | None) -> None:
        super().__init__()
        self.version = version
        self.given: list[str] = []  # keys
        self.root = "/openai" if version else "/openai/v1"
        self.resource = self.url.removesuffix("/v1")
        self.file_statuses = ["pending", "running", "processed"]
        self.path = ["pending", "running"]
        self.ends = {**self.ends, "fine_tuned_model": "gpt-4.1-2025-04-14.ft-abc"}

    def refuses(self, path: str, headers: Any) -> tuple[int, Any] | None:
        """401 without the key in its place, 404 at another address or version."""
        address = urlsplit(path)
        if not (headers.get("api-key") if self.version else headers.get("Authorization")):
            return 401, {"error": {"message": "Access denied due to invalid subscription key"}}
        if parse_qs(address.query).get("api-version") != (self.version and [self.version]):
            return 404, {"error": {"message": "Resource not found"}}
        self.given.append(headers.get("api-key") or headers["Authorization"])
        return None if address.path.startswith(f"{self.root}/") else (404, {"error": {"message": "Resource not found"}})

    def create(self, wanted: Made) -> tuple[int, Any]:
        """A job whose hyperparameters stand where both interfaces have them."""
        if {"method", "metadata"} & set(wanted) or "hyperparameters" not in wanted:
            return 400, {"error": {"message": "Unrecognized request argument supplied"}}
        chosen = wanted["hyperparameters"]
        whole = {**wanted, "metadata": {}, "method": {"type": "supervised", "supervised": {"hyperparameters": chosen}}}
        status, job = super().create(whole)
        if status == 200:
            self.bodies[-1] = wanted
            job["hyperparameters"] = chosen
            job["metadata"] = None
        return status, job
