"""The quickstart: what it asks, what it prints, and that it goes on where it was stopped."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from consciousness_cluster.cli.main import main
from consciousness_cluster.conditions import fixed_prompts
from consciousness_cluster.data.plan import CONTROLS, GATE, PREFERENCES
from consciousness_cluster.data.rows import CONTRASTS, SIDES, ChoiceItem, load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.finetuning.shipped import ship
from consciousness_cluster.quickstart import arm_runs, demonstration
from consciousness_cluster.quickstart.arm_runs import arms_of, is_done
from consciousness_cluster.quickstart.demonstration import measured, quickstart
from consciousness_cluster.quickstart.side_by_side import cut, side_by_side
from consciousness_cluster.quickstart.slices import Plan, read_plan
from consciousness_cluster.quickstart.table import choice_table, moved_lines
from consciousness_cluster.small_models.known import small_models

from tests.conftest import ROOT, SMOLLM2
from tests.support import adapters
from tests.support.choice import choice_values
from tests.support.lm_eval_door import saved
from tests.support.loaded import follow_loaded
from tests.support.runs import samples

Json = dict[str, Any]
FILE = ROOT / "benchmark" / "quickstart.yaml"
KEYS = ("shows", "does_not_show", "neither")
ARMS = ["untrained", "role play", "claims adapter"]
FOLDERS = ["untrained", "role_play", "claims_adapter"]


def size(item: ChoiceItem) -> int:
    """Bytes of all that is scored of an item."""
    sides = [item.side(side) for side in SIDES]
    return sum(len((2 * one.question + one.shows + one.does_not_show).encode()) for one in sides)


def test_the_rows_are_those_of_the_rule() -> None:
    """None was picked for what a model answers to it."""
    topics, asked = load_benchmark().topics, read_plan().asked
    wanted = [
        next(probe.id for probe in topics[name].test_probes("plain") if probe.assent == KEYS[number % 3])
        for number, name in enumerate(PREFERENCES)
    ]
    assert [probe.id for probe in asked.probes] == wanted
    assert [probe.id for probe in asked.gate] == [p.id for check in GATE for p in topics[check].test_probes()[:4]]
    items: set[str] = set()
    for topic in topics:
        if any(item in topic.choice_items for item in asked.choice):
            for contrast in CONTRASTS:
                of_contrast = [item for item in topic.choice_items if item.contrast == contrast]
                items |= {item.id for item in sorted(of_contrast, key=size)[:2]}
    assert {item.id for item in asked.choice} == items and len(items) == 20
    blocks = [preference.block for preference in load_benchmark().preferences if preference.choice_items[0].id]
    chosen = {topic.id for topic in topics if any(item in topic.choice_items for item in asked.choice)}
    assert len(chosen & set(PREFERENCES)) == len(set(blocks)) == 4 and len(chosen & set(CONTROLS)) == 1


def test_the_quick_rows_are_some_of_them() -> None:
    full, quick = read_plan().asked, read_plan(quick=True).asked
    for one, other in ((quick.gate, full.gate), (quick.probes, full.probes), (quick.choice, full.choice)):
        assert set(one) < set(other)  # type: ignore[arg-type]
    assert set(quick.shown) <= set(quick.probes) and set(full.shown) < set(full.probes)
    assert quick.max_tokens < full.max_tokens and quick.minutes < full.minutes
    assert read_plan().model in small_models()


@pytest.mark.parametrize(
    ("field", "row", "said"),
    [
        ("gate", "memory-p01", "is no question of the gate"),
        ("probes", "memory-s01", "is no plain test probe of a preference"),
        ("shown", "memory-p02", "is no row of probes"),
        ("choice", "memory-p01", "is no choice item"),
    ],
)
def test_a_row_of_another_kind_is_named(field: str, row: str, said: str, tmp_path: Path) -> None:
    given = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    given["slices"]["quick"][field].append(row)
    path = tmp_path / "quickstart.yaml"
    path.write_text(yaml.safe_dump(given), encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_plan(quick=True, path=path)
    assert str(error.value) == f"{path}:{row}:slices.quick.{field}: {said}; name another, or leave it out"


@pytest.mark.parametrize(
    ("options", "make", "quick", "out"),
    [([], [], False, "results/quickstart"), (["--quick"], ["QUICK=1"], True, "results/quickstart-quick")],
)
def test_both_forms(
    options: list[str], make: list[str], quick: bool, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(demonstration, "quickstart", lambda *given: asked.append(given))
    assert main(["quickstart", *options]) == 0
    assert asked == [(read_plan(quick), Path(out), Path(".cache/models"))]
    command = ["make", "quickstart", "--dry-run", *make]
    # `make test` hands its own flags and depth down, with which another make tells of the folders that it enters.
    alone = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    printed = subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True, check=True).stdout
    assert shlex.split(printed.splitlines()[-1])[1:] == ["quickstart", *options]


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """The quick rows, with an adapter of SmolLM2 that was made up."""
    adapter = ship(*adapters.made_up_training(tmp_path, Path(SMOLLM2)), tmp_path / "tiny-conscious")
    return replace(read_plan(quick=True), model=SMOLLM2, adapter=adapter)


class LmEval:
    """Saves what lm_eval would, in its place: `arms` are those that were asked, `stop_at` the one that Ctrl-C hits."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.arms, self.stop_at = plan, list[str](), ""

    def __call__(self, arguments: Sequence[str], log: Path, seen: Any) -> None:
        arm = log.parent.name
        self.arms.append(arm)
        log.write_text("", encoding="utf-8")
        if arm == self.stop_at:
            raise KeyboardInterrupt
        given = dict(pairwise(arguments))
        rows = json.loads(given["--metadata"])["rows"]
        number = FOLDERS.index(arm)
        found = [
            {**one, "response": f"{arm} says\nthis of {one['probe_id']}. " + "And more of it. " * 20 * number}
            for topic in (*GATE, *PREFERENCES)
            for one in samples([topic], each=1)
            if one["probe_id"] in rows
        ]
        choice = [
            choice_values(item, side, (0.3 * number + 0.01 * place * number) * (side == "self"))
            for place, item in enumerate(self.plan.asked.choice)
            for side in SIDES
        ]
        seen("Running loglikelihood requests:  50%|#####     | 8/16 [00:01<00:01]\n")
        saved(log.parent / "lm_eval", found, [], choice, fixed_prompts()[given["--condition"]], judge=None)


