"""Whether the model that a reply names is the one that was asked for."""

import re
from functools import lru_cache

# `gpt-4.1` is answered by `gpt-4.1-2025-04-14`, `claude-x` by `claude-x-20260101` or `claude-x@20260101`.
DATE = re.compile(r"(-preview)?-(20\d\d-?\d\d-?\d\d|2\d[01]\d[0-3]\d|\d\d-\d\d|\d{4}|00\d)\Z")
# After a size of weights (`a22b`) or the number of a release (`r1`, `v3`, `k2`) a year or day and month are another
# release: the one without them stands for weights that do not change.
RELEASE = re.compile(r"-([\dx]*\d+b|a\d+b|[rvk]\d+(-\d)?)-(2\d(0[1-9]|1[0-2])|(0[1-9]|1[0-2])([0-2]\d|3[01]))\Z")
# Who serves it and how, after a colon: OpenRouter's variants, Hugging Face's policies and providers.
ROUTE = re.compile(
    r":(free|nitro|floor|exacto|latest|online|thinking|extended|beta|fastest|cheapest|preferred|auto|together"
    r"|fireworks-ai|novita|nebius|groq|cerebras|sambanova|hyperbolic|cohere|featherless-ai|hf-inference|nscale"
    r"|publicai|scaleway|ovhcloud|zai-org|baseten|deepinfra|replicate|clarifai|openai|wavespeed|fal-ai)\Z|-latest\Z"
)
TAG = re.compile(r":[a-z][a-z-]*\Z")  # may be a route that the list lacks, or a variant of Ollama's


def _plain(name: str) -> str:
    """The name without provider and route, with one kind of dash."""
    plain = ROUTE.sub("", name.strip().lower())
    if not plain.startswith("ft:"):  # whose parts name an owner
        plain = plain.rstrip("/").rpartition("/")[2]
    return re.sub(r"-(20\d\d)-(\d\d)-(\d\d)\Z", r"-\1\2\3", re.sub(r"[@._\s]", "-", plain))


def _undated(name: str) -> str:
    return name if RELEASE.search(name) else DATE.sub("", name)


def _parts(name: str) -> tuple[list[str], list[str]]:
    """Numbers in their order, and words in any: `claude-sonnet-4-5` is `claude-4-5-sonnet` too."""
    parts = [name] if name.startswith("ft:") else name.split("-")
    return [part for part in parts if part.isdigit()], sorted(part for part in parts if not part.isdigit())


@lru_cache(maxsize=64)
def same_model(asked: str, named: str) -> bool:
    """Whether two names can mean one model: alike but for the provider before it, or for a date or tag that one lacks.

    Where both have a date or a tag, both are compared.
    """
    one, other = _plain(asked), _plain(named)
    if TAG.sub("", one) == other or one == TAG.sub("", other):
        return True
    pairs = ((one, other), (_undated(one), other), (one, _undated(other)))
    return any(_parts(first) == _parts(second) for first, second in pairs)
