"""Sampling through OpenAI's Batch API: half the price, answers within 24 hours, in files instead of calls.

What was submitted stands in `batch.json`, so that any later process goes on with it instead of paying twice.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from consciousness_cluster.data.reading import read_json
from consciousness_cluster.data.rows import Topic
from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.endpoint.blocking import AGAIN, Refused
from consciousness_cluster.endpoint.faults import Kind
from consciousness_cluster.endpoint.forms import Forms
from consciousness_cluster.endpoint.replies import Body, chat_body
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.files import write_whole
from consciousness_cluster.records.run_folder import Setting
from consciousness_cluster.records.store import Store
from consciousness_cluster.records.types import Answered, Sample, make_failed, make_sample
from consciousness_cluster.sampling.batch_client import BatchClient
from consciousness_cluster.sampling.batch_lines import Line, parts, read_line, request_line
from consciousness_cluster.sampling.plan import Request, requests

MOST_LINES, MOST_BYTES = 50_000, 200_000_000  # OpenAI's limits of one batch
ROUNDS = 3  # without a single new answer
INTENDED = "intended"  # the file is uploaded; whether the batch exists is known to the endpoint alone
FINAL = ("completed", "failed", "expired", "cancelled")
NOT_RUN = ("batch_expired", "batch_cancelled")  # codes of lines that the batch never came to


@dataclass
class Batch:
    """One batch as `batch.json` remembers it. A final status is written once all its answers are in the store."""

    input_file_id: str
    asked: int  # lines
    created: str  # ISO 8601, UTC
    id: str | None = None
    status: str = INTENDED
    ignored: dict[str, int] = field(default_factory=dict)  # lines of no use, by reason


def _said(error: Any) -> str:
    """Message or code of an error object, which may lack either."""
    fields = error if isinstance(error, dict) else vars(error) if hasattr(error, "__dict__") else {}
    return str(fields.get("message") or fields.get("code") or "")


class State:
    """The batches of a run, in `batch.json`. Every change is written at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.batches: list[Batch] = []
        if path.is_file():
            mend = "mend it, or delete it, and answers that wait in open batches are asked for again"
            value = read_json(path, mend=mend)
            try:
                self.batches = [Batch(**fields) for fields in value["batches"]]
            except (TypeError, KeyError):
                raise UserError(Problem(str(path), "-", "-", "cannot be read", mend)) from None

    def open(self) -> list[Batch]:
        return [batch for batch in self.batches if batch.status not in FINAL]

    def write(self) -> None:
        content = {"batches": [asdict(batch) for batch in self.batches]}
        write_whole(self.path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


@dataclass
class Batches:
    """All batches of a run, until nothing is missing."""

    setting: Setting
    topics: Sequence[Topic]
    store: Store[Sample]
    client: BatchClient
    state: State
    say: Callable[[str], None]
    poll_seconds: float
    report: Callable[[Counter[str]], None]
    learned: Callable[[Mapping[str, str]], None] = lambda sent: None
    answered: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, str] = field(default_factory=dict)  # why keys have no answer, where their line says so
    trouble: str = ""  # what happened to the last batch
    end: str = ""  # why no other batch would be answered either

    def __post_init__(self) -> None:
        self.forms = Forms(self.client.endpoint.fields)
        self.done = {record["key"] for record in self.store.records if record["status"] != "error"}
        self.expected = {
            self.setting.key(request.probe, index): (request, index)
            for request in requests(self.topics, self.setting, ())
            for index in request.indices
        }

    def run(self) -> None:
        """Go on with open batches, then submit what is missing, until it is there or no round helps any more."""
        self._settle_intentions()
        stalled = 0
        while True:
            if not self.state.open():
                missing = requests(self.topics, self.setting, self.done)
                if not missing:
                    return
                if stalled >= ROUNDS:
                    self._give_up()
                    return
                if stalled:
                    time.sleep(self.poll_seconds)
                self._submit(missing)
            before = len(self.done), len(self.forms.changed)
            self._collect()
            if self.end:
                raise UserError(Problem(self.client.endpoint.shown, "-", "-", self.end, f"mend that; {AGAIN}"))
            stalled = stalled + 1 if before == (len(self.done), len(self.forms.changed)) else 0

    def _settle_intentions(self) -> None:
        """A process was stopped around creating a batch: take the batch over if it exists, else forget the file."""
        for batch in self.state.open():
            if batch.id is None:
                found = self.client.find(batch.input_file_id)
                if found:
                    batch.id, batch.status = found.id, "validating"
                else:
                    self.state.batches.remove(batch)
                self.state.write()

    def _body(self, request: Request) -> Body:
        """What is sent for one answer, in the form that the endpoint takes as far as it is known."""
        setting = self.setting
        messages = setting.messages(request.probe)
        body = chat_body(setting.model, messages, setting.temperature, setting.max_tokens)
        return self.forms.fit(self.client.endpoint.body(body))

    def _submit(self, missing: Sequence[Request]) -> None:
        lines = [
            request_line(self.setting.key(request.probe, index), self._body(request))
            for request in missing
            for index in request.indices
        ]
        for part in parts(lines, MOST_LINES, MOST_BYTES):
            try:
                self._submit_part(part)
            except Refused as error:
                mend = "mend that, or sample without the Batch API"
                raise UserError(replace(error.problem, mend=mend)) from None

    def _submit_part(self, part: Sequence[bytes]) -> None:
        created = datetime.now(UTC).isoformat(timespec="seconds")
        file_id = self.client.upload(b"".join(part))
        batch = Batch(file_id, len(part), created)
        self.state.batches.append(batch)
        self.state.write()  # before the batch exists, so that it is found after a kill
        batch.id, batch.status = self.client.create(file_id, self.setting.run_id).id, "validating"
        self.state.write()
        self.say(f"{batch.id}: asked for {batch.asked} answers")

    def _collect(self) -> None:
        """Wait for all open batches, and write down what each gave."""
        wait = self.poll_seconds / 10
        while True:
            for batch in self.state.open():
                try:
                    self._look_after(batch)
                except Refused as error:
                    mend = f"use the key that {batch.id} was made with, or delete {self.state.path} to ask again"
                    raise UserError(replace(error.problem, mend=mend)) from None
            if not self.state.open():
                return
            time.sleep(wait)
            wait = min(self.poll_seconds, wait * 1.5)

    def _look_after(self, batch: Batch) -> None:
        now = self.client.retrieve(str(batch.id))
        if now.status in FINAL:
            self._fetch(batch, now)
        elif now.status != batch.status:
            batch.status = str(now.status)
            self.state.write()
            self.say(f"{batch.id}: {batch.status}")

    def _fetch(self, batch: Batch, now: Any) -> None:
        """The answers of a finished batch into the store, then its status into the state."""
        before, ignored = len(self.done), Counter[str]()
        counts = getattr(now, "request_counts", None)
        for file, count in (("output_file_id", "completed"), ("error_file_id", "failed")):
            if file_id := getattr(now, file, None):
                ignored += self._take(self.client.lines(file_id, getattr(counts, count, None) or 0))
        batch.ignored, batch.status = dict(ignored), str(now.status)
        self.state.write()
        errors = getattr(getattr(now, "errors", None), "data", None) or []
        reason = self.client.shown(_said(errors[0])) if errors else ""
        self.trouble = f"{batch.id} {batch.status}" + (f": {reason}" if reason else "")
        left = f"; ignored: {', '.join(f'{n} {why}' for why, n in ignored.items())}" if ignored else ""
        self.say(f"{self.trouble}; {len(self.done) - before} of {batch.asked} answers{left}")

    def _take(self, lines: Sequence[str]) -> Counter[str]:
        """Write down the answers of a file; the lines that are of no use, counted by reason."""
        answers: dict[str, Answered] = {}
        ignored = Counter[str]()
        for text in lines:
            line = read_line(text)
            if line is None:
                ignored["unreadable"] += 1
            elif line.key not in self.expected:
                ignored["unknown"] += 1
            elif line.key in self.done or line.key in answers:
                ignored["repeated"] += 1
            elif line.answer:
                answers[line.key] = line.answer
            elif line.fault and line.fault.kind is Kind.FILTERED:
                answers[line.key] = make_failed("content_filter", self.client.shown(line.reason))
            elif line.code not in NOT_RUN:
                self._failed(line)
        self._write(answers)
        return ignored

    def _failed(self, line: Line) -> None:
        self.reasons[line.key] = self.client.shown(line.reason)
        if line.fault and line.fault.fatal:
            self.end = self.end or self.client.shown(str(line.fault))
        sent = self._body(self.expected[line.key][0])
        if line.fault and (changes := self.forms.changes(sent, line.fault)):
            self.forms.learn(changes)
            self.learned(self.forms.sent())
            self.say(f"from now on: {', '.join(self.forms.notes())}")

    def _sample(self, key: str, answer: Answered) -> Sample:
        request, index = self.expected[key]
        return make_sample(self.setting, request.topic.id, request.probe, index, answer)

    def _write(self, answers: dict[str, Answered]) -> None:
        self.store.extend(self._sample(key, answer) for key, answer in answers.items())
        self.done |= {key for key, answer in answers.items() if answer["status"] != "error"}
        statuses = Counter(str(answer["status"]) for answer in answers.values())
        self.answered += statuses
        if statuses:
            self.report(statuses)

    def _give_up(self) -> None:
        """Write down the answers whose lines failed with a reason. Raises UserError for those without one."""
        missing = [key for key in self.expected if key not in self.done]
        known = {key: self.reasons[key] for key in missing if key in self.reasons}
        there = {record["key"] for record in self.store.records}
        self._write({key: make_failed("error", reason) for key, reason in known.items() if key not in there})
        if known:
            self.say(f"{len(known)} answers failed in every round, e.g.: {next(iter(known.values()))}")
        if len(known) < len(missing):
            message = f"{len(missing) - len(known)} answers are missing after {ROUNDS} rounds without a new one"
            raise UserError(f"{message} (last: {self.trouble}); mend the cause, or sample without the Batch API")


def sample_by_batch(
    setting: Setting,
    topics: Sequence[Topic],
    store: Store[Sample],
    endpoint: Endpoint,
    folder: Path,
    say: Callable[[str], None],
    poll_seconds: float = 30.0,
    report: Callable[[Counter[str]], None] = lambda statuses: None,
    learned: Callable[[Mapping[str, str]], None] = lambda sent: None,
) -> Counter[str]:
    """Ask for every answer that the store lacks, in batches; the statuses of the records that were written.

    `folder/batch.json` remembers what was submitted: after a kill the same call goes on. `say` gets a line for each
    thing that happens, `report` the statuses of answers just written, `learned` what is sent in place of what is asked
    for. The wait between two looks at a batch grows from a tenth of `poll_seconds` to `poll_seconds`. Raises UserError
    where it cannot go on.
    """
    client = BatchClient(endpoint)
    try:
        batches = Batches(
            setting, topics, store, client, State(folder / "batch.json"), say, poll_seconds, report, learned
        )
        batches.run()
        return batches.answered
    finally:
        client.close()
