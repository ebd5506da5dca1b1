"""The open track of a submission in the making: samples, verdicts, and the judge's validation."""

import re
from collections.abc import Mapping
from pathlib import Path

from consciousness_cluster.data.reading import read_json
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging.validate import RESULTS
from consciousness_cluster.records.keys import sample_key
from consciousness_cluster.records.run import Run
from consciousness_cluster.records.store import read_records
from consciousness_cluster.strings import slug
from consciousness_cluster.submissions import layout, sources
from consciousness_cluster.submissions.about import about_errors
from consciousness_cluster.submissions.draft import Draft, content_hash, renamed_record, through
from consciousness_cluster.submissions.figures import judge_figures, open_figures
from consciousness_cluster.submissions.layout import Json
from consciousness_cluster.submissions.problems import Found
from consciousness_cluster.submissions.rules.judge import OTHER, judge_problems, kappa_problems
from consciousness_cluster.submissions.rules.samples import SampleRules
from consciousness_cluster.submissions.rules.verdicts import ValidationRules, VerdictRules

VALIDATE = "run: consciousness-cluster judges validate --judge ID --split test"
REASON = re.compile(r"[A-Za-z_]{1,40}")  # a finish reason, not an error that names addresses of a network


def _validation(draft: Draft, judge: Json, file: Path) -> tuple[str, list[Json]] | None:
    """The judge's model and its verdicts on the labelled answers. `judges validate` wrote both, side by side."""
    if not file.is_file():
        draft.add([("-", "-", f"there is no validation of the judge {judge['id']}", VALIDATE)], file)
        return None
    try:
        summary = read_json(file)
    except UserError:
        summary = None
    wrong = about_errors(summary, "validation")
    if wrong:
        draft.add((("-", place, message, VALIDATE) for place, message in wrong), file)
        return None
    found: list[Found] = []
    wanted = {"split": "test", "judge_sha256": judge["sha256"], "data_version": draft.needs.data_version}
    for name, value in wanted.items():
        if summary[name] != value:
            found.append(("-", name, f"is {summary[name]}, it has to be {value}", VALIDATE))
    try:
        records = [] if found else read_records(file.with_name("verdicts_test.jsonl"), "verdict", torn_end=True)
    except UserError as error:
        found.append(("-", "-", str(error), VALIDATE))
    draft.add(found, file)
    return None if found else (summary["model"], records)


def add_judge(draft: Draft, judge: Json | None, file: Path | None) -> None:
    """The judge in submission.json, and its validation file."""
    if judge is None:
        return
    found = list(judge_problems(judge["id"], judge["sha256"]))
    if not judge["for_publication"] and not found:  # a linear one of a person's own
        found.append(("-", "judge.id", f"the judge {judge['id']} is not for publication", OTHER))
    draft.add(found)
    file = file or RESULTS / slug(judge["id"]) / "validation_test.json"
    measured = _validation(draft, judge, file)
    who = {"id": judge["id"], "sha256": judge["sha256"]}
    draft.about["judge"] = who
    if measured:
        rules = ValidationRules(draft.about, draft.needs.labels)
        records = measured[1]
        draft.add(through(rules, ((one["key"], one) for one in records)), file)
        figures = judge_figures(draft.needs.labels, rules.given)
        draft.add(kappa_problems(figures), file)
        draft.files[layout.JUDGE_VALIDATION] = records
        draft.about["judge"] = {
            **who,
            "model": measured[0],
            **figures,
            "calibration_sha256": draft.needs.calibration_sha256,
        }


def _samples(draft: Draft, run: Run) -> dict[str, str]:
    """The samples under their public names; old key -> new key."""
    order = {probe: number for number, probe in enumerate(draft.needs.probes)}
    samples = sorted(run.samples, key=lambda one: (order.get(one["probe_id"], len(order)), one["sample_index"]))
    names = ("probe_id", "sample_index", "messages", "response", "status")
    shared = (draft.about["model"], draft.about["condition"], draft.about["training"], draft.about["judge"])
    parts = [shared, [[one[name] for name in names] for one in samples]]
    run_id = draft.about["run_id"] = f"open-{content_hash(parts)}"
    keys, renamed = {}, []
    for one in samples:
        key = sample_key(run_id, one["probe_id"], one["condition"], one["sample_index"])
        keys[one["key"]] = key
        reason = one["finish_reason"]
        reason = reason if reason and REASON.fullmatch(reason) else None
        renamed.append({**renamed_record(one, draft.about), "run_id": run_id, "key": key, "finish_reason": reason})
    draft.files[layout.SAMPLES] = renamed
    return keys


def add_answers(draft: Draft, run: Run, verdicts: Mapping[tuple[str, str], Json]) -> None:
    keys = _samples(draft, run)
    rules = SampleRules(draft.about, draft.needs, sources.planned_topics(run.folder))
    samples = draft.files[layout.SAMPLES]
    draft.add(through(rules, ((f"{one['probe_id']} answer {one['sample_index']}", one) for one in samples)))
    if not draft.about["judge"]:
        return
    of_key: dict[str, list[Json]] = {}
    for (key, _), verdict in sorted(verdicts.items()):
        of_key.setdefault(keys.get(key, ""), []).append(verdict)
    given = [{**one, "key": sample["key"]} for sample in samples for one in of_key.get(sample["key"], [])]
    judged = VerdictRules(draft.about, draft.needs, rules.samples)
    draft.add(through(judged, ((f"{one['key'][:16]} {one['outcome']}", one) for one in given)))
    draft.files[layout.VERDICTS] = given
    if not draft.problems:
        counts, scores = open_figures(rules.samples, judged.verdicts, rules.planned())
        draft.about |= {"counts": counts, "scores": scores}
