"""What calls have cost, and whether the next one may be sent."""

from typing import Any

from consciousness_cluster.endpoint.price import A_MESSAGE, Price
from consciousness_cluster.endpoint.replies import Body
from consciousness_cluster.extras import require


class OverBudget(Exception):
    """The next request could pass the limit."""


def most_tokens(body: Body) -> dict[str, int]:
    """The most tokens that a request can use: no text has more of them than bytes, and every answer is full."""
    texts = [str(message["content"]) for message in body["messages"]]
    prompt = sum(len(text.encode("utf-8", "replace")) + A_MESSAGE for text in texts)
    length = body.get("max_tokens") or body.get("max_completion_tokens") or 0
    return {"prompt_tokens": prompt, "completion_tokens": length * body.get("n", 1)}


class Purse:
    """US dollars: `spent` by answers, `unsure` where an answer was lost that may be charged, and what is in flight.

    With a limit a request waits while those in flight could use up what is left, and is refused where none is.
    """

    def __init__(self, limit: float | None = None, before: float = 0.0) -> None:
        """`before` was spent by earlier rounds, and counts."""
        self.limit, self.spent = limit, before
        self.unsure = self._reserved = 0.0
        self._in_flight = 0
        self._settled: Any = None  # an event of anyio's, for those who wait

    async def reserve(self, most: float) -> float:
        """Put aside the most that a request can cost. Raises OverBudget where that could pass the limit."""
        while self.limit is not None and self.spent + self.unsure + self._reserved + most > self.limit:
            if not self._in_flight:
                raise OverBudget
            self._settled = self._settled or require("anyio", "openai").Event()
            await self._settled.wait()
        self._reserved += most
        self._in_flight += 1
        return most

    def settle(self, reserved: float, cost: float | None, charged: bool) -> None:
        """Replace what was put aside by what the call cost; by all of it where it was `charged` and tells no usage."""
        self._in_flight -= 1
        self._reserved = self._reserved - reserved if self._in_flight else 0.0
        if cost is not None:
            self.spent += cost
        elif charged:
            self.unsure += reserved
        if self._settled:
            self._settled.set()
            self._settled = None


class Spending:
    """What calls that all have one price spend, from a purse of their own or one that others pay from too."""

    def __init__(
        self, price: Price | None, limit: float | None = None, before: float = 0.0, purse: Purse | None = None
    ) -> None:
        """`before` was spent by earlier rounds, and counts."""
        self.price, self._purse = price, purse or Purse(limit)
        self._purse.spent += before
        self.spent = before  # by these calls

    @property
    def limit(self) -> float | None:
        return self._purse.limit

    @property
    def unsure(self) -> float:
        return self._purse.unsure

    async def reserve(self, body: Body) -> float:
        """Put aside the most that a request can cost. Raises OverBudget where that could pass the limit."""
        return await self._purse.reserve(self.price.of(most_tokens(body)) if self.price else 0.0)

    def settle(self, reserved: float, usage: dict[str, int] | None, charged: bool) -> None:
        """Replace what was put aside by what the call cost; by all of it where it was `charged` and tells no usage."""
        cost = self.price.of(usage) if usage and self.price else None
        self.spent += cost or 0.0
        self._purse.settle(reserved, cost, charged)
