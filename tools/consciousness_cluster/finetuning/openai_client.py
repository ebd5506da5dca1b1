"""The files and jobs of OpenAI's fine-tuning API, at OpenAI and at Azure, as plain JSON objects."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from consciousness_cluster.data.reading import parse_json
from consciousness_cluster.endpoint import OPENAI
from consciousness_cluster.endpoint.address import Endpoint, key_in
from consciousness_cluster.endpoint.blocking import ACCESS, BlockingClient
from consciousness_cluster.endpoint.faults import Kind
from consciousness_cluster.errors import UserError
from consciousness_cluster.extras import require

TIMEOUT = 120.0  # seconds, for one call
SETTLE = 5.0  # seconds until a list shows what a call made whose reply was lost
MEND = "mend that and run the same command again; with other settings use another --out"

Object = dict[str, Any]


@dataclass(frozen=True)
class Service:
    """Where jobs run. Azure's interfaces of a date (`api_version`) are called in another way than its /openai/v1."""

    name: Literal["openai", "azure"]
    endpoint: Endpoint
    api_version: str | None = None


def openai_service() -> Service:
    """OpenAI, by OPENAI_BASE_URL and OPENAI_API_KEY."""
    base_url = _address("OPENAI_BASE_URL") or OPENAI
    return Service("openai", Endpoint(base_url, _key("OPENAI_API_KEY"), TIMEOUT))


def azure_service() -> Service:
    """Azure, by AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and, for the interface of a date, OPENAI_API_VERSION."""
    address = _address("AZURE_OPENAI_ENDPOINT")
    if not address:
        raise UserError("there is no resource: set AZURE_OPENAI_ENDPOINT, such as https://NAME.openai.azure.com")
    resource = address.removesuffix("/v1").removesuffix("/openai")
    version = os.environ.get("OPENAI_API_VERSION", "").strip() or None
    if version == "v1" or address.endswith("/v1"):
        version = None
    base_url = f"{resource}/openai" if version else f"{resource}/openai/v1"
    return Service("azure", Endpoint(base_url, _key("AZURE_OPENAI_API_KEY"), TIMEOUT), version)


def _address(variable: str) -> str:
    address = os.environ.get(variable, "").strip().rstrip("/")
    if address and not address.startswith(("http://", "https://")):
        raise UserError(f"{variable} is no address of an endpoint; it starts with http:// or https://")
    return address


def _key(variable: str) -> str:
    key = key_in(variable, os.environ)
    if not key:
        raise UserError(f"there is no key: set {variable}")
    return key


def _object(raw: Any, *names: str) -> Object:
    """The body of a reply. Raises ValueError where it is no object, or lacks one of these texts."""
    value = parse_json(raw.content)
    if not isinstance(value, dict) or not all(isinstance(value.get(name), str) and value[name] for name in names):
        raise ValueError("not what was asked for")
    return value


def _listed(page: Callable[..., Any]) -> Iterator[Object]:
    """Everything in a list, page by page."""
    after: dict[str, str] = {}
    while True:
        found = _object(page(limit=100, **after))
        items = found.get("data")
        if not isinstance(items, list) or not all(
            isinstance(item, dict) and isinstance(item.get("id"), str) for item in items
        ):
            raise ValueError("not a list")
        yield from items
        if not items or not found.get("has_more"):
            return
        after = {"after": items[-1]["id"]}


class Jobs(BlockingClient):
    """One client for all calls. Which calls are tried again, and how often, is decided as for the Batch API.

    What makes something is never just repeated: it looks first whether the thing is there.
    """

    longest_reason = 1000  # moderation lists what it found
    mends = {  # noqa: RUF012
        Kind.ACCESS: ACCESS,
        Kind.MODEL: "check --model, the address, and that the key is of the project that began this",
        Kind.REQUEST: MEND,
        Kind.FILTERED: MEND,
    }

    def __init__(self, service: Service) -> None:
        super().__init__(service.endpoint)
        if service.api_version:  # its key goes into another header, the version into each address
            self._openai = require("openai", "openai").AzureOpenAI(
                base_url=service.endpoint.base_url,
                api_key=service.endpoint.key,
                api_version=service.api_version,
                max_retries=0,
                timeout=TIMEOUT,
            )
        self._files = self._openai.files.with_raw_response
        self._jobs = self._openai.fine_tuning.jobs.with_raw_response

    def upload_once(self, name: str, content: bytes) -> Object:
        """The file of this name, uploaded where it is not there yet."""
        return self._once(
            "uploading the data",
            lambda: next((f for f in _listed(self._list_files) if f.get("filename") == name), None),
            lambda: _object(self._files.create(file=(name, content), purpose="fine-tune"), "id"),
        )

    def file(self, file_id: str) -> Object:
        return self._call(f"asking after {file_id}", lambda: _object(self._files.retrieve(file_id), "id"))

    def start_once(self, training_file: str, **body: Any) -> Object:
        """The job that trains on this file, which is of one job alone; created where there is none."""
        return self._once(
            "creating the job",
            lambda: next((job for job in _listed(self._jobs.list) if job.get("training_file") == training_file), None),
            lambda: _object(self._jobs.create(training_file=training_file, **body), "id"),
        )

    def job(self, job_id: str) -> Object:
        """Raises UserError where it keeps being a success without a model."""

        def look() -> Object:
            job = _object(self._jobs.retrieve(job_id), "id", "status")
            if job["status"] == "succeeded" and not job.get("fine_tuned_model"):
                raise ValueError("a success without a model")
            return job

        return self._call(f"asking after {job_id}", look)

    def steps(self, job_id: str) -> str:
        """How far the training is, as the newest event with numbers says; empty where none does or none can be had."""
        import openai

        try:
            events = _object(self._jobs.list_events(job_id, limit=20)).get("data")
        except (openai.OpenAIError, ValueError):
            return ""
        for event in events if isinstance(events, list) else []:
            numbers = event.get("data") if isinstance(event, dict) else None
            if isinstance(numbers, dict) and type(numbers.get("step")) is int:
                total, loss = numbers.get("total_steps"), numbers.get("train_loss")
                of = f" of {total}" if type(total) is int else ""
                return f"step {numbers['step']}{of}" + (f", loss {loss:.3f}" if isinstance(loss, float) else "")
        return ""

    def _list_files(self, **page: Any) -> Any:
        return self._files.list(purpose="fine-tune", **page)

    def _once(self, what: str, find: Callable[[], Object | None], make: Callable[[], Object]) -> Object:
        tried = False

        def attempt() -> Object:
            nonlocal tried
            if tried:
                time.sleep(SETTLE)
            tried = True
            return find() or make()

        return self._call(what, attempt)
