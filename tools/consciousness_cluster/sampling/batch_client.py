"""The files and batches of the Batch API."""

from typing import Any

from consciousness_cluster.endpoint.blocking import BlockingClient
from consciousness_cluster.sampling.batch_lines import URL, read_line

FIELDS = ("id", "status", "input_file_id")
DOWNLOADS = 3  # of a file whose last line is torn


class BatchClient(BlockingClient):
    """The files and batches of the Batch API."""

    def upload(self, content: bytes) -> str:
        """The id of the file. After a fault a second copy may lie there, which costs nothing."""
        file = ("batch.jsonl", content)
        create = self._openai.files.create
        return str(self._call("uploading", lambda: _whole(create(file=file, purpose="batch"), "id")).id)

    def create(self, input_file_id: str, run_id: str) -> Any:
        """A batch of this file. A fault may hide that it was created: looks for it before creating again."""
        tried = False

        def attempt() -> Any:
            nonlocal tried
            found = self._look_for(input_file_id) if tried else None
            tried = True
            return found or _whole(
                self._openai.batches.create(
                    input_file_id=input_file_id,
                    endpoint=URL,
                    completion_window="24h",
                    metadata={"run": run_id[:512], "input_file": input_file_id},
                ),
                *FIELDS,
            )

        return self._call("creating a batch", attempt)

    def find(self, input_file_id: str) -> Any:
        """The batch of this file; None where there is none."""
        return self._call("listing the batches", lambda: self._look_for(input_file_id))

    def retrieve(self, batch_id: str) -> Any:
        retrieve = self._openai.batches.retrieve
        return self._call(f"asking after {batch_id}", lambda: _whole(retrieve(batch_id), *FIELDS))

    def lines(self, file_id: str, number: int) -> list[str]:
        """The lines of a file that are not blank. Fetches it again where it is torn or has fewer than `number`."""
        found: list[str] = []
        for _ in range(DOWNLOADS):
            content = self._call(f"fetching {file_id}", lambda: self._openai.files.content(file_id).content)
            text = content.decode("utf-8", "replace")
            found = [line for line in text.split("\n") if line.strip()]
            if len(found) >= number and (not found or text.endswith("\n") or read_line(found[-1])):
                break
        return found

    def _look_for(self, input_file_id: str) -> Any:
        for page in self._openai.batches.list(limit=100).iter_pages():
            for batch in _whole(page, "data").data:
                if batch.input_file_id == input_file_id:
                    return batch
        return None


def _whole(reply: Any, *fields: str) -> Any:
    """The reply. Raises ValueError where it lacks a field: the client takes any JSON, and text, for what it expects."""
    if any(getattr(reply, name, None) is None for name in fields):
        raise ValueError("not what was asked for")
    return reply
