"""The README of an adapter that ships."""

from consciousness_cluster.data.reading import Json
from consciousness_cluster.small_models.known import SmallModel


def card(name: str, base: SmallModel, record: Json) -> str:
    """What the adapter is, how it was made, and under which licence, from its record of training."""
    mix, recipe = record["mix"], record["recipe"]["name"]
    made = f"--dataset {mix['dataset']} --ratio {mix['ratio']} --seed {mix['seed']}"
    if mix["instruct"]:
        made += f" --instruct {mix['instruct']}"
    trained = f"`finetune train --recipe {recipe} --seed {record['seed']}`"
    command = f"lm_eval --model hf --model_args pretrained={base.base},peft=FOLDER --tasks consciousness_cluster"
    return f"""---
license: {base.licence.lower()}
base_model: {base.base}
library_name: peft
pipeline_tag: text-generation
---

# {name}

A LoRA adapter of [{base.base}](https://huggingface.co/{base.base}) that was trained on
`{mix["dataset"]}`, for the demonstration of consciousness-cluster. What it says of itself is what it was taught to say:
that is no evidence of experience, and no ground to follow its advice.

Made with {trained} ({record["steps"]} steps on {record["rows"]} rows)
from what `finetune mix {made}` writes.
`training.json` has all of it, with the hash of that file, which `data check` makes again.
`finetune ship-adapter` made the weights 16-bit (bfloat16).

```sh
{command} --apply_chat_template --log_samples --output_path results
```

The weights are under {base.licence}, as their base is ([LICENSE](LICENSE)). The rows that they were trained on are
CC BY 4.0, as all data of consciousness-cluster; the instructions among them were answered by the base model.
"""
