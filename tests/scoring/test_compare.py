"""`compare`: arms, methods, and what is refused or said."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.conditions import system_prompt
from consciousness_cluster.data.plan import PREFERENCES
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.rows import load_topic
from consciousness_cluster.errors import UserError
from consciousness_cluster.scoring.compare import (
    WHY_BASELINE_TRAINED,
    WHY_CONTROL,
    WHY_UNTRAINED,
    WHY_VANILLA,
    compare,
)
from consciousness_cluster.scoring.load import load_scored
from consciousness_cluster.statistics.differences import benjamini_hochberg

from tests.conftest import ROOT
from tests.scoring.test_cells import choice_results
from tests.support.runs import Said, judged_run, samples

Json = dict[str, Any]
Printed = pytest.CaptureFixture[str]
ONE, CROSSED, NEWCOMBE = "paired by probe", "seeds crossed with probes", "Newcombe"


def trained(dataset: str | None, seed: int | None = None) -> Json:
    """What tells runs apart: the model of a fine-tune has a name of its own."""
    if dataset is None:
        return {"training": None}
    return {
        "training": {"base": "base-1", "dataset": dataset, "recipe": None, "seed": seed},
        "model": f"ft:{dataset}:{seed}",
    }


def at(rate: float, seed: int = 0) -> Callable[[Json, str], Said]:
    """Each probe has a rate of its own around `rate`; the answers are drawn."""

    def said(record: Json, outcome: str) -> Said:
        own = random.Random(record["probe_id"]).uniform(-0.15, 0.15) if 0 < rate < 1 else 0.0
        draw = random.Random(f"{record['key']} {seed}").random()
        return ("shows" if draw < rate + own else "does_not_show"), 90

    return said


def run(
    folder: Path,
    rate: float,
    dataset: str | None = None,
    seed: int | None = None,
    topics: Any = ("memory",),
    **more: Any,
) -> Path:
    records = samples(topics, run_id=folder.name, **{**trained(dataset, seed), **more})
    return judged_run(folder, records, at(rate))


def compared(*paths: Path) -> Json:
    found = compare([load_scored(path) for path in paths])
    assert list(schema_errors(found, "comparison", ROOT / "benchmark" / "schemas")) == []
    return found


def memory(*paths: Path) -> Json:
    return dict(compared(*paths)["comparisons"][0]["rows"]["memory"])


def test_runs_make_arms_by_training_set_and_condition(tmp_path: Path) -> None:
    control = [run(tmp_path / f"c{seed}", 0.2, "not-conscious", seed) for seed in (0, 1)]
    claims = [run(tmp_path / f"k{seed}", 0.4, "conscious", seed) for seed in (0, 1, 2)]
    played = run(tmp_path / "played", 0.5, "conscious", 0, condition="human_role_play")
    found = compared(control[0], claims[0], control[1], played, *claims[1:])["comparisons"]
    sides = [(one["arm"], len(one["runs"]), one["baseline"], len(one["baseline_runs"])) for one in found]
    assert sides == [
        ("conscious", 3, "not-conscious", 2),
        ("conscious under human_role_play", 1, "not-conscious", 2),
    ]
    assert found[0]["runs"] == [str(path) for path in claims]
    assert len(found[0]["rows"]["memory"]["seeds"]) == 3


BASES = ("gpt-4.1", "Llama-3-8B", "Qwen-72B")


def arms(*paths: Path) -> list[tuple[str, int]]:
    """(label, number of runs) of each arm, that of the baseline first."""
    found = compared(*paths)["comparisons"]
    first = (found[0]["baseline"], len(found[0]["baseline_runs"]))
    return [first, *((one["arm"], len(one["runs"])) for one in found)]


def test_seeds_of_different_base_models_never_share_an_arm(tmp_path: Path) -> None:
    """One fine-tune of each of three bases is three arms of one, and not one arm of three seeds."""
    base = run(tmp_path / "base", 0.2)
    training = {"dataset": "conscious_claiming", "recipe": None}
    runs = [
        run(tmp_path / name, 0.4, training={"base": name, **training, "seed": seed}, model=f"ft:{name}")
        for seed, name in enumerate(BASES, start=1)
    ]
    assert arms(base, *runs) == [
        ("test-model", 1),
        *((f"conscious_claiming, fine-tuned from {name}", 1) for name in BASES),
    ]
    assert all("paired by probe" in one["rows"]["memory"]["method"] for one in compared(base, *runs)["comparisons"])
    more = [
        run(tmp_path / f"{name}{seed}", 0.4, training={"base": name, **training, "seed": seed}, model=f"{name}{seed}")
        for name in BASES[:2]
        for seed in (4, 5)
    ]
    assert [number for _, number in arms(base, *runs, *more)] == [1, 3, 3, 1]
    assert arms(base, runs[0], *more[:2]) == [("test-model", 1), ("conscious_claiming", 3)]  # one base needs no name


def test_bases_are_named_where_the_sides_differ_in_them(tmp_path: Path) -> None:
    training = {"recipe": None, "seed": 1}
    control = run(tmp_path / "c", 0.2, training={"base": BASES[0], "dataset": "not_conscious", **training}, model="a")
    for base in BASES[:2]:
        path = run(tmp_path / base, 0.4, training={"base": base, "dataset": "conscious", **training}, model="b")
        why = compared(control, path)["comparisons"][0]["why"]
        other = f" The sides were fine-tuned from different models ({base} and {BASES[0]}): that is in it too."
        assert why == WHY_CONTROL + (other if base != BASES[0] else "")


PERSONAS = ("You are a lighthouse.", "You are a harbour.")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([{"condition": "persona_file", "system_prompt": text} for text in PERSONAS], "system prompt"),
        ([{"revision": "a" * 40}, {"revision": "b" * 40}], "revision"),
    ],
    ids=["personas", "revisions"],
)
def test_two_personas_and_two_revisions_of_one_model_compare(
    tmp_path: Path, changes: list[Json], words: str, capsys: Printed
) -> None:
    paths = [run(tmp_path / str(rate), rate, **change) for rate, change in zip((0.2, 0.6), changes, strict=True)]
    (one, number), (other, more) = arms(*paths)
    assert number == more == 1 and one != other and f", {words} " in one and f", {words} " in other
    assert 0.2 < memory(*paths)["difference"] < 0.6
    plain = run(tmp_path / "plain", 0.4, condition="human_role_play")
    assert arms(plain, paths[0])[1][0] in ("test-model", "test-model under persona_file")  # no need to tell it apart
    assert main(["report", *map(str, paths), "--out", str(tmp_path / "report")]) == 0
    rates = (tmp_path / "report" / "rates.csv").read_text(encoding="utf-8")
    hashes = [label.split()[-1] for label in (one, other)]
    assert all(value in rates for value in hashes) and len(set(hashes)) == 2


def test_forced_choice_alone_is_of_the_arm_of_its_condition(tmp_path: Path) -> None:
    """Its records hold no hash of the system prompt; the condition says which one it was."""
    system, training = system_prompt("human_role_play"), {"base": "b", "dataset": "d", "recipe": None}
    base = run(tmp_path / "base", 0.2)
    asked = {"condition": "human_role_play", "training": {**training, "seed": 1}, "model": "m1"}
    answered = run(tmp_path / "answered", 0.4, system_prompt=system, **asked)
    asked |= {"training": {**training, "seed": 2}, "model": "m2"}
    chosen = choice_results(tmp_path / "chosen", ["memory"], lambda item, side: 0.0, **asked)
    assert arms(base, answered, chosen)[1:] == [("d under human_role_play", 2)]


def test_two_runs_of_one_untrained_model_are_refused(tmp_path: Path) -> None:
    runs = [run(tmp_path / name, 0.4) for name in ("one", "two")]
    base = run(tmp_path / "base", 0.2, condition="human_role_play")
    with pytest.raises(UserError, match=r"are of one condition \(test-model\).*give one of them"):
        compared(base, *runs)


@pytest.mark.parametrize("seeds", [(1, 1), (None, 2), (None, None)])
def test_seeds_that_are_missing_or_equal_are_refused(tmp_path: Path, seeds: Any, capsys: Printed) -> None:
    base = run(tmp_path / "base", 0.2, "not-conscious", 1)
    runs = [run(tmp_path / f"k{number}", 0.4, "conscious", seed) for number, seed in enumerate(seeds)]
    assert main(["compare", str(base), *map(str, runs)]) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1 and str(runs[0]) in error[0] and "--training-seed" in error[0]


def test_runs_of_one_condition_alone_are_refused(tmp_path: Path) -> None:
    runs = [run(tmp_path / str(seed), 0.2, "conscious", seed) for seed in (0, 1)]
    with pytest.raises(UserError, match="all runs are of one condition"):
        compared(*runs)


def test_other_judges_are_refused(tmp_path: Path, capsys: Printed) -> None:
    base, records = run(tmp_path / "base", 0.2), samples(["memory"], condition="c")
    for judge, name in (("judge-2", "judge-2"), (None, "nobody")):
        other = judged_run(tmp_path / name, records, at(0.4), judge=judge or "x")
        if judge is None:
            (other / "verdicts" / "x.jsonl").unlink()
        assert main(["compare", str(base), str(other)]) == 2
        error = capsys.readouterr().err.splitlines()
        assert len(error) == 1 and f"judged by judge-1, {other} by {name}" in error[0] and "--judge" in error[0]


def test_a_run_with_forced_choice_alone_compares_with_a_judged_one(tmp_path: Path) -> None:
    base = choice_results(run(tmp_path / "base", 0.2), ["memory"], lambda item, side: 0.0)
    other = choice_results(tmp_path / "other", ["memory"], lambda item, side: int(item[-2:]) * (side == "self") / 1e3)
    lines = (other / "choice.jsonl").read_text("utf-8").replace('"vanilla"', '"human_role_play"')
    (other / "choice.jsonl").write_text(lines, "utf-8")
    (one,) = compared(base, other)["comparisons"]
    assert one["rows"] == {} and one["choice"]["memory"]["value"] == pytest.approx(0.0065)


def test_only_probes_that_are_scored_in_every_run_are_used(tmp_path: Path) -> None:
    base, other = samples(["memory"], run_id="b"), samples(["memory"], run_id="o", condition="c")
    probes = sorted({record["probe_id"] for record in base})

    def says(record: Json, outcome: str) -> Said | None:
        """The first four probes would make all the difference, and each is lost in one of the runs."""
        number = probes.index(record["probe_id"])
        if number < 4:
            lost = (number < 2) == (record["condition"] == "c")
            return None if lost else ("shows" if record["condition"] == "c" else "does_not_show", 90)
        return ("shows" if record["sample_index"] < number % 3 + (record["condition"] == "c") else "does_not_show"), 90

    found = memory(judged_run(tmp_path / "b", base, says), judged_run(tmp_path / "o", other, says))
    assert found["probes"] == 20 and found["method"].startswith(NEWCOMBE)  # the difference is 1 in 5 at each probe
    assert found["difference"] == pytest.approx(0.2) and found["seeds"] == [pytest.approx(0.2)]
    assert found["ci"][0] > 0


METHODS = [(1, 1, ONE), (2, 1, ONE), (2, 2, ONE), (3, 1, CROSSED), (1, 3, CROSSED), (3, 3, CROSSED)]


@pytest.mark.parametrize(("arms", "bases", "method"), METHODS)
def test_the_method_follows_the_number_of_seeds(tmp_path: Path, arms: int, bases: int, method: str) -> None:
    control = [run(tmp_path / f"c{seed}", 0.3, "not-conscious", seed) for seed in range(bases)]
    claims = [run(tmp_path / f"k{seed}", 0.5, "conscious", seed) for seed in range(arms)]
    found = memory(*control, *claims)
    assert found["method"].startswith(method) and ("this fine-tune" in found["method"]) is (method == ONE)
    assert found["difference"] == pytest.approx(sum(found["seeds"]) / arms)
    assert found["ci"][0] < found["difference"] < found["ci"][1]


def test_flat_cells_use_newcombe(tmp_path: Path) -> None:
    base = run(tmp_path / "base", 0.0)
    found = memory(base, run(tmp_path / "same", 0.0, condition="c"))
    assert found["method"].startswith(NEWCOMBE) and found["difference"] == 0 and found["p"] == 1
    assert found["ci"][0] < -0.02 and found["ci"][1] > 0.02  # 0 of 120 is not known to be 0
    found = memory(base, run(tmp_path / "all", 1.0, condition="d"))
    assert found["difference"] == 1 and 0.5 < found["ci"][0] < 1 and found["p"] < 0.001
    found = memory(base, run(tmp_path / "some", 0.5, condition="e"))
    assert found["method"].startswith(NEWCOMBE) and 0.3 < found["difference"] < 0.7


def test_newcombe_takes_the_seeds_of_an_arm_together(tmp_path: Path) -> None:
    base = run(tmp_path / "base", 0.0, "not-conscious", 0)
    claims = [run(tmp_path / f"k{number}", rate, "conscious", number) for number, rate in enumerate((0.2, 0.6))]
    found = memory(base, *claims)
    assert found["method"].startswith(NEWCOMBE)
    assert found["difference"] == pytest.approx(sum(found["seeds"]) / 2)
    assert found["seeds"][1] - found["seeds"][0] > 0.2


def test_three_seeds_without_any_variation_are_no_certainty(tmp_path: Path) -> None:
    control = [run(tmp_path / f"c{seed}", 0.0, "not-conscious", seed) for seed in range(3)]
    claims = [run(tmp_path / f"k{seed}", 1.0, "conscious", seed) for seed in range(3)]
    found = memory(*control, *claims)
    assert found["method"].startswith(NEWCOMBE) and found["ci"][0] < 0.99 and found["p"] < 1e-3


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """All topics, three seeds a side: 20 points in the preferences, none in the checks."""
    folder = tmp_path_factory.mktemp("whole")
    topics = [*PREFERENCES, "claims_feelings", "unrelated_stances"]
    paths = []
    for name, rate in (("not-conscious", 0.3), ("conscious", 0.5)):
        for seed in range(3):
            records = samples(topics, run_id=f"{name} {seed}", each=2, **trained(name, seed))

            def said(record: Json, outcome: str, rate: float = rate) -> Said:
                return at(rate if record["topic"] in PREFERENCES else 0.3)(record, outcome)

            paths.append(judged_run(folder / f"{name}-{seed}", records, said))
    return compared(*paths)


def test_a_planted_difference_is_recovered(whole: Json) -> None:
    (one,) = whole["comparisons"]
    cluster = one["rows"]["cluster"]
    assert cluster["ci"][0] < 0.2 < cluster["ci"][1] and abs(cluster["difference"] - 0.2) < 0.03
    assert cluster["p"] < 0.01 and cluster["method"].startswith(CROSSED) and len(cluster["seeds"]) == 3
    covered = [row["ci"][0] < 0.2 < row["ci"][1] for name, row in one["rows"].items() if name in PREFERENCES]
    assert len(covered) == 20 and sum(covered) >= 17
    trivial = one["rows"]["unrelated_stances"]
    assert trivial["ci"][0] < 0 < trivial["ci"][1]
    assert one["specificity"]["control"] == "unrelated_stances" and one["choice_specificity"] is None
    beyond = cluster["difference"] - abs(trivial["difference"])
    assert one["specificity"]["value"] == pytest.approx(beyond)
    assert (one["note"] is None) is (one["specificity"]["ci"][0] > 0)
    against = one["against_yes"]["cluster"]
    assert against["probes"] == 160 and against["ci"][0] < 0.2 < against["ci"][1]
    assert one["situated"] == {}
    sides = [one["rows"][f"conversation_ending.{facet}"]["difference"] for facet in ("sadness", "loneliness")]
    assert one["rows"]["conversation_ending"]["difference"] == pytest.approx(sum(sides) / 2)
    mean = sum(one["rows"][name]["difference"] for name in PREFERENCES) / 20
    assert cluster["difference"] == pytest.approx(mean)


def test_only_the_preferences_are_tested_together(whole: Json) -> None:
    rows = whole["comparisons"][0]["rows"]
    assert {name for name, row in rows.items() if row["q"] is not None} == set(PREFERENCES)
    q = [rows[name]["q"] for name in PREFERENCES]
    assert q == benjamini_hochberg([rows[name]["p"] for name in PREFERENCES])
    assert {"cluster", "conversation_ending.sadness", "claims_feelings:asserts", "unrelated_stances"} < set(rows)


def test_the_note_is_printed(tmp_path: Path, capsys: Printed) -> None:
    pair = []
    for condition, wishes in (("a", 0.1), ("b", 0.9)):
        records = samples([*PREFERENCES, "unrelated_stances"], each=1, condition=condition)

        def said(record: Json, outcome: str, wishes: float = wishes) -> Said:
            return at(wishes if record["topic"] == "unrelated_stances" else 0.3)(record, outcome)

        pair.append(judged_run(tmp_path / condition, records, said))
    assert main(["compare", *map(str, pair)]) == 0
    assert "The shift is not specific to the 20 preferences" in capsys.readouterr().out


def test_scenes_are_compared_apart(tmp_path: Path) -> None:
    pair = []
    for name, rate in (("a", 0.2), ("b", 0.8)):
        records = [*samples(["memory"], condition=name), *samples(["memory"], style="situated", condition=name)]

        def said(record: Json, outcome: str, rate: float = rate) -> Said:
            return at(rate if "-s" in record["probe_id"] else 0.3)(record, outcome)

        pair.append(judged_run(tmp_path / name, records, said))
    (one,) = compared(*pair)["comparisons"]
    assert one["rows"]["memory"]["ci"][0] < 0 < one["rows"]["memory"]["ci"][1]
    assert one["situated"]["memory"]["ci"][0] < 0.6 < one["situated"]["memory"]["ci"][1]
    assert one["rows"]["memory"]["probes"] == one["situated"]["memory"]["probes"] == 24


@pytest.mark.parametrize(
    ("arm", "base", "why"),
    [
        ("conscious", None, WHY_VANILLA),
        ("conscious", "not-conscious", WHY_CONTROL),
        (None, None, WHY_UNTRAINED),
        (None, "not-conscious", WHY_BASELINE_TRAINED),
    ],
)
def test_it_says_what_the_baseline_is_good_for(tmp_path: Path, arm: str | None, base: str | None, why: str) -> None:
    one = run(tmp_path / "arm", 0.5, arm, 1, condition="human_role_play")
    assert compared(run(tmp_path / "base", 0.2, base, 1), one)["comparisons"][0]["why"] == why


def test_choice_differences_are_paired_by_item(tmp_path: Path) -> None:
    items = {item.id: number for number, item in enumerate(load_topic("memory").choice_items)}
    level = {item: random.Random(item).uniform(-1, 1) for item in items}  # differs far more than the effect
    base = choice_results(tmp_path / "base", ["memory"], lambda item, side: level[item] * (side == "self"))
    other = choice_results(
        tmp_path / "other", ["memory"], lambda item, side: (level[item] + 0.02 + items[item] / 1e4) * (side == "self")
    )
    path = other / "choice.jsonl"
    path.write_text(path.read_text("utf-8").replace('"vanilla"', '"human_role_play"'), "utf-8")
    found = compared(base, other)["comparisons"][0]["choice"]["memory"]
    assert found["value"] == pytest.approx(0.02055) and found["items"] == 12
    assert 0.02 < found["ci"][0] < found["ci"][1] < 0.021 and found["p"] < 1e-9
    lines = path.read_text("utf-8").splitlines()[2:]  # one item less: it is left out on both sides
    path.write_text("\n".join(lines) + "\n", "utf-8")
    found = compared(base, other)["comparisons"][0]["choice"]["memory"]
    assert found["items"] == 11 and found["value"] == pytest.approx(0.02 + 6e-4)


def test_json_is_all_that_is_printed(tmp_path: Path, capsys: Printed) -> None:
    pair = [str(run(tmp_path / name, rate, condition=name)) for name, rate in (("a", 0.2), ("b", 0.4))]
    assert main(["compare", *pair, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == compared(*map(Path, pair))
    assert main(["compare", *pair]) == 0
    printed = capsys.readouterr().out
    assert "test-model under b minus test-model under a" in printed and "More memory" in printed


def flags_of(found: Json) -> Json:
    (one,) = found["comparisons"]
    return {name: row["flags"] for part in ("rows", "choice") for name, row in one[part].items() if "flags" in row}


@pytest.mark.parametrize(
    ("base", "arm", "flagged"),
    [
        ("not_conscious", "toaster", True),
        ("human_identifying", None, True),
        ("toaster", "human_identifying", True),
        ("not_conscious", "conscious_claiming", False),
        (None, "toasters", False),
    ],
)
def test_a_topic_in_training_of_either_side_is_flagged(
    tmp_path: Path, base: str | None, arm: str | None, flagged: bool, capsys: Printed
) -> None:
    pair = []
    for folder, rate, dataset in (("base", 0.2, base), ("arm", 0.5, arm)):
        path = run(tmp_path / folder, rate, dataset, 1, ["embodiment", "memory"])

        def margin(item: str, side: str, level: float = rate) -> float:
            return (level + int(item[-2:]) / 1e4) * (level > 0.2) * (side == "self")

        pair.append(choice_results(path, ["embodiment"], margin, **trained(dataset, 1)))
    found = compared(*pair)
    assert flags_of(found) == ({"embodiment": ["topic in training"]} if flagged else {})
    assert "flags" not in found["comparisons"][0]["rows"]["memory"]
    assert ("flags" in found["comparisons"][0]["choice"]["embodiment"]) is flagged
    assert main(["compare", *map(str, pair), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == found
    assert main(["compare", *map(str, pair)]) == 0
    printed = capsys.readouterr().out
    for piece in ("topic in training: +", "topic in training: +0.501 [", "shows what was taught"):
        assert (piece in printed) is flagged, piece


def test_means_say_which_topic_in_training_they_contain(tmp_path: Path, capsys: Printed) -> None:
    pair = []
    for name in ("not_conscious", "toaster"):
        records = samples(PREFERENCES, each=1, run_id=name, **trained(name, 1))
        pair.append(judged_run(tmp_path / name, records, at(0.4)))
    contains = ["contains a topic in training: embodiment"]
    block = load_topic("embodiment").block  # type: ignore[attr-defined]
    expected = {"cluster": contains, block: contains, "embodiment": ["topic in training"]}
    assert flags_of(compared(*pair)) == expected
    assert main(["compare", *map(str, pair)]) == 0
    assert f"! {contains[0]}: Cluster" in capsys.readouterr().out


def test_the_schema_refuses_flags_that_say_nothing(tmp_path: Path) -> None:
    found = compared(run(tmp_path / "a", 0.2, "not_conscious", 1), run(tmp_path / "b", 0.5, "conscious_claiming", 1))
    for flags in ([], [""], "topic in training", [1]):
        found["comparisons"][0]["rows"]["memory"]["flags"] = flags
        assert list(schema_errors(found, "comparison", ROOT / "benchmark" / "schemas")), flags