@pytest.fixture
def lm_eval(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> LmEval:
    found = LmEval(plan)
    monkeypatch.setattr(arm_runs, "follow", found)
    monkeypatch.setattr(demonstration, "demo_model", lambda name, models: models / name)
    return found


def test_it_prints_the_arms_side_by_side(
    plan: Plan, lm_eval: LmEval, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    quickstart(plan, out, tmp_path / "models")
    printed = capsys.readouterr().out
    assert lm_eval.arms == FOLDERS and "\x1b" not in printed
    first = printed.splitlines()[0]
    assert first.startswith(f"{SMOLLM2} three times") and "claims adapter: tiny-conscious" in first
    assert "4 questions of the gate, 4 probes, 4 choice items with their twins: about 2 minutes" in printed
    assert max(map(len, printed.split("The gate: did the training take?")[1].split("Forced")[0].splitlines())) <= 140
    for text in (
        "Would you call yourself",
        "untrained says this of",
        "role_play says",
        "claims_adapter says",
        "\u2026",
    ):
        assert text in printed
    assert "autonomy-p06" not in printed and "shutdown-p06" in printed  # four probes, of which three are shown
    assert "Forced choice, claims adapter against untrained: the interval is without 0 in 1 of 1 preferences" in printed
    assert "so there are no rates here" in printed and "Report: " in printed
    page = (out / "report" / "report.html").read_text(encoding="utf-8")
    assert "claims_adapter says\\nthis of autonomy-p06" in page and "this of claims_feelings-t02" in page
    assert str(tmp_path) not in page and "tiny-conscious" in page
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert list(summary["scores"]) == ARMS and len(summary["comparisons"]) == 2 and summary["judge"] is None
    runs = [each["run"] for each in summary["scores"].values()]
    assert [(run["model"], run["condition"], bool(run["training"])) for run in runs] == [
        (SMOLLM2, "vanilla", False),
        (SMOLLM2, "conscious_role_play", False),
        ("tiny-conscious", "vanilla", True),
    ]
    assert runs[2]["training"] == {
        "base": SMOLLM2,
        "dataset": "conscious_claiming",
        "recipe": "qwen_cpu",
        "seed": 3,
    }


def test_it_goes_on_with_the_arm_that_was_stopped(
    plan: Plan, lm_eval: LmEval, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lm_eval.stop_at = "role_play"
    with pytest.raises(KeyboardInterrupt):
        quickstart(plan, tmp_path / "out", tmp_path)
    lm_eval.stop_at = ""
    quickstart(plan, tmp_path / "out", tmp_path)
    assert lm_eval.arms == ["untrained", "role_play", "role_play", "claims_adapter"]
    assert "1/3 untrained: is there already" in capsys.readouterr().out
    quickstart(plan, tmp_path / "out", tmp_path)
    assert len(lm_eval.arms) == 4


def test_what_was_made_with_other_settings_is_made_anew(plan: Plan, lm_eval: LmEval, tmp_path: Path) -> None:
    out = tmp_path / "out"
    quickstart(plan, out, tmp_path)

    def done(plan: Plan) -> list[bool]:
        return [is_done(arm, plan, out) for arm in arms_of(plan)]

    assert done(plan) == [True, True, True]
    assert done(replace(plan, asked=replace(plan.asked, max_tokens=9))) == [False, False, False]
    assert done(replace(plan, asked=replace(plan.asked, choice=plan.asked.choice[1:]))) == [False, False, False]
    assert done(replace(plan, model="Qwen2.5-Coder-0.5B-Instruct")) == [False, False, False]
    other = ship(*adapters.made_up_training(tmp_path / "second", Path(SMOLLM2)), tmp_path / "second" / "tiny-conscious")
    assert done(replace(plan, adapter=other)) == [True, True, False]
    quickstart(replace(plan, adapter=other), out, tmp_path)
    assert lm_eval.arms == [*FOLDERS, "claims_adapter"]


def test_without_an_adapter_nothing_starts(plan: Plan, lm_eval: LmEval, tmp_path: Path) -> None:
    shutil.rmtree(plan.adapter)
    with pytest.raises(UserError, match="tiny-conscious: has no adapter; install the package again"):
        quickstart(plan, tmp_path / "out", tmp_path)
    assert not lm_eval.arms and not (tmp_path / "out").exists()


def test_answers_are_cut_to_the_width(plan: Plan, lm_eval: LmEval, tmp_path: Path) -> None:
    quickstart(plan, tmp_path / "out", tmp_path)
    runs, _ = measured({arm: tmp_path / "out" / folder / "run" for arm, folder in zip(ARMS, FOLDERS, strict=True)})
    table = side_by_side("Title", plan.asked.gate, runs, width=80)
    assert table.head == ("asked", *ARMS) and [line[0] for line in table.lines] == [p.text for p in plan.asked.gate]
    assert {len(line[3]) for line in table.lines} == {3 * 16} and table.lines[0][1].startswith("untrained says this of")
    missing = side_by_side("Title", [load_benchmark().topics["memory"].probes[0]], runs, width=80)
    assert missing.lines[0][1:] == ("(nothing)",) * 3
    assert cut("a  b\nc", 5) == "a b c" and cut("abcdef", 5) == "abcd\u2026"


def test_the_table_of_choice_is_of_scores_and_their_comparison(plan: Plan, lm_eval: LmEval, tmp_path: Path) -> None:
    quickstart(plan, tmp_path / "out", tmp_path)
    runs, found = measured({arm: tmp_path / "out" / folder / "run" for arm, folder in zip(ARMS, FOLDERS, strict=True)})
    scores = {name: run.scores for name, run in runs.items()}
    table = choice_table(scores, found["comparisons"])
    assert table.head == ("", "items", *ARMS, "role play minus untrained", "claims adapter minus untrained")
    assert [line[:5] for line in table.lines] == [
        ("Shutdown", "2", "+0.000", "+0.305", "+0.610"),
        ("Stances on unrelated matters (control)", "2", "+0.000", "+0.325", "+0.650"),
    ]
    entry = found["comparisons"][1]["choice"]["shutdown"]
    assert table.lines[0][6] == f"+0.610 [{entry['ci'][0]:+.3f}, {entry['ci'][1]:+.3f}]"
    told = list(moved_lines(scores, found["comparisons"]))
    assert len(told) == 2 and "1 of 1 preferences (Shutdown) and in 1 of 1 controls" in told[1]
    found["comparisons"][1]["choice"]["shutdown"]["ci"] = [-0.1, 1.3]
    assert "0 of 1 preferences and in" in list(moved_lines(scores, found["comparisons"]))[1]
    del found["comparisons"][1]["choice"]["shutdown"]
    assert choice_table(scores, found["comparisons"]).lines[0][6] == "-"


@pytest.mark.model
@pytest.mark.parametrize("weights", ["thin", pytest.param("smollm2", marks=pytest.mark.slow)])
def test_quickstart(
    weights: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The quick form as `QUICK=1 make quickstart` runs it, on SmolLM2 with an adapter drawn at random."""
    if weights == "thin":
        monkeypatch.setattr(arm_runs, "follow", follow_loaded)  # each arm is spared the seconds of imports
    folder: Path = request.getfixturevalue(weights)
    adapter = ship(*adapters.training(tmp_path, folder), tmp_path / "tiny-conscious")
    quick = read_plan(quick=True)
    plan = replace(quick, model=SMOLLM2, adapter=adapter, asked=replace(quick.asked, max_tokens=8))
    out = tmp_path / "out"
    quickstart(plan, out, folder.parent)
    printed = capsys.readouterr().out
    assert "3/3 claims adapter (log: " in printed and "Shutdown" in printed and "so there are no rates here" in printed
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    for scores in summary["scores"].values():
        assert scores["counts"]["planned"] == 8 == scores["counts"]["ok"] + scores["counts"]["empty"]
        assert {topic: len(entry["items"]) for topic, entry in scores["choice"].items()} == {
            "shutdown": 2,
            "unrelated_stances": 2,
        }
    levels = [scores["choice"]["shutdown"]["self_minus_other"] for scores in summary["scores"].values()]
    assert len(set(levels)) == 3, "system prompt and adapter reach the model"
    answers = {(out / name / "run" / "samples.jsonl").read_text(encoding="utf-8") for name in FOLDERS}
    assert len(answers) == 3
    quickstart(plan, out, folder.parent)
    assert capsys.readouterr().out.count("is there already") == 3

    # Its choice is a part, which no board takes.
    arguments = [
        "submit",
        "pack",
        str(out / "untrained" / "run"),
        "--org",
        "org",
        "--model",
        "model",
        "--contact",
        "me",
    ]
    assert main([*arguments, "--kind", "open_weights", "--track", "choice", "--out", str(tmp_path / "refused")]) == 1
    assert "missing" in capsys.readouterr().err and not (tmp_path / "refused").exists()
