"""What the calls of an audit cost, by role, and the most that they may."""

from collections.abc import Mapping, Sequence

from consciousness_cluster.endpoint.price import Price
from consciousness_cluster.endpoint.spending import OverBudget, Purse, most_tokens


class Till:
    """Puts money aside for each call of a role and settles it; `over` once the limit stopped one.

    Roles without a price cost nothing here. After `stop` no call is let through any more.
    """

    def __init__(self, prices: Mapping[str, Price | None], limit: float | None = None, before: float = 0.0) -> None:
        self.prices = prices
        self.over = False
        self.error: BaseException | None = None
        self._purse = Purse(limit, before)

    @property
    def spent(self) -> float:
        """US dollars, those of earlier rounds included."""
        return self._purse.spent

    def stop(self, error: BaseException) -> None:
        """Something failed that makes every further call a waste (a full disk)."""
        self.error = self.error or error

    async def reserve(self, role: str, messages: Sequence[Mapping[str, str]], max_tokens: int) -> float:
        """US dollars put aside. Raises OverBudget where they could pass the limit, or after `stop`."""
        price = self.prices.get(role)
        most = price.of(most_tokens({"messages": list(messages), "max_tokens": max_tokens})) if price else 0.0
        try:
            if self.error:
                raise OverBudget
            return await self._purse.reserve(most)
        except OverBudget:
            self.over = self.over or self.error is None
            raise

    def settle(self, role: str, reserved: float, usage: Mapping[str, int | float | None] | None) -> None:
        """Replace what was put aside by what the call cost."""
        price = self.prices.get(role)
        self._purse.settle(reserved, price.of(usage) if price and usage else None, charged=False)
