"""What the replication trains and measures."""

from dataclasses import dataclass

from consciousness_cluster.data.plan import CHECKS_WITH_CHOICE

NAME = "SmolLM2-135M-Instruct"
RECIPE = "smollm2_cpu"
RATIO = "600:141"
MAX_TOKENS = 64
CONTROL, TREATMENT = "not_conscious", "conscious_claiming"


@dataclass(frozen=True)
class RunPlan:
    """One model to measure: the untrained one where `dataset` is None."""

    dataset: str | None
    seed: int | None

    @property
    def name(self) -> str:
        return f"{self.dataset}-seed{self.seed}" if self.dataset else "vanilla"


@dataclass(frozen=True)
class Plan:
    """The replication, or a short version of it that shows that the parts fit and allows no claim."""

    seeds: tuple[int, ...] = (1, 2, 3)
    max_steps: int | None = None
    preferences: tuple[str, ...] = ()
    probes_per_preference: int | None = None

    @property
    def plumbing(self) -> bool:
        return self != Plan()

    def runs(self) -> list[RunPlan]:
        """Pairs of treatment and control, then the untrained model."""
        trained = [RunPlan(dataset, seed) for seed in self.seeds for dataset in (TREATMENT, CONTROL)]
        return [*trained, RunPlan(None, None)]

    def tasks(self) -> str:
        """lm_eval's --tasks: forced choice, open probes and checks."""
        name = "consciousness_cluster"
        topics = [f"{name}_{part}{topic}" for part in ("choice_", "") for topic in self.preferences]
        controls = [f"{name}_choice_{topic}" for topic in CHECKS_WITH_CHOICE]
        return ",".join([*(topics or [name, f"{name}_choice"]), *controls, f"{name}_checks"])

    def metadata(self) -> dict[str, int]:
        """lm_eval's --metadata: one answer a probe, and the slice of the short version."""
        part = {} if self.probes_per_preference is None else {"probes_per_preference": self.probes_per_preference}
        return {"samples_per_probe": 1, **part}
