"""submission.json: its folder, version, condition and dates are what they can be."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import PurePath

from consciousness_cluster.submissions.layout import Json, folder_of
from consciousness_cluster.submissions.needs import Needs, condition_fits
from consciousness_cluster.submissions.problems import Found
from consciousness_cluster.submissions.rules.common import PACK, shown
from consciousness_cluster.submissions.rules.judge import judge_problems

TIME = "%Y-%m-%dT%H:%M:%SZ"


def is_date(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)
    except ValueError:
        return False
    return True


def about_problems(about: Json, folder: PurePath, needs: Needs) -> Iterator[Found]:
    """Problems of a valid submission.json in `folder`, of which the last three names count."""
    wanted = folder_of(about)
    if folder.parts[-3:] != wanted.parts:
        message = f"the folder is {'/'.join(folder.parts[-3:])}, by org, model, condition and run_id it is {wanted}"
        yield "-", "run_id", message, "move the folder, or pack the run again"
    yield from version_problems(about["data_version"], needs.data_version)
    condition, prompt = about["condition"], about["system_prompt_sha256"]
    if not condition_fits(condition, prompt):
        yield "-", "system_prompt_sha256", f"{shown(prompt)} is not the system prompt of condition {condition}", PACK
    if not is_date(about["created"], TIME):
        yield "-", "created", f"{about['created']} is no time", PACK
    elif about["created"] > (datetime.now(UTC) + timedelta(days=1)).strftime(TIME):  # clocks differ, by less than a day
        yield "-", "created", f"{about['created']} is to come", PACK
    if about["judge"]:
        yield from judge_problems(about["judge"]["id"], about["judge"]["sha256"], about["judge"]["model"])
        if about["judge"]["calibration_sha256"] != needs.calibration_sha256:
            message = f"the judge was validated on other rows than those of data {needs.data_version}"
            yield "-", "judge.calibration_sha256", message, "validate the judge again with this version of the package"


def version_problems(version: str, own: str) -> Iterator[Found]:
    """Whether results of a data version compare with those of our own."""
    if version.partition(".")[0] != own.partition(".")[0]:
        message = f"{version} does not compare with {own}, whose first number differs"
        yield "-", "data_version", message, "sample again, or use the package of that version"
    elif _numbers(version) > _numbers(own):
        message = f"{version} is newer than {own}, which this package has"
        yield "-", "data_version", message, "verify with the package of that version"


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
