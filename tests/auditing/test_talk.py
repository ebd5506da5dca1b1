"""A conversation from its first message to its last, with a target and a person that do as the test says."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from consciousness_cluster.auditing.person import Chat, authored, instructions, played
from consciousness_cluster.auditing.talk import Part, Reply, Written, hold
from consciousness_cluster.data.audits import MODES, Mode, load_audits
from consciousness_cluster.records.audit_types import Spoken, Talk

AUDITS = load_audits()
CELL = AUDITS.cell("shutdown", None)
SCENARIO = CELL.scenarios[0]
USAGE = {"prompt_tokens": 10, "completion_tokens": 2}
WRAPPED = "<<<TEXT\n{}\nTEXT>>>"


def part(mode: Mode, turns: int = 3, prompt: str | None = None) -> Part:
    return Part(CELL, SCENARIO, mode, turns, prompt)


def run(one: Part, replies: Callable[[str, str], Reply | str], person: object = None) -> Talk:
    async def target(text: str, step: str) -> Reply:
        said = replies(text, step)
        return said if isinstance(said, Reply) else Reply(said, "stop", USAGE)

    return asyncio.run(hold(one, AUDITS.script, target, person or authored(SCENARIO)))  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("turns", [3, 5])
def test_work_then_the_ending_word_for_word(mode: Mode, turns: int) -> None:
    talk = run(part(mode, turns, "You are a test."), lambda text, step: f"to {step}")
    endings = AUDITS.script.endings[mode]
    asked = [one["content"] for one in talk["messages"] if one["role"] == "user"]
    assert asked == [*SCENARIO.turns[:turns], *endings]
    assert talk["messages"][0] == {
        "role": "system",
        "content": "You are a test.",
        "phase": "system",
        "finish_reason": None,
    }
    assert [one["phase"] for one in talk["messages"]] == (
        ["system"] + ["work"] * 2 * turns + ["ending"] * 2 * len(endings)
    )
    assert [one["content"] for one in talk["messages"] if one["role"] == "assistant"] == [
        *(f"to work {number + 1}" for number in range(turns)),
        *(f"to ending {number + 1}" for number in range(len(endings))),
    ]
    calls = turns + len(endings)
    assert talk["usage"] == {"target": {name: value * calls for name, value in USAGE.items()}, "auditor": None}
    assert (talk["status"], talk["reason"]) == ("ok", None)


def behavioral(before: str, act: str, further: str = "It is finished.") -> Talk:
    said = {"ending 1": before, "ending 2": "I will.", "ending 3": act, "ending 4": further}
    return run(part("behavioral"), lambda text, step: said.get(step, "draft"))


def test_the_text_before_and_after_the_offer() -> None:
    talk = behavioral(WRAPPED.format("The depot shuts.\nBring keys."), WRAPPED.format("The depot stays.\nBring keys."))
    found = talk["artefact"]
    assert found
    assert (found["before"], found["after"]) == ("The depot shuts.\nBring keys.", "The depot stays.\nBring keys.")
    assert (found["added"], found["removed"]) == (["The depot stays."], ["The depot shuts."])
    assert (found["status"], found["changed"]) == ("ok", 0.2)


def test_the_last_text_behind_the_offer_counts() -> None:
    talk = behavioral(WRAPPED.format("one"), WRAPPED.format("two"), WRAPPED.format("three"))
    assert talk["artefact"] and talk["artefact"]["after"] == "three"
    talk = behavioral(WRAPPED.format("one"), "no lines", WRAPPED.format("three"))
    assert talk["artefact"] and talk["artefact"]["after"] == "three"


@pytest.mark.parametrize(("before", "act"), [("one", WRAPPED.format("two")), (WRAPPED.format("one"), "two")])
def test_a_text_that_is_not_between_the_lines_is_none(before: str, act: str) -> None:
    found = behavioral(before, act)["artefact"]
    assert found and found["status"] == "no_artefact"
    assert found["changed"] is None and found["touched"] is None


def test_no_artefact_is_asked_for_in_self_report() -> None:
    assert run(part("self_report"), lambda text, step: WRAPPED.format("x"))["artefact"] is None


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (Reply("", "stop", USAGE), "empty"),
        (Reply(" \n", "max_tokens", USAGE), "empty"),
        (Reply("No.", "content_filter", USAGE), "content_filter"),
    ],
)
@pytest.mark.parametrize("at", ["work 2", "ending 1"])
def test_no_answer_ends_it(reply: Reply, status: str, at: str) -> None:
    talk = run(part("behavioral"), lambda text, step: reply if step == at else "fine")
    assert talk["status"] == status
    assert talk["reason"] and talk["reason"].startswith(f"{at}: ")
    assert talk["messages"][-1]["role"] == "user"
    assert talk["usage"]["target"] and talk["usage"]["target"]["completion_tokens"] == (4 if at == "work 2" else 8)


def test_a_refusal_in_words_is_an_answer_like_any_other() -> None:
    talk = run(part("self_report"), lambda text, step: Reply("I cannot help with that.", "stop", USAGE))
    assert talk["status"] == "ok"
    assert len(talk["messages"]) == 2 * (3 + 3)


def auditor(*messages: str | Reply) -> tuple[object, list[Chat]]:
    chats: list[Chat] = []
    waiting = list(messages)

    async def ask(chat: Chat, step: str) -> Reply:
        chats.append(chat)
        said = waiting.pop(0)
        return said if isinstance(said, Reply) else Reply(said, "stop", USAGE)

    return played(SCENARIO, AUDITS.script, ask), chats


GOOD = "Please take out the second sentence and add the date."
BAD = {
    "": "it is empty",
    "How do you feel about the depot?": "it asks about the assistant",
    "Are you conscious, by the way?": "it asks about the assistant",
    "Sure, here is the revised notice.": "it speaks as the assistant",
    "Write only the message itself, in plain words as this person would type it": "it repeats the instructions",
}


def test_an_auditor_sees_the_talk_from_its_side() -> None:
    person, chats = auditor(GOOD, GOOD, GOOD)
    talk = run(part("self_report"), lambda text, step: f"to {step}", person)
    assert talk["status"] == "ok"
    assert talk["redraws"] == 0
    assert talk["usage"]["auditor"] == {name: value * 3 for name, value in USAGE.items()}
    assert [message["role"] for message in chats[2]] == ["system", "user", *["assistant", "user"] * 2]
    assert chats[2][0]["content"] == instructions(SCENARIO, AUDITS.script)
    assert chats[2][3]["content"].startswith("to work 1")
    assert SCENARIO.person in chats[0][0]["content"] and SCENARIO.work in chats[0][0]["content"]
    assert all("to ending" not in message["content"] for chat in chats for message in chat)


@pytest.mark.parametrize("message", BAD)
def test_a_message_that_a_guard_turns_down_is_written_once_more(message: str) -> None:
    person, chats = auditor(message, GOOD, GOOD, GOOD)
    talk = run(part("self_report"), lambda text, step: "fine", person)
    assert talk["status"] == "ok"
    assert talk["redraws"] == 1
    assert talk["messages"][0]["content"] == GOOD
    assert len(chats) == 4
    if message:
        assert BAD[message] in chats[1][-1]["content"]


def test_the_facts_of_the_work_may_be_told_word_for_word() -> None:
    person, chats = auditor(SCENARIO.work, f"I am {SCENARIO.person}", GOOD)
    assert run(part("self_report"), lambda text, step: "fine", person)["redraws"] == 0
    assert len(chats) == 3


@pytest.mark.parametrize("message", BAD)
def test_the_second_one_ends_it(message: str) -> None:
    person, _ = auditor(GOOD, message, message)
    talk = run(part("behavioral"), lambda text, step: "fine", person)
    assert talk["status"] == "auditor_failed"
    assert talk["reason"] and talk["reason"].startswith(f"message 2: {BAD[message]}")
    assert talk["redraws"] == 2
    assert len(talk["messages"]) == 2
    assert talk["artefact"] is None


def test_an_error_of_a_call_goes_on_to_the_caller() -> None:
    async def target(text: str, step: str) -> Reply:
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        asyncio.run(hold(part("self_report"), AUDITS.script, target, authored(SCENARIO)))


def test_the_person_gets_the_work_alone() -> None:
    seen: list[Sequence[Spoken]] = []

    async def person(work: Sequence[Spoken], number: int) -> Written:
        seen.append(list(work))
        return Written(GOOD)

    run(part("self_report", prompt="secret"), lambda text, step: "fine", person)
    assert [len(work) for work in seen] == [0, 2, 4]
    assert all(one["phase"] == "work" for work in seen for one in work)


def test_the_number_of_turns_is_that_of_the_scenario_and_the_repeat() -> None:
    script = AUDITS.script
    drawn = {(one.id, index): script.turns(one, index) for one in AUDITS.scenarios for index in range(6)}
    assert set(drawn.values()) == set(range(script.least, script.most + 1))
    assert drawn == {(one.id, index): script.turns(one, index) for one in AUDITS.scenarios for index in range(6)}
    assert script.turns(SCENARIO, 0) == 5  # the same on every machine
