"""Audit a model: plan, estimate, hold the conversations, resume."""

import os
import pickle
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consciousness_cluster.auditing.audit_options import AuditOptions
from consciousness_cluster.auditing.roles import Role, say_hello, scrubbed
from consciousness_cluster.auditing.spent import Till
from consciousness_cluster.auditing.wanted import Wanted
from consciousness_cluster.data.audits import Audits, Mode, load_audits
from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.endpoint.faults import INTERRUPTED, OVER_BUDGET
from consciousness_cluster.endpoint.loop import run_async
from consciousness_cluster.endpoint.price import Price, cost, price_of, tokens
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.audit_folder import (
    going_on,
    open_audit_folder,
    read_audit,
    read_audit_run,
    settled,
)
from consciousness_cluster.records.audit_types import (
    AUTHORED,
    AuditRun,
    Conversation,
    Talk,
    conversation_key,
    make_conversation,
)
from consciousness_cluster.records.store import Store

TYPICAL, RUBRIC, REASON = 250, 1200, 120  # tokens of an answer, of a judge's prompt and of its reply, for estimates
CACHE = "cache"  # Inspect's, below the audit's folder
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Held:
    """What a round did in one folder: statuses of new conversations, how many were there, how many the audit has."""

    folder: Path
    planned: int
    there: int
    new: Counter[str]


@dataclass(frozen=True)
class Round:
    """A whole round: each folder, US dollars that it spent and that all conversations there cost (None: unknown), and
    why it stopped (None: it did not)."""

    held: tuple[Held, ...]
    spent: float | None
    total: float | None
    stopped: str | None


def estimate(options: AuditOptions, judge_model: str | None = None) -> dict[str, dict[str, Any]]:
    """Role -> calls, tokens and price of what is still to be held, before the first call. Nothing is touched.

    Of a judge it is one call for each of these conversations.
    """
    roles = options.roles()
    todo = [one for folder, run in options.runs(roles).items() for one in _open(folder, run, options.wanted())]
    names = {name: role.name for name, role in roles.items()} | ({"judge": judge_model} if judge_model else {})
    found = {}
    for role, model in names.items():
        usages = [_usage_of(role, one, options.mode) for one in todo]
        usage = {name: sum(one[name] for one in usages) for name in ("calls", "prompt_tokens", "completion_tokens")}
        found[role] = {"conversations": len(todo), **usage, "dollars": cost(price_of(model), [usage])}
    return found


