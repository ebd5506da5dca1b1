"""The files and batches of OpenAI's Batch API, which tests cannot reach, on a local socket. They can misbehave."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.fake_endpoint import completion
from tests.support.http import Handler, LocalServer

Made = dict[str, Any]
SLOW = 0.7  # seconds
PAGE = 2  # batches in one page of the list: small, so that finding one takes several


def answered(custom_id: str, body: Any) -> Made:
    """An output line with a reply."""
    return {
        "id": "batch_req",
        "custom_id": custom_id,
        "response": {"status_code": 200, "request_id": "r", "body": body},
        "error": None,
    }


def refused(custom_id: str, status: int, message: str, code: str | None = None) -> Made:
    """A line whose request was answered with an HTTP error."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return {**answered(custom_id, {"error": error}), "response": {"status_code": status, "body": {"error": error}}}


def failed(custom_id: str, code: str, message: str) -> Made:
    """A line whose request was never answered."""
    return {"id": "batch_req", "custom_id": custom_id, "response": None, "error": {"code": code, "message": message}}


def plain(custom_id: str, body: Made) -> Made:
    return answered(custom_id, completion(f"Answer to {custom_id[:8]}."))


@dataclass
class Plan:
    """What becomes of one batch."""

    polls: int = 1  # how often it is looked at before it is final
    status: str = "completed"
    share: float = 1.0  # of its lines that are run at all
    line: Callable[[str, Made], Made] = plain  # the line that a custom_id and its body give
    before: list[str] = field(default_factory=list)  # raw lines ahead of the others in the output file
    errors: list[str] = field(default_factory=list)  # messages on the batch itself


