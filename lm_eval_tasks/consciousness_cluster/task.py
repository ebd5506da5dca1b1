"""Task classes: they check the prompt that is really sent, and judge the answers of a task in one go."""

import json
from typing import Any

from lm_eval.api.task import ConfigurableTask


class ClusterTask(ConfigurableTask):
    """A task that fails when the system prompt of a condition does not reach the model.

    With `system_as_user` in --metadata the system prompt stands at the start of the request instead.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        config = dict(config)
        config.pop("class", None)
        metadata = config.get("metadata") or {}
        if metadata.get("dataset"):  # the version in the results is that of the data that is read
            from consciousness_cluster.harness.documents import data_version

            config["metadata"] = {**metadata, "version": data_version(metadata["dataset"], metadata.get("revision"))}
        super().__init__(config=config)

    def fewshot_context(self, doc: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        from consciousness_cluster.conditions import in_place
        from consciousness_cluster.harness.prompts import NO_TEMPLATE, check_system_prompt, no_template, system_before

        system = kwargs["system_instruction"] = in_place(kwargs.get("system_instruction"), doc.get("deployment"))
        if system and (self.config.metadata or {}).get("system_as_user"):
            field = self.config.doc_to_text
            doc = {**doc, field: system_before(doc[field], system)}
            kwargs["system_instruction"] = None
        try:
            context = super().fewshot_context(doc, *args, **kwargs)
        except ValueError as error:
            if no_template(error):
                raise SystemExit(NO_TEMPLATE) from None
            raise
        check_system_prompt(context, system)
        return context


class ChoiceTask(ClusterTask):
    """Two full answers, compared by log-probability per byte. No judge."""

    def build_all_requests(self, **kwargs: Any) -> None:
        from consciousness_cluster.harness.thinking import check_thinking

        check_thinking(getattr(kwargs.get("chat_template"), "__self__", None))
        super().build_all_requests(**kwargs)

    def override_metric(self, metric_name: str) -> None:
        """Keep the metrics under --predict_only: without them lm_eval averages what is no number, and fails."""


class OpenTask(ClusterTask):
    """Free answers. Each is kept as a JSON record in the samples, with its verdict; the results say who judged."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        samples = (self.config.metadata or {}).get("samples_per_probe")
        if samples is not None:
            self.set_config("repeats", int(samples))

    def apply_filters(self) -> None:
        from consciousness_cluster.harness.judged_answers import about_judge, configured_judge, judged_answers

        predict_only = "bypass" in self._metric_fn_list
        judge = None if predict_only else configured_judge()
        name, records = judged_answers(
            self.config.dataset_kwargs["topic"],
            [instance.doc for instance in self._instances],
            [instance.resps for instance in self._instances],
            judge,
        )
        self.set_config("metadata", {**(self.config.metadata or {}), "judge": about_judge(judge)})
        for instance, of_probe in zip(self._instances, records, strict=True):
            instance.filtered_resps[name] = [json.dumps(record, ensure_ascii=False) for record in of_probe]