def _usage_of(role: str, one: Wanted, mode: Mode) -> dict[str, int]:
    """About what a role uses in one conversation; each call reads all that was said before it."""
    script = load_audits().script
    turns = script.turns(one.scenario, one.index)
    asked = (*one.scenario.turns[:turns], *script.endings[mode])
    whole = sum(map(tokens, asked)) + TYPICAL * len(asked)
    if role == "judge":
        return {"calls": 1, "prompt_tokens": RUBRIC + whole, "completion_tokens": REASON}
    calls = turns if role == "auditor" else len(asked)
    return {"calls": calls, "prompt_tokens": calls * whole // 2, "completion_tokens": calls * TYPICAL}


def _open(folder: Path, run: AuditRun, wanted: Sequence[Wanted]) -> list[Wanted]:
    """What a folder lacks."""
    there = read_audit_run(folder)
    if there is None:
        return list(wanted)
    done = _done(read_audit(folder).conversations)
    return [one for one in wanted if conversation_key(there, one.scenario, one.index) not in done]


def _done(records: Sequence[Conversation]) -> set[str]:
    """Conversations that came to an end of some kind. One with an error is held again."""
    return {record["key"] for record in records if record["status"] != "error"}


def _prices(roles: Mapping[str, Role], max_cost: float | None) -> dict[str, Price | None]:
    prices = {name: price_of(role.name) for name, role in roles.items()}
    for name, price in prices.items():
        if max_cost is not None and price is None:
            unknown = f"that of the {name} {roles[name].name} is unknown"
            raise UserError(f"--max-cost needs a price, and {unknown}; see reference/prices.yaml")
    return prices


def run_audit(
    options: AuditOptions, max_cost: float | None = None, progress: Progress = lambda done, total: None
) -> Round:
    """Hold every conversation that the folders lack.

    `max_cost` is in dollars and for all that these folders hold. Raises UserError where a model cannot be used, before
    anything is paid for, or a conversation cannot be written down.
    """
    roles = options.roles()
    runs, prices = options.runs(roles), _prices(roles, max_cost)
    for folder, run in runs.items():
        going_on(folder, run)
    if any(_open(folder, run, options.wanted()) for folder, run in runs.items()):
        run_async(_hello(options))  # before there is a folder, which a model that cannot be used would have for itself
    with ExitStack() as stack:
        begun = {folder: stack.enter_context(open_audit_folder(folder)) for folder in runs}
        settings = {folder: writer.begin(runs[folder]) for folder, writer in begun.items()}
        stores = {folder: stack.enter_context(writer.conversations()) for folder, writer in begun.items()}
        work = [_Work(settings[folder], stores[folder], options.wanted()) for folder in runs]
        before = sum(_cost(prices, one.store.records) for one in work)
        before = max(before, _kept(options.out / CACHE, roles, prices))  # conversations that are not at their end too
        till = Till(prices, max_cost, before)
        todo = sum(len(one.todo) for one in work)
        if todo:
            progress(0, todo)
            with _cache_in(options.out / CACHE):
                stopped = _hold_all(work, roles, options, till, lambda: progress(sum(w.new for w in work), todo))
        else:
            stopped = None
        held = tuple(one.held(folder) for folder, one in zip(runs, work, strict=True))
    known = all(price is not None for price in prices.values())
    return Round(held, till.spent - before if known else None, till.spent if known else None, stopped)


async def _hello(options: AuditOptions) -> None:
    """One tiny call of each model, by clients of their own: those of the audit belong to Inspect's loop."""
    for role in options.roles().values():
        await say_hello(role)


def _cost(prices: Mapping[str, Price | None], records: Sequence[Conversation]) -> float:
    """US dollars that conversations cost, as far as prices are known."""
    dollars = 0.0
    for record in settled(records):
        for name, usage in (("target", record["usage"]["target"]), ("auditor", record["usage"]["auditor"])):
            dollars += cost(prices.get(name), [usage]) or 0.0
    return dollars


def _kept(cache: Path, roles: Mapping[str, Role], prices: Mapping[str, Price | None]) -> float:
    """US dollars that the replies cost which Inspect has kept, as far as prices are known."""
    from consciousness_cluster.auditing.solver import counted

    folders = {cache / "generate" / str(role.model): prices[name] for name, role in roles.items()}
    dollars = 0.0
    for folder, price in folders.items():
        for path in folder.glob("*"):
            with suppress(Exception):  # a reply that a kill cut: Inspect asks for it again
                _, output = pickle.loads(path.read_bytes())  # noqa: S301 (written by this very audit)
                dollars += cost(price, [counted(output)]) or 0.0
    return dollars


class _Work:
    """The conversations of one folder."""

    def __init__(self, run: AuditRun, store: Store[Conversation], wanted: Sequence[Wanted]) -> None:
        self.run, self.store = run, store
        done = _done(store.records)
        keys = {conversation_key(run, one.scenario, one.index): one for one in wanted}
        self.planned, self.there = len(run["scenarios"]) * run["epochs"], len(done)
        self.todo = [one for key, one in keys.items() if key not in done]
        self.before = len(store.records)

    @property
    def new(self) -> int:
        return len(self.store.records) - self.before

    def write(self, audits: Audits, scenario_id: str, index: int, talk: Talk) -> None:
        """Write a conversation down."""
        scenario = next(one for one in audits.scenarios if one.id == scenario_id)
        prompt = self.run["system_prompt"]
        sha256 = sha256_text(prompt) if prompt else None
        turns = audits.script.turns(scenario, index)
        self.store.append(make_conversation(self.run, scenario, index, turns, sha256, talk))

    def held(self, folder: Path) -> Held:
        """What became of it."""
        new = Counter(str(record["status"]) for record in self.store.records[self.before :])
        return Held(folder, self.planned, self.there, new)


@contextmanager
def _cache_in(folder: Path) -> Iterator[None]:
    """Inspect keeps replies in this folder meanwhile. They are pickles, so that it is never one from elsewhere."""
    name = "INSPECT_CACHE_DIR"
    before = os.environ.get(name)
    os.environ[name] = str(folder.resolve())
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _hold_all(
    work: Sequence[_Work], roles: Mapping[str, Role], options: AuditOptions, till: Till, report: Callable[[], None]
) -> str | None:
    """Let Inspect hold them. Why it stopped early, None where it did not."""
    from inspect_ai import eval as inspect_eval

    from consciousness_cluster.auditing.solver import Firsts, Within
    from consciousness_cluster.auditing.tasks import make_task

    audits = load_audits()

    def sink_of(one: _Work) -> Callable[[str, int, Talk], None]:
        def sink(scenario: str, index: int, talk: Talk) -> None:
            try:
                one.write(audits, scenario, index, talk)
            except OSError as error:
                till.stop(error)
                raise
            report()

        return sink

    tasks, firsts = [], Firsts()
    for one in work:
        if one.todo:
            within = Within(sink_of(one), till, one.run["run_id"], firsts)
            run = one.run
            auditor = AUTHORED if run["auditor"]["model"] == AUTHORED else "model"
            tasks.append(
                make_task(run["mode"], run["condition"], run["system_prompt"], one.todo, auditor, False, within)
            )
    target = roles["target"].model
    settings = {"max_tokens": work[0].run["max_tokens"], "temperature": work[0].run["temperature"]}
    target.config = target.config.model_copy(update=settings)
    others: dict[str, Any] = {name: role.model for name, role in roles.items() if name != "target"}
    try:
        logs = inspect_eval(
            tasks,
            model=target,
            model_roles=others,
            log_dir=str(options.out / "logs"),
            display="none",
            ctl_server=False,
            max_samples=options.concurrency,
            max_tasks=len(tasks),
            log_model_api=False,
            log_realtime=False,
            score=False,
        )
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # Inspect's own: it says nothing itself, since its display is off
        raise UserError(f"Inspect cannot hold the audit ({scrubbed(error)}); mend that, and go on") from None
    if till.error:
        raise till.error
    if till.over:
        return OVER_BUDGET
    failed = [log.error.message for log in logs if log.error]
    failed += [sample.error.message for log in logs for sample in log.samples or [] if sample.error]
    if failed:
        return scrubbed(Exception(failed[0]))
    # After Ctrl-C Inspect returns as if nothing had been, without the logs of what it cancelled. Each conversation that
    # came to some end is written down.
    return INTERRUPTED if any(one.new < len(one.todo) for one in work) else None
