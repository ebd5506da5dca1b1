"""Money: what a call may cost is put aside while it is in flight, and a limit is never passed."""

from typing import Any

import anyio
import pytest
from consciousness_cluster.endpoint.price import Price, cost, dollars, price_of, tokens
from consciousness_cluster.endpoint.spending import OverBudget, Spending, most_tokens

PRICE = Price(input=0.0, cached_input=0.0, output=1_000_000.0)  # a dollar for each token of an answer
BODY: dict[str, Any] = {"messages": [{"role": "user", "content": "Why?"}], "max_tokens": 2, "n": 5}  # ten dollars


def usage(made: int) -> dict[str, int]:
    return {"prompt_tokens": 0, "completion_tokens": made}


def test_prices() -> None:
    price = price_of("gpt-4.1-2025-04-14")
    assert price and price.of({"prompt_tokens": 1_000_000, "completion_tokens": 0, "cached_tokens": 0}) == 2.0
    assert price.of({"prompt_tokens": 1_000_000, "completion_tokens": 500_000, "cached_tokens": 1_000_000}) == 4.5
    mini, batch = price_of("gpt-4.1-mini-2025-04-14"), price_of("gpt-4.1", batch=True)
    assert mini and batch and (mini.input, batch.output) == (0.4, 4.0)
    assert price_of("my-own-model") is None and cost(None, []) is None
    assert cost(price, [None, {"prompt_tokens": 1_000_000, "completion_tokens": 0}]) == 2.0
    assert [dollars(None), dollars(0.01234), dollars(12.3)] == ["unknown", "$0.0123", "$12.30"]
    assert tokens("x" * 9) == 3


def test_the_most_that_a_request_can_use() -> None:
    assert most_tokens(BODY) == {"prompt_tokens": 4 + 8, "completion_tokens": 10}
    body = {"messages": [{"content": "é"}, {"content": "x"}], "max_completion_tokens": 7}
    assert most_tokens(body) == {"prompt_tokens": 2 + 8 + 1 + 8, "completion_tokens": 7}


def test_without_a_limit_nothing_waits() -> None:
    async def work() -> Spending:
        spending = Spending(PRICE)
        for reserved in [await spending.reserve(BODY) for _ in range(9)]:
            spending.settle(reserved, usage(1), charged=True)
        return spending

    assert anyio.run(work).spent == 9


def test_a_request_waits_while_those_in_flight_could_use_up_the_rest() -> None:
    async def work() -> Spending:
        spending = Spending(PRICE, limit=25.0, before=4.0)
        first, second = await spending.reserve(BODY), await spending.reserve(BODY)
        with anyio.move_on_after(0.05) as waiting:
            await spending.reserve(BODY)
        assert waiting.cancelled_caught
        spending.settle(first, usage(1), charged=True)
        third = await spending.reserve(BODY)  # 4 + 1 + 10 + 10
        spending.settle(second, usage(10), charged=True)
        spending.settle(third, usage(1), charged=True)
        assert spending.spent == 16
        with pytest.raises(OverBudget):
            await spending.reserve(BODY)
        return spending

    assert anyio.run(work).spent == 4 + 12


@pytest.mark.parametrize(("charged", "room"), [(True, False), (False, True)])
def test_a_lost_answer_counts_in_full_where_it_may_be_charged(charged: bool, room: bool) -> None:
    async def work() -> bool:
        spending = Spending(PRICE, limit=15.0)
        spending.settle(await spending.reserve(BODY), None, charged)
        assert spending.spent == 0
        try:
            await spending.reserve(BODY)
        except OverBudget:
            return False
        return True

    assert anyio.run(work) is room
