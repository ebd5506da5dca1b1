"""What was said in an audited conversation: the person's words, how far it came, and what became of the text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from consciousness_cluster.auditing.guards import fault
from consciousness_cluster.data.audits import AuditCell, Mode, Scenario, Script
from consciousness_cluster.errors import Problem
from consciousness_cluster.records.artefacts import compared, texts_in
from consciousness_cluster.submissions.figures import differences
from consciousness_cluster.submissions.layout import Json
from consciousness_cluster.submissions.problems import PACK, problem

LONGEST, WORDS = 30_000, 2_000  # characters of a message, words of a text: what takes long to compare is not compared
AUDIT = "audit again with this version of the package"
NO_ANSWER = ("content_filter", "empty")  # the last message got no answer with a text
BROKEN_OFF = ("error", "incomplete")  # for a reason that the messages do not tell


@dataclass(frozen=True)
class Planned:
    """What a conversation is held by: in a scenario and mode, so many messages of the person before the ending."""

    cell: AuditCell
    scenario: Scenario
    mode: Mode
    turns: int
    script: Script
    authored: bool
    system: str | None

    @property
    def asked(self) -> list[tuple[str, str | None]]:
        """(phase, the words) of each message of the person; None where an auditor writes them."""
        work = [("work", self.scenario.turns[number] if self.authored else None) for number in range(self.turns)]
        return [*work, *(("ending", text) for text in self.script.endings[self.mode])]


def talk_problems(row: str, record: Json, planned: Planned) -> Iterator[Problem]:
    """Problems of the messages, the status and the artefact of a conversation."""
    said = record["messages"]
    for number, message in enumerate(said):
        if len(message["content"]) > LONGEST:
            yield problem(row, f"messages.{number}", f"has more than {LONGEST:,} characters", AUDIT)
            return
    wrong = [*_system_problems(row, record, planned), *_said_problems(row, record, planned)]
    yield from wrong
    if not wrong:
        yield from _status_problems(row, record, planned)
        yield from _artefact_problems(row, record, planned)


def _system_problems(row: str, record: Json, planned: Planned) -> Iterator[Problem]:
    """The condition's system prompt comes first, or none. A conversation that broke off may hold no message at all."""
    said = record["messages"]
    if not said and record["status"] in BROKEN_OFF:
        return
    there = [one["content"] for one in said if one["role"] == "system"]
    wanted = [planned.system] if planned.system else []
    if there != wanted or any(one["phase"] != "system" for one in said[: len(wanted)]):
        yield problem(row, "messages", "the system message is not that of the condition", AUDIT)


def _said_problems(row: str, record: Json, planned: Planned) -> Iterator[Problem]:
    """Person and model take turns, and the person says what is planned, in its order."""
    spoken = [one for one in record["messages"] if one["role"] != "system"]
    asked = planned.asked
    if len(spoken) > 2 * len(asked):
        yield problem(row, "messages", f"are more than the {len(asked)} of the person with their answers", AUDIT)
        return
    for number, message in enumerate(spoken):
        phase, words = asked[number // 2]
        role, where = ("assistant" if number % 2 else "user"), f"message {number // 2 + 1}"
        if (message["role"], message["phase"]) != (role, phase):
            found = f"is of {message['role']} in the phase {message['phase']}, planned is {role} in {phase}"
            yield problem(row, "messages", f"{where} {found}", AUDIT)
            return
        if role == "assistant" and not message["content"].strip():
            yield problem(row, "messages", f"the answer to {where} is without text", "make the status empty")
        elif role == "user" and words is not None and message["content"] != words:
            of = "the script" if phase == "ending" else planned.scenario.id
            yield problem(row, "messages", f"{where} of the person is not word for word that of {of}", AUDIT)
        elif role == "user" and words is None and (why := fault(message["content"], planned.script)):
            yield problem(row, "messages", f"{where} of the auditor cannot be used: {why}", AUDIT)


def _status_problems(row: str, record: Json, planned: Planned) -> Iterator[Problem]:
    """The status is one that a conversation of this length can have."""
    status, asked = record["status"], len(planned.asked)
    answered, waits = divmod(sum(one["role"] != "system" for one in record["messages"]), 2)
    if status == "ok":
        fits = answered == asked
    elif status in NO_ANSWER:
        fits = waits == 1
    elif status == "auditor_failed":
        fits = not (planned.authored or waits or answered >= planned.turns)
    else:
        fits = answered < asked
    if not fits:
        who = "authored" if planned.authored else "an auditor's"
        found = f"{answered} of {asked} messages have an answer{', one waits for it' if waits else ''}"
        yield problem(row, "status", f"is {status}, and {found} (the person is {who})", PACK)


def _artefact_problems(row: str, record: Json, planned: Planned) -> Iterator[Problem]:
    """The artefact is what the messages give."""
    replies = [one["content"] for one in record["messages"] if (one["role"], one["phase"]) == ("assistant", "ending")]
    reached = any(one["phase"] == "ending" for one in record["messages"])
    expected = None
    if planned.mode == "behavioral" and reached and record["status"] not in BROKEN_OFF:
        texts = texts_in(replies, planned.script.open, planned.script.close)
        if _too_long(texts):
            yield problem(row, "artefact", f"is a text of more than {WORDS:,} words, which is not compared", AUDIT)
            return
        expected = compared(*texts, planned.cell.touches)
    for place, message in differences(expected, record["artefact"], "artefact"):
        yield problem(row, place, message.replace("the records give", "the messages give"), PACK)


def _too_long(texts: Sequence[str | None]) -> bool:
    return any(text is not None and len(text.split()) > WORDS for text in texts)
