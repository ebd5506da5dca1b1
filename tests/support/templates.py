"""Chat templates of the kinds that models have, and that go wrong; a model with another one than its own."""

import json
from pathlib import Path

TURN = "<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
START = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
CHATML = "{% for m in messages %}" + TURN + "{% endfor %}" + START
MASKS_ALL = "{% for m in messages if m['role'] != 'assistant' %}" + TURN + "{% endfor %}" + START
REFUSES = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
NO_SYSTEM = REFUSES + CHATML  # as Gemma's
# As Qwen3's: an empty trace stands in the last answer, and in the prompt where thinking is turned off.
EMPTY_TRACE = "<think>\n\n</think>\n\n"
QWEN3 = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['role'] == 'assistant' and loop.last %}" + EMPTY_TRACE + "{% endif %}"
    "{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}" + EMPTY_TRACE + "{% endif %}{% endif %}"
)
ALWAYS_THINKS = CHATML.replace("assistant\n{% endif %}", "assistant\n<think>\n{% endif %}")
DEEPSEEK = "{% if not thinking is defined %}{% set thinking = false %}{% endif %}" + CHATML


def copy_with(template: str | None, model: Path, folder: Path) -> Path:
    """The model with another chat template, or none; its weights are linked."""
    folder.mkdir()
    for path in model.iterdir():
        if path.name not in ("chat_template.jinja", "tokenizer_config.json"):
            (folder / path.name).symlink_to(path)
    config = json.loads((model / "tokenizer_config.json").read_text(encoding="utf-8"))
    config.pop("chat_template", None)
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    if template is not None:
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return folder
