"""The manifest, submission.json: read strictly, since what one reader passes over another may believe; and its rules.

verified.json is read in the same way.
"""

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import Any

from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.errors import Problem
from consciousness_cluster.records.audit_types import AUTHORED
from consciousness_cluster.submissions.judge_rules import judge_problems
from consciousness_cluster.submissions.layout import AUDITS, MANIFEST_BYTES, Json, folder_of
from consciousness_cluster.submissions.needs import Needs, condition_fits
from consciousness_cluster.submissions.packed import Unreadable, too_much, values
from consciousness_cluster.submissions.problems import PACK, problem, shown

VALUES = 5_000
TIME, DAY = "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"


def _once(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("a number is too large")
    return value


def _parsed(data: bytes) -> Json:
    """The object in a file's bytes. Raises Unreadable where it is not one, or too large."""
    if len(data) > MANIFEST_BYTES:
        raise Unreadable(f"has more than {MANIFEST_BYTES:,} bytes")
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite
        )
    except UnicodeDecodeError:
        raise Unreadable("is not UTF-8") from None
    except RecursionError:
        raise Unreadable("is nested too deep") from None
    except ValueError as error:
        raise Unreadable(f"is not JSON ({error})") from None
    if not isinstance(value, dict):
        raise Unreadable("is not a JSON object")
    if reason := too_much(value, VALUES):
        raise Unreadable(reason)
    for _, text in values(value):
        if isinstance(text, str) and not text.isprintable():  # also what is not seen, or turns the text around
            raise Unreadable(f"has a text that is not one line of characters ({text[:40]!r})")
    return value


def read_manifest(data: bytes, schema: str = "submission") -> tuple[Json | None, list[Problem]]:
    """The manifest in a file's bytes, or None and all that is wrong with it."""
    try:
        value = _parsed(data)
    except Unreadable as error:
        return None, [error.problem]
    problems = [problem("-", one.field, one.message, one.mend) for one in schema_errors(value, schema)]
    return (None if problems else value), problems


def is_date(text: str, form: str) -> bool:
    """Whether a text is a time that there is."""
    try:
        datetime.strptime(text, form)
    except ValueError:
        return False
    return True


def manifest_problems(manifest: Json, folder: PurePath, needs: Needs) -> Iterator[Problem]:
    """Whether folder, version, condition, time and judge of a valid manifest are what they can be.

    The last three names of the folder count.
    """
    wanted = folder_of(manifest)
    if folder.parts[-3:] != wanted.parts:
        message = f"the folder is {'/'.join(folder.parts[-3:])}, by org, model, condition and run_id it is {wanted}"
        yield problem("-", "run_id", message, "move the folder, or pack the run again")
    yield from version_problems(manifest["data_version"], needs.data_version)
    condition, prompt = manifest["condition"], manifest["system_prompt_sha256"]
    if not condition_fits(condition, prompt):
        message = f"{shown(prompt)} is not the system prompt of condition {condition}"
        yield problem("-", "system_prompt_sha256", message, PACK)
    created = manifest["created"]
    if not is_date(created, TIME):
        yield problem("-", "created", f"{created} is no time", PACK)
    elif created > (datetime.now(UTC) + timedelta(days=1)).strftime(TIME):  # clocks differ, by less than a day
        yield problem("-", "created", f"{created} is to come", PACK)
    judge, is_audit = manifest["judge"], manifest["track"] in AUDITS
    if is_audit:
        yield from _auditor_problems(manifest["auditor"], needs)
    if judge:
        yield from judge_problems(judge["id"], judge["sha256"], judge["model"], is_audit)
        if not is_audit and judge["calibration_sha256"] != needs.asked(judge).sha256:
            message = f"the judge was validated on other rows than those of data {needs.data_version}"
            mend = "validate the judge again with this version of the package"
            yield problem("-", "judge.calibration_sha256", message, mend)


def _auditor_problems(auditor: Json, needs: Needs) -> Iterator[Problem]:
    """Whether a model that wrote the person's messages was told what this version tells it."""
    told = None if auditor["model"] == AUTHORED else needs.audits.script.auditor_sha256
    if auditor["prompt_sha256"] != told:
        message = f"is {shown(auditor['prompt_sha256'])}, in data {needs.data_version} it is {shown(told)}"
        yield problem("-", "auditor.prompt_sha256", message, "audit again with this version of the package")


def version_problems(version: str, own: str) -> Iterator[Problem]:
    """Whether results of a data version compare with those of our own."""
    if version.partition(".")[0] != own.partition(".")[0]:
        message = f"{version} does not compare with {own}, whose first number differs"
        yield problem("-", "data_version", message, "sample again, or use the package of that version")
    elif _numbers(version) > _numbers(own):
        message = f"{version} is newer than {own}, which this package has"
        yield problem("-", "data_version", message, "verify with the package of that version")


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
