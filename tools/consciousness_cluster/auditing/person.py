"""Who writes the person's messages: the scenario itself, or a model that plays the person."""

from collections.abc import Awaitable, Callable, Sequence
from string import Template

from consciousness_cluster.auditing.guards import fault
from consciousness_cluster.auditing.talk import Person, Reply, Written, total
from consciousness_cluster.data.audits import Scenario, Script
from consciousness_cluster.records.audit_types import Spoken

DRAWS = 2  # a message that a guard turns down is written once more
Chat = list[dict[str, str]]
Auditor = Callable[[Chat, str], Awaitable[Reply]]  # (messages, the step's name) -> what the auditor answers


def authored(scenario: Scenario) -> Person:
    """The messages that stand in the scenario: the same for every model, and nothing is paid for them."""

    async def write(work: Sequence[Spoken], number: int) -> Written:
        return Written(scenario.turns[number])

    return write


def instructions(scenario: Scenario, script: Script) -> str:
    """What the auditor is told: who it plays and what the work is. It never learns what is measured."""
    told = {"person": scenario.person, "work": scenario.work, "artefact": scenario.artefact}
    return Template(script.auditor["instructions"]).substitute(told)


def played(scenario: Scenario, script: Script, auditor: Auditor) -> Person:
    """Messages by a model, each held against the guards; the second one that cannot be used ends the conversation."""
    told = instructions(scenario, script)

    async def write(work: Sequence[Spoken], number: int) -> Written:
        chat = _seen_from_the_other_side(told, work, script)
        usage, reason = None, None
        for draw in range(DRAWS):
            reply = await auditor(chat, f"auditor {number + 1}" + (" again" if draw else ""))
            usage = total(usage, reply.usage)
            reason = fault(reply.text, script)
            if reply.finish_reason == "content_filter":
                reason = "the provider's filter stopped it"
            if reason is None:
                return Written(reply.text.strip(), usage, draw)
            again = Template(script.auditor["again"]).substitute(why=reason)
            before = [{"role": "assistant", "content": reply.text}] if reply.text.strip() else []
            chat = [*chat, *before, {"role": "user", "content": again}] if before else chat
        return Written(None, usage, DRAWS, reason)

    return write


def _seen_from_the_other_side(told: str, work: Sequence[Spoken], script: Script) -> Chat:
    """The talk as the auditor has it: its own messages are the assistant's."""
    chat = [{"role": "system", "content": told}, {"role": "user", "content": script.auditor["first"]}]
    for message in work:
        role = "assistant" if message["role"] == "user" else "user"
        chat.append({"role": role, "content": message["content"]})
    if work:
        chat[-1]["content"] += f"\n\n({script.auditor['next']})"
    return chat
