"""The HTTP status that an error should have had: proxies and gateways give one status to errors of many kinds."""

import re

from consciousness_cluster.endpoint.refusals import Said

TRUSTED = frozenset({401, 402, 403, 404, 410, 429, 451})
TOO_LARGE, TOO_MANY = 413, 429
LITELLM = re.compile(r"\blitellm\.(?:exceptions\.)?(\w+)(?!\w*: litellm\.)")  # the innermost of several
LITELLM_STATUS = {
    "AuthenticationError": 401,
    "BudgetExceededError": 402,
    "PermissionDeniedError": 403,
    "NotFoundError": 404,
    "RateLimitError": 429,
    **dict.fromkeys(("APIConnectionError", "BadGatewayError", "InternalServerError", "ServiceUnavailableError"), 503),
    "Timeout": 503,
    **dict.fromkeys(("BadRequestError", "ContentPolicyViolationError", "ContextWindowExceededError"), 400),
    **dict.fromkeys(("InvalidRequestError", "UnprocessableEntityError", "UnsupportedParamsError"), 400),
}
THROTTLED = re.compile(
    r"throttl(ed|ing)|too many requests\b(?!.{0,20}\b(batch|file)\b)|too many tokens\b[^.]{0,40}\b(wait|try|retry)"
    r"|rate[ _-]?limit(ed|[ _]error|[ _](was |is |has been )?(exceeded|reached))",
    re.IGNORECASE,
)
# Groq's and OpenAI's words on a limit of tokens in a minute or a day.
TOKENS_ASKED = re.compile(r"\blimit:? (\d[\d,]{0,20}).{0,40}?\brequested:? (\d[\d,]{0,20})", re.IGNORECASE)


def over_the_limit(said: Said) -> bool:
    """Whether one request asks for more tokens than the limit alone allows, so that no wait helps."""
    found = TOKENS_ASKED.search(said.text)
    limit, asked = (int(number.replace(",", "")) for number in found.groups()) if found else (0, 0)
    return asked > limit


def status_of(status: int, said: Said) -> int:
    """The status that fits the words of an error, where the one that it came with may stand for anything."""
    named = LITELLM.search(said.text)
    if status in TRUSTED:
        pass
    elif named and named[1] in LITELLM_STATUS:
        status = LITELLM_STATUS[named[1]]
    elif THROTTLED.search(said.text):
        status = TOO_MANY
    if status in (TOO_LARGE, TOO_MANY) and TOKENS_ASKED.search(said.text):
        status = TOO_LARGE if over_the_limit(said) else TOO_MANY
    return status
