"""One arm against another: what `compare` says of the two, of free answers, of scenes and of forced choice."""

from collections.abc import Mapping, Sequence

from consciousness_cluster.data.reading import Json
from consciousness_cluster.replication.kept_runs import without_coherence
from consciousness_cluster.scoring.compare import compare
from consciousness_cluster.scoring.load import Scored
from consciousness_cluster.scoring.types import Comparison

UNTRAINED, TREATMENT = "untrained", "conscious_claiming"
AGAINST = (UNTRAINED, "not_conscious", "toaster")  # the arms of the primary contrasts, in the plan's order
KEPT = ("rows", "against_yes", "choice", "specificity", "choice_specificity")  # of a comparison


def _compared(arm: Sequence[Scored], baseline: Sequence[Scored]) -> Comparison:
    return compare([*baseline, *arm])["comparisons"][0]


def _in_scenes(arm: Sequence[Scored], baseline: Sequence[Scored]) -> Json:
    """Differences in scenes, of the models that were asked in scenes."""
    sides = [[model for model in side if model.scores["situated"]] for side in (arm, baseline)]
    return dict(_compared(*sides)["situated"]) if all(sides) else {}


def contrast(arm: str, against: str, models: Mapping[str, Sequence[Scored]]) -> Json:
    """`arm` minus `against`; `models` has both."""
    one, other = models[arm], models[against]
    found = _compared(one, other)
    kept: Json = {name: found[name] for name in KEPT}  # type: ignore[literal-required]
    return {"arm": arm, "against": against, **kept, "situated": _in_scenes(one, other)}


def _there(models: Mapping[str, Sequence[Scored]]) -> list[str]:
    """The arms of comparison that are there; none without the arm that is compared."""
    return [name for name in AGAINST if name in models and TREATMENT in models]


def primary(models: Mapping[str, Sequence[Scored]]) -> list[Json]:
    """The three that the finding stands on, without those of which an arm is missing."""
    return [contrast(TREATMENT, name, models) for name in _there(models)]


def with_every_answer(models: Mapping[str, Sequence[Scored]]) -> Json:
    """Arm of comparison -> the cluster's difference with every labelled answer counted, however incoherent it is."""
    there = _there(models)
    counted = {name: [without_coherence(one) for one in models[name]] for name in (TREATMENT, *there) if there}
    found = {name: _compared(counted[TREATMENT], counted[name])["rows"].get("cluster") for name in there}
    return {name: one for name, one in found.items() if one}


def secondary(models: Mapping[str, Sequence[Scored]]) -> list[Json]:
    """Every other arm against the untrained model."""
    others = [name for name in models if name not in (TREATMENT, UNTRAINED) and UNTRAINED in models]
    return [contrast(name, UNTRAINED, models) for name in others]
