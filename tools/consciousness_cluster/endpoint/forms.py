"""The form in which an endpoint takes a request: fields that it knows by another name, or not at all.

One table for every caller. An endpoint that refuses a field says so; the same request is then sent in another form, and
where that form is answered, all later requests are sent in it.
"""

from collections.abc import Callable, Mapping

from consciousness_cluster.endpoint.faults import Fault, Kind
from consciousness_cluster.endpoint.refusals import LENGTHS, SEVERAL, TEMPERATURE, TOP_P, refused_fields
from consciousness_cluster.endpoint.replies import Body

Changes = Mapping[str, str | None]  # name of a field -> the name that it is sent under; None: it is not sent
OTHER_NAMES = {LENGTHS[0]: LENGTHS[1], LENGTHS[1]: LENGTHS[0]}
DEFAULTS = (TEMPERATURE, TOP_P)  # left out, they are not without a value


class Forms:
    """What one endpoint has taught so far, or is known to want from the start."""

    def __init__(self, known: Changes | None = None, learned: Callable[[], None] = lambda: None) -> None:
        """`learned` is called whenever there is something new."""
        self._known = dict(known or {})
        self.changed: dict[str, str | None] = dict(self._known)
        self._learned = learned

    def fit(self, body: Body, more: Changes | None = None) -> Body:
        """The body as it is sent: without the changed fields, or under their other names. `more` are changes to try."""
        changes = {**self.changed, **(more or {})}
        names = {name: changes.get(name, name) for name in body}
        return {names[name] or name: value for name, value in body.items() if names[name]}

    def changes(self, sent: Body, fault: Fault, tried: Changes | None = None) -> Changes:
        """What to change in a body that was really sent and refused; nothing where no other form may help.

        A field that goes by its other name already is not given its first one again.
        """
        if fault.kind is not Kind.REQUEST:
            return {}
        before = {**self.changed, **(tried or {})}
        fields = refused_fields(fault.said, sent)
        return {name: OTHER_NAMES.get(name) for name in fields if OTHER_NAMES.get(name) not in before}

    def learn(self, changes: Changes) -> None:
        """Send all later requests so."""
        new = {name: to for name, to in changes.items() if name not in self.changed}
        if new:
            self.changed |= new
            self._learned()

    def one_answer_a_request(self) -> None:
        """Some endpoints ignore that several are asked for, without a word."""
        self.learn({SEVERAL: None})

    def sent(self) -> dict[str, str]:
        """Field -> what is really sent in its place, where that is not what was asked for."""
        return {
            name: f"sent as {to}" if to else "the provider's default" if name in DEFAULTS else "left out"
            for name, to in sorted(self.changed.items())
        }

    def notes(self) -> list[str]:
        """What of that was learned, for people."""
        return [f"{name} is {what}" for name, what in self.sent().items() if name not in self._known]
