"""`finetune openai`: one folder is one job at OpenAI, each step recorded at once, so that it goes on after a kill."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from consciousness_cluster.files import alone_in
from consciousness_cluster.finetuning.openai_client import Jobs, Object, Service
from consciousness_cluster.finetuning.openai_job import (
    FINAL,
    HYPERPARAMETERS,
    Record,
    error_of,
    news,
    open_record,
    write_record,
)

POLL_SECONDS = 30.0  # between two looks at a job, in the end; a tenth of it at first
PROCESSED_SOON = ("uploaded", "pending", "running")  # of a file; the latter two are Azure's
FILE_LOOKS = 20  # at a file that is still being processed; then creating the job says what is wrong with it


@contextmanager
def progress_line() -> Iterator[Callable[[str], None]]:
    """Yields a function that shows a text on stderr: in place on a terminal, else one line for each change."""
    last, terminal = "", sys.stderr.isatty()

    def show(text: str) -> None:
        nonlocal last
        if text != last:
            print(f"\r\x1b[K{text}" if terminal else text, end="" if terminal else "\n", file=sys.stderr, flush=True)
        last = text

    try:
        yield show
    finally:
        if last and terminal:
            print(file=sys.stderr)


class Run:
    """Brings the job of a folder to its end, one recorded step after the other."""

    def __init__(self, folder: Path, record: Record, client: Jobs, show: Callable[[str], None]) -> None:
        self.folder, self.record, self.client, self.show = folder, record, client, show

    def _record(self, record: Record) -> None:
        if record != self.record:
            write_record(self.folder, record)
        self.record = record

    def upload(self, content: bytes) -> None:
        if self.record["file_id"] is None:
            self.show("uploading")
            file = self.client.upload_once(f"{self.record['fingerprint']}.jsonl", content)
            self._record({**self.record, "file_id": file["id"], "status": "uploaded"})

    def create(self) -> None:
        """Start the job, unless the file turns out to be bad."""
        if self.record["job_id"] is not None or self.record["status"] in FINAL:
            return
        for _ in range(FILE_LOOKS):
            file = self.client.file(self.record["file_id"])
            if file.get("status") == "error":
                problem = file.get("status_details") or "the file could not be processed"
                error = error_of(None, problem, self.client.shown)
                self._record({**self.record, "status": "failed", "error": error})
                return
            if file.get("status") not in PROCESSED_SOON:
                break
            self.show(f"{self.record['file_id']}: being processed")
            time.sleep(POLL_SECONDS / 10)
        self._record({**self.record, "job_id": self._start()["id"], "status": "created"})

    def _start(self) -> Object:
        record, recipe = self.record, self.record["recipe"]
        given = {name: recipe[name] for name in HYPERPARAMETERS if name in recipe}
        hyperparameters = {"n_epochs": recipe["epochs"], **given}
        body = {"model": record["model"], "seed": record["seed"]}
        if record["suffix"]:
            body["suffix"] = record["suffix"]
        if record["service"] == "azure":  # whose interfaces of a date know neither method nor metadata
            body["hyperparameters"] = hyperparameters
        else:
            body["method"] = {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}
            body["metadata"] = {
                "fingerprint": record["fingerprint"],
                "data_sha256": record["data"]["sha256"],
                "recipe": recipe["name"][:512],
                "made_by": record["made_by"],
            }
        return self.client.start_once(record["file_id"], **body)

    def wait(self) -> None:
        seconds = 0.0
        while self.record["status"] not in FINAL:
            time.sleep(seconds)
            seconds = min(POLL_SECONDS, max(POLL_SECONDS / 10, seconds * 1.5))
            job_id = self.record["job_id"]
            self._record(news(self.record, self.client.job(job_id), self.client.shown))
            status, tokens = self.record["status"], self.record["trained_tokens"]
            steps = self.client.steps(job_id) if status == "running" else ""
            trained = f"{tokens} tokens trained" if tokens else ""
            self.show(", ".join(part for part in (f"{job_id}: {status}", steps, trained) if part))


def finetune(
    folder: Path,
    wanted: Record,
    content: bytes,
    service: Service,
    show: Callable[[str], None] = lambda text: None,
) -> Record:
    """Upload, start and wait for the job of `folder`, or go on with it; its record, whose status is a final one.

    KeyboardInterrupt passes through: the record says how far things are. Raises UserError where it cannot go on.
    """
    with alone_in(folder):
        record = open_record(folder, wanted)
        if record["status"] in FINAL:
            return record
        client = Jobs(service)
        try:
            run = Run(folder, record, client, show)
            run.upload(content)
            run.create()
            run.wait()
            return run.record
        finally:
            client.close()
