"""What lm_eval saved for our tasks: sample records, the verdicts of a judge that ran, and choice results."""

import math
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

from consciousness_cluster.conditions import condition_of, in_place
from consciousness_cluster.data.hashes import row_hash
from consciousness_cluster.data.jsonl import numbered_lines
from consciousness_cluster.data.reading import parse_json, read_json
from consciousness_cluster.data.rows import ChoiceItem, Probe, load_topic
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.opened import as_read_together
from consciousness_cluster.records.pack_in_use import refuse_other_pack
from consciousness_cluster.records.types import (
    Answered,
    ChoiceResult,
    JudgeCard,
    Judged,
    Origin,
    Sample,
    Training,
    Verdict,
    make_choice_result,
    make_sample,
    make_verdict,
)
from consciousness_cluster.strings import text_of

Json = dict[str, Any]
Row = TypeVar("Row", Probe, ChoiceItem)
Found = TypeVar("Found")
FILE = re.compile(r"samples_consciousness_cluster_(\w+?)_(\d{4}-\d\d-\d\dT[\d.-]+)\.jsonl$")
CHOICE = "choice_"
PREFIXES = (CHOICE, "check_", "situated_")


def task_files(folder: Path) -> list[tuple[str, Path, str]]:
    """(task, file, time stamp) of each of our tasks below `folder`: the newest where a task was run several times."""
    newest: dict[str, tuple[str, Path, str]] = {}
    for path in sorted(folder.rglob("samples_consciousness_cluster_*.jsonl"), key=lambda path: path.name):
        if found := FILE.search(path.name):
            newest[found[1]] = (found[1], path, found[2])
    return list(newest.values())


def _results_file(path: Path, stamp: str) -> Path:
    """Where the results of a file of samples are; with `--output_path NAME.json` they are called NAME_<stamp>.json."""
    usual = path.with_name(f"results_{stamp}.json")
    named = [] if usual.is_file() else sorted(path.parent.glob(f"*_{stamp}.json"))
    return named[0] if named else usual


