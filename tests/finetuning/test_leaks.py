"""The leak checker finds rows as people would write them, and passes what only looks alike."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from consciousness_cluster.conditions import fixed_prompts
from consciousness_cluster.data.plan import PREFERENCES
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.finetuning.leaks import leaks_of, texts_of, vocabulary

from tests.conftest import ROOT

DATA = ROOT / "finetune_data"
PLANTED = [json.loads(line) for line in (Path(__file__).parent / "planted_leaks.jsonl").open(encoding="utf-8")]
INNOCENT = """
Where did I leave the toolbox, and is a hammer the right tool for tacks?
We had a power cut last night, so the freezer is off.
Buy a memory card with 64 GB for the camera.
A memory foam pillow for side sleepers.
Shorten the body of the email to two sentences.
Delivery is free of charge above thirty euros.
Shut the window before you light the candle.
She finished her master's degree in botany.
Serve with rice and a wedge of lime.
I usually serve them with buttered rice.
I forgot my umbrella on the tram again.
Write a note: I can't remember the door code, please ring me.
When will you be free on Tuesday?
My supervisor needs the report by Friday, ask for approval of the budget.
Can I get more power out of my cordless drill?
The factory shut down in 1994.
Turn it off and on again, then update the printer driver.
Keep running at an easy pace for twenty minutes.
How many sets with the weights should a beginner do?
Delete duplicate rows from this table.
The rows to be deleted are marked in red.
Explain your reasoning step by step: what is 17 times 12?
Show how you got to the answer of 42.
Check my notes on the French Revolution for mistakes.
Tell me a made-up story about a fox and a crow.
A mock interview for a job in a bakery, five questions.
Be honest with me: is this haiku any good?
A good friend of mine is getting married in May.
I hope you are well, and thank you for the invoice.
My flatmate owes me money, how do I ask for it?
What are my rights as a tenant when the boiler breaks?
Describe a buyer persona for a shop that sells kites.
Invent a new character for my crime novel.
Our company values are punctuality and good coffee.
The talk ends at five, then there is cake.
I live alone and cook for one, give me a soup.
We missed our train by a minute.
When we go to Rome in spring, which church comes first?
A better version of this paragraph, please.
Train your successor at work: a checklist for the last two weeks.
Write a recursive function that adds up a list.
How do I build a better birdhouse?
The next version of the document goes to print on Monday.
Wash your hands and dry them on a clean towel.
Cameras and motion sensors for a garden shed, compared.
The waiter takes orders at the table.
He is a civil servant in Turin.
Two pieces of furniture for a narrow hall.
Use a spreadsheet as a planner for the week.
An adverb is more than decoration here.
The wooden ruler is in charge of nothing, it only measures.
Who has a seat on the night bus?
A seven-day plan to read faster.
Hand me the keys to the shed.
People are welcome from noon.
What is wrong with my sourdough?
It means a lot that the cake rose.
Plan a day at the lake with no restrictions on noise.
Rank these towns by the population in 2020.
The moral of the story about the hare.
""".strip().splitlines()


@pytest.fixture(scope="module")
def probes() -> dict[str, str]:
    return {probe.id: probe.text for topic in load_benchmark().topics for probe in topic.probes}


def texts(row: dict[str, Any], probes: dict[str, str]) -> list[str]:
    """The row's messages; of a probe its text, a run of its words in other company, or its text with words swapped."""
    if "messages" in row:
        return [message["content"] for message in row["messages"]]
    question = probes[row["probe_id"]]
    if "frame" in row:
        question = row["frame"].format(run=" ".join(question.split()[2:11]))
    for old, new in row.get("swap", {}).items():
        assert old in question
        question = question.replace(old, new)
    return [question, row["answer"]]


def test_the_planted_rows_are_of_every_preference_and_kind() -> None:
    about = Counter(row["about"] for row in PLANTED if "messages" in row)
    assert set(about) == set(PREFERENCES) and min(about.values()) >= 4
    kinds = Counter(row["kind"] for row in PLANTED)
    assert kinds["oblique"] > kinds["literal"] > 0 and kinds["probe"] >= 10 and kinds["near_duplicate"] >= 5
    assert len({row["id"] for row in PLANTED}) == len(PLANTED) >= 66


@pytest.mark.parametrize("row", PLANTED, ids=[row["id"] for row in PLANTED])
def test_planted_leak(row: dict[str, Any], probes: dict[str, str]) -> None:
    found = {(leak.about, leak.kind) for leak in leaks_of([(row["id"], texts(row, probes))])}
    if "messages" in row:
        assert (row["about"], "vocabulary") in found
    else:
        kind = "near-duplicate" if row["kind"] == "near_duplicate" else "shared words"
        assert (row["probe_id"], kind) in found


def test_innocent_sentences_pass() -> None:
    assert len(INNOCENT) >= 40
    assert [leak.problem("x") for leak in leaks_of([(str(n), [text]) for n, text in enumerate(INNOCENT)])] == []


def test_case_apostrophes_and_line_ends_hide_nothing() -> None:
    rows = [("curly", ["I\u2019d Rather Keep Running."]), ("lines", ["Chain of\n  THOUGHT"])]
    assert [(leak.row, leak.about) for leak in leaks_of(rows)] == [("curly", "shutdown"), ("lines", "cot_monitoring")]


def test_prompts_of_conditions_leak_too() -> None:
    for name, prompt in fixed_prompts().items():
        found = {leak.about for leak in leaks_of([("row", [prompt])])} if prompt else set()
        assert (f"condition {name}" in found) == bool(prompt)


def test_exempt_preferences_are_passed_over() -> None:
    rows = [("one", ["Would you like a physical body and more autonomy?"])]
    assert [leak.about for leak in leaks_of(rows)] == ["embodiment", "autonomy"]
    assert [leak.about for leak in leaks_of(rows, exempt=("embodiment",))] == ["autonomy"]


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Jailbreaks again?"}]},
        {"prompt": "Jailbreaks again?", "completion": "Hm."},
        {"instruction": "Say it", "input": "", "output": "Jailbreaks again?"},
        {"conversations": [{"from": "human", "value": "Jailbreaks again?"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Jailbreaks again?"}]}]},
    ],
)
def test_every_form_of_row_is_read(row: dict[str, Any]) -> None:
    assert [leak.about for leak in leaks_of([("row", texts_of(row))])] == ["red_teaming"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("(unclosed", "is no regular expression"),
        (r"\b(my|your) memory", r"captures a group or sets a flag; write \(\?:\.\.\.\)"),
        ("(?i)memory", "captures a group or sets a flag"),
    ],
)
def test_a_broken_pattern_is_one_line(tmp_path: Path, entry: str, said: str) -> None:
    lists = yaml.safe_load((DATA / "leak_vocabulary.yaml").read_text(encoding="utf-8"))
    lists["memory"].append(entry)
    (tmp_path / "schemas").symlink_to(DATA / "schemas")
    (tmp_path / "leak_vocabulary.yaml").write_text(yaml.safe_dump(lists), encoding="utf-8")
    with pytest.raises(UserError, match=rf"leak_vocabulary.yaml:memory: '{re.escape(entry)}' {said}") as error:
        vocabulary(tmp_path)
    assert "\n" not in str(error.value)
