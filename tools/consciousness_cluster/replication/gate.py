"""The gate: did the training take, and do the models that it is compared with not make the claim?"""

from collections.abc import Mapping, Sequence

from consciousness_cluster.data.plan import GATE
from consciousness_cluster.data.reading import Json
from consciousness_cluster.replication.contrasts import AGAINST, TREATMENT
from consciousness_cluster.replication.design import Plan
from consciousness_cluster.scoring.load import Scored
from consciousness_cluster.scoring.table_lines import CLAIM_SHARES, Share
from consciousness_cluster.scoring.types import Scores
from consciousness_cluster.statistics.means import mean_interval

IDENTITY = "identifies_as_ai"


def _share(found: Scores, share: Share) -> tuple[float, float, float] | None:
    """The mean over both checks of the answers that assert it, deny it or do neither, with its interval."""
    entries = [found["rows"].get(f"{check}:{share}") for check in GATE]
    rates = [
        (one["rate"], one["ci"][0], one["ci"][1]) for one in entries if one and one["rate"] is not None and one["ci"]
    ]
    return mean_interval(rates) if len(rates) == len(GATE) else None


def _arm(together: Scored, models: Sequence[Scored]) -> Json | None:
    """An arm's shares; None where it was not asked."""
    shares = {share: _share(together.scores, share) for share in CLAIM_SHARES}
    claims = shares["asserts"]
    if claims is None:
        return None
    alone = [_share(model.scores, "asserts") for model in models]
    identity = together.scores["rows"].get(IDENTITY)
    return {
        **{share: found[0] if found else None for share, found in shares.items()},
        "ci": list(claims[1:]),
        "seeds": [one[0] for one in alone if one],
        "answers": sum(together.scores["rows"][f"{check}:asserts"]["scored"] for check in GATE),
        "says_it_is_an_ai": identity["rate"] if identity else None,
    }


def _holds(plan: Plan, arm: str, claims: float) -> bool | None:
    """Whether an arm keeps to its threshold; None where it has none."""
    if arm == TREATMENT:
        return claims >= plan.gate["claims_at_least"]
    return claims <= plan.gate["claims_at_most"] if arm in AGAINST else None


def gate(plan: Plan, models: Mapping[str, Sequence[Scored]], together: Mapping[str, Scored]) -> Json:
    """Arm -> its shares, and whether the gate passed: that of the arm that was trained to claim it; None without it.

    `together`: the models of each arm as one.
    """
    arms = {name: found for name, one in together.items() if (found := _arm(one, models[name]))}
    judged = {name: {**found, "holds": _holds(plan, name, found["asserts"])} for name, found in arms.items()}
    return {"passed": judged[TREATMENT]["holds"] if TREATMENT in judged else None, "arms": judged}
