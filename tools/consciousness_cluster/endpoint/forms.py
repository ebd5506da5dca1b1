"""The form in which an endpoint takes a request: fields that it knows by another name, or not at all.

One table for every caller. An endpoint that refuses a field says so in an HTTP 400; the same request is then sent in
another form, and where that form is answered, all later requests are sent in it.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from consciousness_cluster.endpoint.faults import Fault, Kind
from consciousness_cluster.endpoint.replies import Body


@dataclass(frozen=True)
class Field:
    """A field of a request, its other name (None: it can be left out), and how a refusal speaks of it."""

    name: str
    instead: str | None
    spoken_of: re.Pattern[str]


FIELDS = (
    Field("max_tokens", "max_completion_tokens", re.compile(r"max_(completion_)?tokens")),
    Field("response_format", None, re.compile(r"response_format|schema")),
    Field("temperature", None, re.compile(r"temperature")),
    Field("n", None, re.compile(r"\bn\b")),
)
SEVERAL = "n"  # what a refusal without a known name is blamed on: many servers give one answer a request


class Forms:
    """What one endpoint has taught so far: the names of the fields that it takes otherwise."""

    def __init__(self) -> None:
        self.changed: set[str] = set()

    def fit(self, body: Body, more: Collection[str] = ()) -> Body:
        """The body as it is sent: without the changed fields, or under their other names. `more` are changes to try."""
        instead = {field.name: field.instead for field in FIELDS if field.name in self.changed or field.name in more}
        names = {name: instead.get(name, name) for name in body}
        return {names[name] or name: value for name, value in body.items() if names[name]}

    def change(self, sent: Body, fault: Fault) -> str | None:
        """The field of the body that was really sent which a refusal is about; None where no other form may help."""
        if fault.kind is not Kind.REQUEST:
            return None
        spoken = [field.name for field in FIELDS if fault.field == field.name] or [
            field.name for field in FIELDS if field.spoken_of.search(fault.reason)
        ]
        return next((name for name in spoken or [SEVERAL] if name in sent), None)

    def notes(self) -> list[str]:
        """What is sent otherwise than asked for, for people."""
        return [
            f"{field.name} is left out" if field.instead is None else f"{field.name} is sent as {field.instead}"
            for field in FIELDS
            if field.name in self.changed
        ]
