"""Inspect's logs as our records: `import inspect LOGS --out DIR`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from consciousness_cluster.auditing.logs import ImportedAudit, audit_in, write_audit
from consciousness_cluster.auditing.roles import scrubbed
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.extras import require
from consciousness_cluster.inspect_tasks.probe_logs import ImportedRun, run_in, write_run
from consciousness_cluster.records.types import Training
from consciousness_cluster.strings import slug

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalLogInfo

KINDS = ((audit_in, write_audit), (run_in, write_run))  # what a log is of, and how logs of the same are written
MEND = "name a folder of logs that `inspect eval consciousness_cluster/probes` (or `/audit`) wrote"


def import_inspect(logs: Path, out: Path, training: Training | None) -> list[ImportedAudit | ImportedRun]:
    """Write what Inspect's logs below `logs` hold of our tasks: the answers to probes as runs, the conversations of
    audits, and what judges said of them.

    `out` is the folder itself for one model and condition (and mode of an audit), with a folder below it for each of
    several. Raises UserError.
    """
    require("inspect_ai", "audit")
    groups: dict[tuple[int, tuple[str, ...]], list[EvalLog]] = {}
    for log in _read(logs):
        for kind, (found_in, _) in enumerate(KINDS):
            if name := found_in(log):
                groups.setdefault((kind, name), []).append(log)
    if not groups:
        raise UserError(Problem(str(logs), "-", "-", "holds no log of the probes or of an audit", MEND))
    several = len(groups) > 1
    return [
        KINDS[kind][1](group, out / slug(" ".join(name)) if several else out, training)
        for (kind, name), group in groups.items()
    ]


def _begun(info: "EvalLogInfo") -> tuple[str, float]:
    """When a log was begun, to the second, by its name; and when it was written, for those of one second."""
    return Path(info.name).name.partition("_")[0], info.mtime or 0.0


def _read(logs: Path) -> Iterator["EvalLog"]:
    """The logs that hold samples, oldest first."""
    from inspect_ai.log import list_eval_logs, read_eval_log

    if not logs.exists():
        raise UserError(Problem(str(logs), "-", "-", "does not exist", MEND))
    for info in sorted(list_eval_logs(str(logs)), key=_begun):
        try:
            log = read_eval_log(info)
        except Exception as error:  # Inspect raises what its readers raise
            message = f"is no log that can be read ({scrubbed(error)})"
            raise UserError(Problem(info.name, "-", "-", message, "remove it, or restore it")) from None
        if log.samples:
            yield log