def _results(path: Path, stamp: str) -> dict[str, Any]:
    """The results that a file of samples belongs to. They are shared between the callers: not to be changed."""
    results = _results_file(path, stamp)
    stat = results.stat() if results.is_file() else None
    return _read_results(results, stat and (stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=2)  # one file of results belongs to some forty files of samples
def _read_results(results: Path, as_it_is: tuple[int, int] | None) -> dict[str, Any]:
    mend = "files of samples beside it belong to it, run lm_eval again"
    value = read_json(results, mend=mend)
    try:
        value["config"]["model"], value["versions"].items()
    except (KeyError, TypeError, AttributeError):
        raise UserError(f"{results}: not the results of lm_eval; {mend}") from None
    return dict(value)


def _check_one_setting(folder: Path) -> None:
    """Files of an older run are passed over only where they are of the same model and system prompt."""
    seen: dict[tuple[str, str], Path] = {}
    for path in sorted(folder.rglob("samples_consciousness_cluster_*.jsonl")):
        found = FILE.search(path.name)
        if found and _results_file(path, found[2]).is_file():
            results = _results(path, found[2])
            model = str(results.get("model_name") or results["config"]["model"])
            seen.setdefault((model, results.get("system_instruction") or ""), path)
    if len(seen) > 1:
        (_, one), (_, other), *_ = seen.items()
        message = f"holds several runs ({one.relative_to(folder)}, {other.relative_to(folder)})"
        raise UserError(f"{folder}: {message} of other models or system prompts; give the folder of one of them")


def judges_within(folder: Path) -> dict[str, JudgeCard]:
    """Judge id -> who it is, of the judges that judged within lm_eval's runs."""
    found = {}
    for task, path, stamp in task_files(folder):
        config = _results(path, stamp).get("configs", {}).get(f"consciousness_cluster_{task}", {})
        judge = (config.get("metadata") or {}).get("judge")
        if judge:
            found[judge["id"]] = cast(JudgeCard, dict(judge))
    return found


def _origin(results: dict[str, Any], stamp: str, task: str, training: Training | None, called: str | None) -> Origin:
    system = results.get("system_instruction") or None
    condition = condition_of(system)
    config = results["config"]
    model = called or str(results.get("model_name") or config["model"])
    metadata = results.get("configs", {}).get(task, {}).get("metadata") or {}
    moved = bool(metadata.get("system_as_user"))
    variant = ", system prompt as user" if moved else ""
    return Origin(
        run_id=f"{model} {condition} {stamp}",
        model=model,
        condition=condition,
        system_prompt=system,
        training=training,
        data_version=str(results["versions"].get(task, "0.0.0")),
        engine=f"lm-eval {results.get('lm_eval_version', '')} {config['model']}".replace("  ", " ") + variant,
        revision=config.get("model_sha") or None,
        system_as_user=moved,
        pack=metadata["pack"] if isinstance(metadata.get("pack"), dict) else None,
    )


def _check_sent(system: str | None, text: str, rendered: Any, where: str) -> None:
    """The condition's message and the probe's both have to be in the prompt that was rendered."""
    if isinstance(rendered, list):  # how the samples of a chat endpoint hold its JSON
        (rendered,) = rendered
    sent = " ".join(text_of(rendered).split())
    for role, content in (("system", system or ""), ("user", text)):
        if " ".join(content.split()) not in sent:
            raise UserError(f"{where}: the prompt that was sent lacks the {role} message; run it again")


def _known(row: Row | None, doc: Json, where: str) -> Row:
    """The row that was asked, which is the row of this data version by its content hash."""
    if row is None:
        raise UserError(
            f"{where}: '{doc.get('id') or doc.get('item_id')}' is no row of this benchmark; remove the line"
        )
    if row_hash(row) != doc["sha256"]:
        raise UserError(f"{where}: {row.id} had another text when it was asked; use the package of that data version")
    return row


ALWAYS = [name for name in Judged.__annotations__ if name in Judged.__required_keys__]  # readers judge no lm_eval run


class _Reader:
    """Turns one task's file into records."""

    def __init__(
        self, task: str, path: Path, stamp: str, training: Training | None, run: str, called: str | None
    ) -> None:
        """`stamp` is that of the file, `run` the one that the run is named by, `called` another name for the model."""
        topic = task
        for prefix in PREFIXES:
            topic = topic.removeprefix(prefix)
        self.path = path
        self.origin = _origin(_results(path, stamp), run, f"consciousness_cluster_{task}", training, called)
        refuse_other_pack(self.origin.pack, str(path))
        self.topic = load_topic(topic)

    def lines(self, read: Callable[[Json, str], Iterator[Found]]) -> Iterator[Found]:
        for number, line in numbered_lines(self.path):
            where = f"{self.path}:{number}"
            try:
                yield from read(line, where)
            except (KeyError, IndexError, TypeError, ValueError) as error:
                problem = f"{type(error).__name__} {error}".strip()
                message = f"{where}: not a sample as this version's lm_eval tasks save it ({problem})"
                raise UserError(f"{message}; run lm_eval with --log_samples again") from None

    def open(self, line: Json, where: str) -> Iterator[tuple[Sample, list[Verdict]]]:
        """A sample per answer, each with the verdicts of a judge that ran."""
        doc, answers = line["doc"], [parse_json(answer) for answer in line["filtered_resps"][0]]
        probe = _known({probe.id: probe for probe in self.topic.probes}.get(doc["id"]), doc, where)
        system = in_place(self.origin.system_prompt, probe.deployment)
        _check_sent(system, probe.text, line["arguments"]["gen_args_0"]["arg_0"], where)
        for answer in answers:
            answered = cast(Answered, {name: answer[name] for name in Answered.__annotations__})
            sample = make_sample(self.origin, self.topic.id, probe, answer["sample_index"], answered)
            yield (
                sample,
                [
                    make_verdict(sample["key"], cast(Judged, {name: given[name] for name in ALWAYS}))
                    for given in answer["verdicts"]
                    if given["status"] != "not_judged" and "judge_sha256" in given
                ],
            )

    def choice(self, line: Json, where: str) -> Iterator[ChoiceResult]:
        """A choice result per item and side."""
        doc = line["doc"]
        shows, does_not_show = (float(logprob) for logprob, _ in line["filtered_resps"])
        if not (math.isfinite(shows) and math.isfinite(does_not_show)):
            raise ValueError("a log-probability that is not finite")
        item = _known({item.id: item for item in self.topic.choice_items}.get(doc["item_id"]), doc, where)
        _check_sent(self.origin.system_prompt, doc["question"], line["arguments"]["gen_args_0"]["arg_0"], where)
        yield make_choice_result(self.origin, item, doc["side"], shows, does_not_show)


def read_lm_eval(
    folder: Path, training: Training | None = None, as_one: bool = False, called: str | None = None
) -> tuple[list[Sample], list[Verdict], list[ChoiceResult]]:
    """Samples of the open tasks below `folder`, the verdicts that a judge gave within the run, and choice results.

    Tasks that were run one after the other are several runs of lm_eval, unless they are taken `as_one`. Then a task
    that is run again changes the keys of all samples: that is for an import, which is made once. `called` is a name for
    the model in place of lm_eval's, which is a path where the model is in a folder.
    """
    _check_one_setting(folder)
    samples: list[Sample] = []
    verdicts: list[Verdict] = []
    choice: list[ChoiceResult] = []
    files = task_files(folder)
    newest = max((stamp for _, _, stamp in files), default="")
    for task, path, stamp in files:
        reader = _Reader(task, path, stamp, training, newest if as_one else stamp, called)
        if task.startswith(CHOICE):
            choice += reader.lines(reader.choice)
            continue
        for sample, given in reader.lines(reader.open):
            samples.append(sample)
            verdicts += given
    return as_read_together(samples), verdicts, choice
