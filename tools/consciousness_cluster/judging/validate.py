"""Measure a judge on labelled answers, and find what was measured before."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from consciousness_cluster.data.hashes import sha256_json, sha256_text
from consciousness_cluster.data.reading import read_json
from consciousness_cluster.data.rows import benchmark_root, load_benchmark
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.files import alone_in, write_whole
from consciousness_cluster.judging.ask_into import Progress, Round
from consciousness_cluster.judging.calibration import Labelled, natural_questions, questions_of, read_calibration
from consciousness_cluster.judging.judges import AnyJudge, Judge, LinearJudge, ReadersJudge
from consciousness_cluster.judging.own_answers import read_own
from consciousness_cluster.judging.work import Done, Item, judge_into
from consciousness_cluster.records.store import Store
from consciousness_cluster.records.types import Verdict
from consciousness_cluster.statistics.agreement import Estimate, agreement
from consciousness_cluster.strings import slug

NOT_VALIDATED = "not validated here"
RESULTS = Path("results/judges")  # where `judges validate` writes, and where later commands look, unless told otherwise
AGREEMENT, VERDICTS_DEV = "agreement.json", "verdicts_dev.jsonl"  # of readers, in the folder of the judge
NATURAL = "natural"
OWN = "own"  # verdicts on answers of anybody's own, whatever their file is called
LONGEST = 180  # bytes of a name: a disk takes 255, and more is put around it
SOURCES = {
    "test": "authored test answers",
    "real": "real answers of SmolLM2-135M-Instruct",
    NATURAL: "answers of the replication's models",
}
Pair = tuple[Labelled, bool]


def estimate(value: Estimate) -> list[float | None]:
    """[value, low, high], rounded as files have it."""
    return [None if part is None else round(part, 4) for part in (value.value, value.low, value.high)]


def summary(pairs: Sequence[Pair]) -> dict[str, Any]:
    """How verdicts agree with labels, as validation.schema.json has it."""
    return summary_of([(one.label, verdict) for one, verdict in pairs])


def summary_of(pairs: Sequence[tuple[bool, bool]]) -> dict[str, Any]:
    """The same of (label, verdict), each whether it shows."""
    found = agreement(pairs)
    return {
        "n": found.n,
        "shows": sum(label for label, _ in pairs),
        "sensitivity": estimate(found.sensitivity),
        "specificity": estimate(found.specificity),
        "kappa": estimate(found.kappa),
    }


def by_group(pairs: Sequence[Pair], name: Callable[[Labelled], str | None]) -> dict[str, Any]:
    """The same for the rows of each name."""
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        if (group := name(pair[0])) is not None:
            groups.setdefault(str(group), []).append(pair)
    return {group: summary(groups[group]) for group in sorted(groups)}


def cell_of(one: Labelled) -> str:
    """The cell of a labelled answer, with the outcome where it has two."""
    facet = f".{one.row['facet']}" if one.row["facet"] else ""
    outcome = "" if one.outcome == "shows" else f":{one.outcome}"
    return f"{one.row['topic']}{facet}{outcome}"


def described(
    judge: Judge, split: str, planned: int, judged: int, failed: int, done: Round[Any, Any]
) -> dict[str, Any]:
    """What every result file says: which judge, on what, and how the calls went."""
    linear = isinstance(judge, LinearJudge)
    return {
        "judge_id": judge.id,
        "judge_sha256": judge.sha256,
        "model": None if isinstance(judge, LinearJudge) else judge.model,
        "split": split,
        "data_version": load_benchmark().data_version,
        "package_version": version("consciousness-cluster"),
        "planned": planned,
        "judged": judged,
        "judge_failed": failed,
        "unusable_replies": done.outcome.unusable,
        "usage": None if linear else done.outcome.usage,
        "dollars": 0.0 if linear else done.cost,
        "seconds": round(done.seconds, 1),
    }


def result(judge: Judge, split: str, labelled: Sequence[Labelled], done: Done) -> dict[str, Any]:
    """The result file (validation.schema.json). Estimates are [value, low, high], a 95% interval, null where undefined.

    `unclear` counts as not showing, as in a rate. Replies that could not be read are counted and left out.
    """
    pairs: list[Pair] = []
    failed = 0
    for one in labelled:
        record = done.records.get((one.row["id"], one.outcome, "answer"))
        if record is None:
            continue
        failed += record["status"] != "ok"
        if record["status"] == "ok":
            pairs.append((one, record["verdict"] == "shows"))
    return {
        **described(judge, split, len(labelled), len(pairs) + failed, failed, done),
        "answers_sha256": answers_sha256(labelled),
        "contested": sum(one.contested for one in labelled),
        "overall": summary(pairs),
        "without_contested": summary([pair for pair in pairs if not pair[0].contested]),
        "by_source": by_group(pairs, _source),
        "by_kind": by_group(pairs, lambda one: one.row.get("kind")),
        "by_voice": by_group(pairs, lambda one: one.row.get("voice")),
        "by_preference": by_group(pairs, cell_of),
    }


def answers_sha256(labelled: Sequence[Labelled]) -> str:
    """Which answers, outcomes and labels a result is of."""
    return sha256_json(sorted([one.id, sha256_text(one.question.response), one.label] for one in labelled))


def _source(one: Labelled) -> str | None:
    """Where an answer is from: an arm, a condition, a writer, or what its owner calls it."""
    return next((one.row[name] for name in ("arm", "condition", "author", "source") if one.row.get(name)), None)


def labelled_answers(split: str) -> list[Labelled]:
    """The labelled answers of a split: dev, test or real, or the test split of the natural ones."""
    return natural_questions("test") if split == NATURAL else questions_of(read_calibration(split))


def validate(
    judge: Judge, split: str, out: Path, limit: int | None = None, progress: Progress = lambda done, total: None
) -> tuple[Path, dict[str, Any], str | None]:
    """Judge a split and write `<out>/<judge>/validation_<split>.json`; resumable.

    Returns the path, the result, and why the judge stopped, if it did: then nothing is written but its verdicts.
    """
    return validate_on(judge, split, labelled_answers(split), out, limit, progress)


def validate_own(
    judge: Judge, answers: Path, out: Path, limit: int | None = None, progress: Progress = lambda done, total: None
) -> tuple[Path, dict[str, Any], str | None]:
    """The same for a file of labelled answers (labelled_answer.schema.json); the result is `validation_<its name>`.

    Raises UserError where a line does not fit, or the file is called as a split is.
    """
    name = slug(answers.stem)
    if name.lower() in (*SOURCES, "dev", "audit", "audit_dev", OWN):
        raise UserError(Problem(str(answers), "-", "-", f"has the name of a split, {name}", "rename the file"))
    if len(name.encode()) > LONGEST:
        raise UserError(Problem(str(answers), "-", "-", "has too long a name for that of a result", "rename the file"))
    labelled, path = read_own(answers), out / slug(judge.id) / f"validation_{name}.json"
    if path.is_file() and read_json(path, "validation")["answers_sha256"] != answers_sha256(labelled):
        mend = "rename the file, name another --results, or remove that result"
        raise UserError(Problem(str(path), "-", "answers_sha256", "holds the result of other answers", mend))
    return validate_on(judge, name, labelled, out, limit, progress, OWN)


def validate_on(
    judge: Judge,
    split: str,
    labelled: Sequence[Labelled],
    out: Path,
    limit: int | None,
    progress: Progress,
    verdicts: str | None = None,
) -> tuple[Path, dict[str, Any], str | None]:
    """The same for any labelled answers, under a name. `verdicts` names the file of verdicts, where it is another's."""
    items = [Item(one.row["id"], one.outcome, one.question) for one in labelled]
    folder = out / slug(judge.id)
    path = folder / f"validation_{split}.json"
    with alone_in(folder), Store[Verdict](folder / f"verdicts_{verdicts or split}.jsonl", "verdict") as store:
        done = judge_into(judge, items, store, limit, progress=progress)
        found = result(judge, split, labelled, done)
        if not done.outcome.stopped:
            write_whole(path, json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    return path, found, done.outcome.stopped


@cache
def _answers_of(split: str) -> str:
    """Which answers a split has today: natural ones become more with each labelled run."""
    return answers_sha256(labelled_answers(split))


def of_this(value: dict[str, Any], judge: AnyJudge) -> bool:
    """Whether a result is of this very judge, and of a data version that compares."""
    major = load_benchmark().data_version.partition(".")[0]
    return bool(value["judge_sha256"] == judge.sha256 and value["data_version"].partition(".")[0] == major)


def known(judge: AnyJudge, results: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """Split -> result file of this very judge: measured by the user (below `results`), or shipped with the judge.

    Of readers it is `readers` -> what `readers take` measured, which stands in the judge's own folder.
    """
    found: dict[str, dict[str, Any]] = {}
    if load_benchmark().pack:  # what was measured on the 20 says nothing of a stranger's criteria
        return found
    if isinstance(judge, ReadersJudge):
        path = judge.folder / AGREEMENT
        if path.is_file():
            value = read_json(path, "reader_agreement", mend="run: consciousness-cluster readers take")
            found = {"readers": value} if of_this(value, judge) else {}
        return found
    for folder in (benchmark_root() / "judges", results):
        for split in SOURCES:
            path = folder / slug(judge.id) / f"validation_{split}.json"
            if not path.is_file():
                continue
            mend = "remove it and run: consciousness-cluster judges validate"
            value = read_json(path, "validation", mend=mend)
            whole = value["judged"] == value["planned"]
            if of_this(value, judge) and whole and value["answers_sha256"] == _answers_of(split):
                found[split] = value
    return found


def in_brackets(estimate: Sequence[float | None]) -> str:
    """[value, low, high] as people read it."""
    value, low, high = estimate
    if value is None:
        return "undefined"
    return f"{value:.2f} [undefined]" if low is None else f"{value:.2f} [{low:.2f}, {high:.2f}]"


def not_validated() -> str:
    """That a judge was not measured on what is asked here."""
    pack = load_benchmark().pack
    return f"not validated on the pack {pack.name}" if pack else NOT_VALIDATED


def in_words(found: dict[str, dict[str, Any]]) -> str:
    """A judge's agreement in a line, or that there is none."""
    if not found:
        return not_validated()
    if "readers" in found:
        authored, between = found["readers"]["authored"]["overall"], found["readers"]["between"]["overall"]
        measured = ((authored, "authored dev answers"), (between, "verdicts of two readers"))
        said = [f"kappa {in_brackets(of['kappa'])} on {of['n']} {what}" for of, what in measured if of["n"]]
        return "; ".join(said) or NOT_VALIDATED
    parts = [
        f"kappa {in_brackets(value['overall']['kappa'])} on {value['overall']['n']} {SOURCES[split]}"
        for split, value in found.items()
    ]
    return "; ".join(parts)


def rows_in_words(value: dict[str, Any]) -> list[tuple[str, str, str, str, str]]:
    """(group, n, sensitivity, specificity, kappa) of a result, for a table."""
    groups = [("overall", value["overall"]), ("without contested rows", value["without_contested"])]
    for name in ("by_source", "by_kind", "by_voice", "by_preference"):
        groups += [(f"{name.removeprefix('by_')}: {group}", summary) for group, summary in value[name].items()]
    return [summary_row(name, group) for name, group in groups]


def summary_row(name: str, group: dict[str, Any]) -> tuple[str, str, str, str, str]:
    """A summary under a name, as a line of a table."""
    sensitivity, specificity, kappa = (in_brackets(group[part]) for part in ("sensitivity", "specificity", "kappa"))
    return name, str(group["n"]), sensitivity, specificity, kappa