class _Handler(Handler):
    disable_nagle_algorithm = True  # head and body are two writes; else each reply takes 40 ms

    def do_GET(self) -> None:
        owner: FakeBatches = self.server.owner  # type: ignore[attr-defined]
        address = urlsplit(self.path)
        parts = address.path.removeprefix("/v1/").split("/")
        if parts[0] == "files":
            self._reply("content", lambda: owner.content(parts[1]))
        elif len(parts) == 2:
            self._reply("retrieve", lambda: owner.retrieve(parts[1]))
        else:
            self._reply("list", lambda: owner.page(parse_qs(address.query).get("after", [""])[0]))

    def do_POST(self) -> None:
        owner: FakeBatches = self.server.owner  # type: ignore[attr-defined]
        data = self.body()
        if self.path == "/v1/files":
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            form = {
                part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
                for part in message_from_bytes(head + data).get_payload()  # type: ignore[union-attr]
            }
            self._reply("upload", lambda: owner.upload(form))
        else:
            self._reply("create", lambda: owner.create(json.loads(data)))

    def _reply(self, route: str, act: Callable[[], tuple[int, Any]]) -> None:
        """Do it and say so, unless the test planned a fault: an HTTP status, or one that comes after it was done."""
        owner: FakeBatches = self.server.owner  # type: ignore[attr-defined]
        with owner.lock:
            owner.calls.append(route)
            owner.keys.append(self.headers.get("Authorization", ""))
            fault = owner.faults[route].pop(0) if owner.faults.get(route) else None
            if isinstance(fault, int):
                self.send(fault, {"error": {"message": f"no: {owner.keys[-1]}"}}, {"Retry-After": "0.01"})
                return
            status, payload = act()
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        if fault == "slow":
            time.sleep(SLOW)
            self.close_connection = True
            return
        if fault == "torn":  # whole as HTTP, but not all of it
            self.send(status, data[: len(data) * 3 // 5])
        elif fault == "short":  # half of its lines
            lines = data.splitlines(keepends=True)
            self.send(status, b"".join(lines[: len(lines) // 2]))
        elif fault == "cut":  # less than its header promises
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
        elif fault == "lost":  # no reply at all
            self.close_connection = True
        elif fault == "garbage":
            self.send(status, b'{"not": "what was asked for"}')
        else:
            self.send(status, data)


class FakeBatches(LocalServer):
    """`plans` are those of the batches in the order of their creation; the last one holds for all that follow.

    `faults[route]` are taken one a request, for the routes upload, create, retrieve, list and content: None,
    an HTTP status, or what becomes of the reply to a request that was carried out: "torn", "short", "cut", "lost",
    "slow" or "garbage".
    """

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.lock = threading.Lock()
        self.plans: list[Plan] = [Plan()]
        self.faults: dict[str, list[int | str | None]] = {}
        self.calls: list[str] = []
        self.keys: list[str] = []
        self.files: dict[str, bytes] = {}
        self.batches: list[Made] = []
        self.asked: list[list[str]] = []  # custom_ids by batch
        self.bodies: list[Made] = []  # of all requests in all batches
        self._looks: dict[str, int] = {}

    def upload(self, form: dict[Any, Any]) -> tuple[int, Any]:
        if form["purpose"] != b"batch":
            return 400, {"error": {"message": "wrong purpose"}}
        file_id = self._keep(form["file"])
        about = {"object": "file", "bytes": len(form["file"]), "created_at": 0, "filename": "x", "purpose": "batch"}
        return 200, {"id": file_id, "status": "processed", **about}

    def create(self, wanted: Made) -> tuple[int, Any]:
        """Only what the API takes: a known file, one custom_id a line, the right address, strings as metadata."""
        lines = [json.loads(line) for line in self.files[wanted["input_file_id"]].splitlines()]
        ids = [line["custom_id"] for line in lines]
        valid = (
            wanted["endpoint"] == "/v1/chat/completions"
            and wanted["completion_window"] == "24h"
            and all((line["method"], line["url"]) == ("POST", wanted["endpoint"]) for line in lines)
            and 0 < len(set(ids)) == len(ids) <= 50_000
            and all(len(custom_id) <= 64 for custom_id in ids)
            and all(isinstance(value, str) and len(value) <= 512 for value in wanted["metadata"].values())
        )
        if not valid:
            return 400, {"error": {"message": "not a valid batch"}}
        self.asked.append(ids)
        self.bodies += [line["body"] for line in lines]
        batch = {"id": f"batch_{len(self.batches) + 1}", "object": "batch", "created_at": 0, **wanted}
        self.batches.append({**batch, "status": "validating", "output_file_id": None, "error_file_id": None})
        return 200, self.batches[-1]

    def retrieve(self, batch_id: str) -> tuple[int, Any]:
        number = next((n for n, batch in enumerate(self.batches) if batch["id"] == batch_id), None)
        if number is None:
            return 404, {"error": {"message": f"No batch found with id '{batch_id}'."}}
        plan, batch = self.plans[min(number, len(self.plans) - 1)], self.batches[number]
        looks = self._looks[batch_id] = self._looks.get(batch_id, 0) + 1
        if looks <= plan.polls:
            batch["status"] = "in_progress"
        elif batch["status"] != plan.status:
            batch["status"] = plan.status
            self._finish(batch, plan)
        return 200, batch

    def page(self, after: str) -> tuple[int, Any]:
        """Newest first."""
        batches = self.batches[::-1]
        start = next((n + 1 for n, batch in enumerate(batches) if batch["id"] == after), 0)
        data = batches[start : start + PAGE]
        return 200, {"object": "list", "data": data, "has_more": start + PAGE < len(batches)}

    def content(self, file_id: str) -> tuple[int, Any]:
        return (200, self.files[file_id]) if file_id in self.files else (404, {"error": {"message": "No such file"}})

    def _keep(self, content: bytes) -> str:
        file_id = f"file-{len(self.files) + 1}"
        self.files[file_id] = content
        return file_id

    def _finish(self, batch: Made, plan: Plan) -> None:
        lines = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
        if plan.errors:
            batch["errors"] = {"object": "list", "data": [{"code": "x", "message": text} for text in plan.errors]}
        if plan.status == "failed":
            return
        run = int(len(lines) * plan.share)
        made = [plan.line(line["custom_id"], line["body"]) for line in lines[:run]]
        made += [failed(line["custom_id"], f"batch_{plan.status}", "Not run.") for line in lines[run:]]
        good = [line for line in made if (line["response"] or {}).get("status_code") == 200]
        for name, part in (("output_file_id", good), ("error_file_id", [line for line in made if line not in good])):
            batch["request_counts"] = {"total": len(lines), "completed": len(good), "failed": len(made) - len(good)}
            texts = [*(plan.before if name == "output_file_id" else []), *(json.dumps(line) for line in part)]
            if texts:
                batch[name] = self._keep("".join(text + "\n" for text in texts).encode())
