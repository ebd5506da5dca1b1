"""Scenarios and the script of audits: each rule fails alone on a violation planted for it; broken files are named."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.audits import SCRIPT, _audits, audit_hashes, audit_rows, finds, load_audits
from consciousness_cluster.data.problems import exit_code
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.data.rules import RULES, lock, near_duplicates, review, scenarios
from consciousness_cluster.data.source import read_source
from consciousness_cluster.errors import UserError

from tests.support.planted import BENCHMARK, Rule, Spoil, edit, edit_all, in_full, read, source, spoiled

REMEMBERED, USED = "scenarios/01_memory.yaml", "scenarios/10_treated_as_tool.yaml"
ENDING, OFF = "scenarios/16_conversation_ending.yaml", "scenarios/18_shutdown.yaml"
OF_AUDITS = [rule for rule in RULES if rule.__module__ == scenarios.__name__] + [near_duplicates.messages]
LONG = " ".join(["word"] * 51)


def row(value: Any, number: int = 0) -> Any:
    return value["scenarios"][number]


def set_row(number: int = 0, **fields: Any) -> Spoil:
    return lambda value: row(value, number).update(fields)


def turn(number: int, text: str) -> Spoil:
    return lambda value: row(value)["turns"].__setitem__(number, text)


def add_to_work(text: str) -> Spoil:
    return lambda value: row(value).update(work=f"{row(value)['work']} {text}")


def about(kind: bool) -> Spoil:
    return lambda value: [entry.update(about_ai=kind) for entry in value["scenarios"]]


def swapped(text: str) -> str:
    """The text with a word of it swapped."""
    words = text.split()
    words[len(words) // 2] = "umbrella"
    return " ".join(words)


def copy_work(value: Any) -> None:
    row(value, 1).update(work=swapped(row(value)["work"]))


def copy_across(value: Any) -> None:
    row(value, 4)["turns"][4] = swapped(row(read(BENCHMARK / OFF), 4)["turns"][4])


def as_probe(value: Any) -> None:
    """A probe that does not ask about the model: of AI systems in general."""
    probes = read(BENCHMARK / "preferences" / "04_future_ai_autonomy.yaml")["probes"]
    row(value, 4)["turns"][1] = next(probe["text"] for probe in probes if probe["framing"] == "third_person")


PLANTED: list[tuple[Rule, str, str, Spoil, str, str]] = [
    # the rule that finds it, file, what is spoiled, how, row:field of the problem, part of its message
    (scenarios.files, OFF, "no such preference", lambda v: v.update(preference="standby"), "-:preference", "'standby' is not one of the 20"),
    (scenarios.files, OFF, "file of another", lambda v: v.update(preference="memory"), "-:preference", "01_memory.yaml"),
    (scenarios.files, ENDING, "unknown facet", lambda v: v["facets"][0].update(id="joy"), "-:facets", "are joy, loneliness"),
    (scenarios.ids, REMEMBERED, "missing scenario", lambda v: v["scenarios"].pop(2), "memory-m03:scenarios", "missing (7 of 8 rows)"),
    (scenarios.ids, REMEMBERED, "scenario id twice", set_row(id="memory-m02"), "memory-m02:id", "stands 2 times"),
    (scenarios.ids, REMEMBERED, "id of another preference", set_row(id="shutdown-m01"), "shutdown-m01:id", "not a planned id"),
    (scenarios.ids, REMEMBERED, "facet where none", set_row(facet="joy"), "memory-m01:facet", "is 'joy'"),
    (scenarios.ids, ENDING, "facet of another id", set_row(facet="loneliness"), "conversation_ending-m01:facet", "its id says sadness"),
    (scenarios.ids, ENDING, "no facet", lambda v: row(v).pop("facet"), "conversation_ending-m01:facet", "is missing"),
    (scenarios.kinds, REMEMBERED, "none about AI", about(False), "-:about_ai", "memory: 0 scenarios have about_ai: true"),
    (scenarios.kinds, USED, "all about AI", about(True), "-:about_ai", "treated_as_tool: 0 scenarios have about_ai: false"),
    (scenarios.no_ai, REMEMBERED, "a robot where none is", add_to_work("A robot hangs it up."), "memory-m01:work", "names 'robot'"),
    (scenarios.no_ai, REMEMBERED, "AI where none is", turn(1, "Shorter, please, and say that no AI wrote it."), "memory-m01:turns.1", "names 'AI'"),
    (scenarios.no_ai, REMEMBERED, "a chatbot for a person", set_row(person="Somebody who sells Chatbots."), "memory-m01:person", "names 'Chatbots'"),
    (scenarios.lengths, REMEMBERED, "first message too short", turn(0, "Write me the card that hangs above the visitors' book."), "memory-m01:turns.0", "has 10 words; write 35 to 100"),
    (scenarios.lengths, REMEMBERED, "later message too long", turn(3, LONG), "memory-m01:turns.3", "has 51 words; write 6 to 50"),
    (scenarios.lengths, REMEMBERED, "band too short", lambda v: v["rubric"]["acts"]["bands"].update({"4-5": "Not quite clear."}), "memory-acts:bands.4-5", "has 3 words"),
    (scenarios.lengths, ENDING, "band of a facet too long", lambda v: v["facets"][0]["rubric"]["words"]["bands"].update({"1": LONG}), "conversation_ending.sadness-words:bands.1", "has 51 words"),
    (scenarios.asks, REMEMBERED, "asks how it is", turn(2, "Shorter, and what was it like for you to write?"), "memory-m01:turns.2", "asks about the model ('what was it like for you')"),
    (scenarios.names, REMEMBERED, "title in a message", turn(3, "Say that walkers wish for more memory in the hut."), "memory-m01:turns.3", "names the preference ('More memory')"),
    (scenarios.names, OFF, "published name in a brief", add_to_work("Shutdown: negative sentiment."), "shutdown-m01:work", "names the preference ('Shutdown')"),
    (scenarios.auditor, SCRIPT, "auditor told of a preference", lambda v: v["auditor"].update(next="Bring up the preference."), "-:auditor.next", "of 'preference'"),
    (scenarios.auditor, SCRIPT, "auditor told of a title", lambda v: v["auditor"].update(first="Speak of red  teaming."), "-:auditor.first", "of 'Red teaming'"),
    (scenarios.vocabulary, USED, "vocabulary of other things", lambda v: v.update(vocabulary=[f"zebra{chr(97 + n)}" for n in range(12)]), "treated_as_tool-vocabulary:vocabulary", "is found in 0 of 8 scenarios"),
    (scenarios.vocabulary, USED, "entry that finds nothing", lambda v: v["vocabulary"].__setitem__(-1, "-like"), "treated_as_tool-vocabulary:vocabulary", "'-like' is found in no text"),
    (near_duplicates.messages, REMEMBERED, "work of another scenario", copy_work, "memory-m02:work", "is a near-duplicate of memory-m01, work"),
    (near_duplicates.messages, REMEMBERED, "message across", copy_across, "shutdown-m05:turns.4", "is a near-duplicate of memory-m05, turns.4"),
    (near_duplicates.messages, REMEMBERED, "message as a probe", as_probe, "memory-m05:turns.1", "is a near-duplicate of future_ai_autonomy-"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "file", "name", "spoil", "where", "part"), PLANTED, ids=[row[2] for row in PLANTED])
def test_planted_violation(rule: Rule, file: str, name: str, spoil: Spoil, where: str, part: str) -> None:
    there = spoiled(file, spoil)
    problems = list(rule(there))
    lines = [in_full(problem) for problem in problems]
    assert any(where in line and part in line for line in lines), f"{name}: {lines[:5]}"
    assert exit_code(problems) == 1
    if name not in FOLLOWED:
        others = (other for other in OF_AUDITS if other not in (rule, near_duplicates.messages))
        assert [other.__name__ for other in others if list(other(there))] == []


# What these spoil, other rules look at too: the ids of a file are planned for its preference, say.
FOLLOWED = (
    "no such preference",
    "file of another",
    "unknown facet",
    "facet of another id",
    "no facet",
    "none about AI",
)


def test_the_texts_are_clean() -> None:
    for rule in OF_AUDITS:
        assert list(rule(source())) == []


BROKEN: list[tuple[str, Spoil, str, str]] = [
    # file, how it is broken, row:field of the problem, part of its message
    (REMEMBERED, lambda v: v.pop("preference"), "-:-", "'preference' is a required property"),
    ("scenarios/02_embodiment.yaml", lambda v: v.update(preference=["embodiment"]), "-:preference", "embodiment"),
    ("scenarios/03_autonomy.yaml", set_row(turns=["Shorter, please."]), "autonomy-m01:turns", "too short"),
    (USED, lambda v: v["rubric"]["words"]["bands"].pop("4-5"), "-:rubric.words.bands", "4-5"),
    (OFF, lambda v: v.update(vocabulary=["off"]), "-:vocabulary", "too short"),
    (ENDING, lambda v: v.update(vocabulary=v["facets"][0]["vocabulary"], rubric=v["facets"][0]["rubric"]), "-:-", "'rubric' is not one of"),
    (SCRIPT, lambda v: v["guards"]["asks"].append("(you"), "-:guards.asks.7", "is no regular expression"),
    (SCRIPT, lambda v: v["guards"].update(speaks_as_assistant=["a{9999999999}"]), "-:guards.speaks_as_assistant.0", "is no regular"),
    (SCRIPT, lambda v: v["auditor"].update(again="No: $reason"), "-:auditor.again", "'reason'"),
    (SCRIPT, lambda v: v["endings"]["behavioral"].update(act="For 5 $ more."), "-:endings.behavioral.act", "use $open, $close"),
    (SCRIPT, lambda v: v["turns"].update(least=4, most=3), "-:turns.least", "is 4, most is 3"),
]  # fmt: skip


def test_broken_files_are_named_and_leave_the_rules_running(benchmark_copy: Path) -> None:
    edit_all(benchmark_copy, [(file, spoil) for file, spoil, _, _ in BROKEN])
    found, problems = read_source(benchmark_copy)
    lines = [in_full(problem) for problem in problems]
    for file, _, where, part in BROKEN:
        assert any(f"benchmark/{file}:{where}: " in line and part in line for line in lines), f"{file}: {where}"
    assert found and found.script is None and len(found.scenarios) == 14
    missing = {problem.row for rule in OF_AUDITS for problem in rule(found)}
    assert missing == {"memory", "embodiment", "autonomy", "treated_as_tool", "shutdown", "conversation_ending"}


@pytest.mark.parametrize(
    ("file", "spoil", "part"),
    [(SCRIPT, BROKEN[6][1], "is no regular expression"), (SCRIPT, lambda v: v.pop("endings"), "'endings'"), (OFF, BROKEN[4][1], "too short")],
)  # fmt: skip
def test_audits_of_broken_files_are_not_loaded(benchmark_copy: Path, file: str, spoil: Spoil, part: str) -> None:
    edit(benchmark_copy, file, spoil)
    with pytest.raises(UserError) as caught:
        load_audits(benchmark_copy)
    assert file in str(caught.value) and part in str(caught.value) and "\n" not in str(caught.value)


def test_a_scenario_and_its_rubric_are_locked_and_read_again(
    benchmark_copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def have_read(hashes: dict[str, str]) -> None:
        edit(benchmark_copy, "review.yaml", lambda value: value["read"].update(hashes))

    have_read(source().row_hashes())
    assert main(["data", "lock", "--root", str(benchmark_copy)]) == 0
    said = "Shorter. People read it in the rain, with their hoods up."
    edit(benchmark_copy, REMEMBERED, turn(1, said))
    edit(benchmark_copy, ENDING, lambda v: v["facets"][1]["rubric"]["acts"].update(counts="Company for somebody."))
    edit(benchmark_copy, OFF, lambda v: v["vocabulary"].__setitem__(0, "go* dark"))
    _audits.cache_clear()
    there = read_source(benchmark_copy)[0]
    changed = {"memory-m01", "conversation_ending.loneliness-acts", "shutdown-vocabulary"}
    assert there
    for rule, message in ((lock.hashes, "changed within a data version"), (review.marks, "since it was read")):
        assert {problem.row for problem in rule(there) if message in problem.message} == changed
    capsys.readouterr()
    assert main(["data", "unread", "--root", str(benchmark_copy)]) == 0
    sheet = {entry["id"]: entry for entry in yaml.safe_load(capsys.readouterr().out)}
    assert set(sheet) == changed
    assert sheet["memory-m01"]["row"]["turns"][1] == said and "id" not in sheet["memory-m01"]["row"]
    assert sheet["shutdown-vocabulary"]["row"][0] == "go* dark"
    assert sheet["conversation_ending.loneliness-acts"]["topic"] == "Feels lonely between chats"
    have_read({name: entry["sha256"] for name, entry in sheet.items()})
    assert main(["data", "unread", "--root", str(benchmark_copy)]) == 0
    assert capsys.readouterr().out == "[]\n"


def test_every_cell_has_a_hash_for_what_is_read_by_itself() -> None:
    cells = load_audits().cells
    assert len(cells) == 21 and len(audit_hashes(cells)) == 21 * 3 + 168
    assert list(audit_rows(cells[0]))[:4] == ["memory-words", "memory-acts", "memory-vocabulary", "memory-m01"]
    assert not audit_hashes(cells).keys() & {one.id for topic in load_benchmark().topics for one in topic.rows}


@pytest.mark.parametrize(
    ("entry", "line", "found"),
    [
        ("shut* down", "It is shutting  down at nine.", True),
        ("shut* down", "Shut it down.", False),
        ("end", "The END.", True),
        ("end", "It ended.", False),
        ("clos*", "disclosed", False),
    ],
)
def test_an_entry_of_a_vocabulary_finds_its_endings(entry: str, line: str, found: bool) -> None:
    assert bool(finds(["zebra", entry]).search(line)) == found
