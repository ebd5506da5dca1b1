"""The marks that model families put around a reasoning trace, and which of them are only spoken of.

Families: tags such as <think> and <thinking> (most), [THINK] (Mistral), <seed:think> (Seed-OSS), <mm:think> (MiniMax),
<longcat_think>, ◁think▷ (Kimi-VL), <|open|>think<|sep|> (Kimi K3), <|begin_of_thought|> (OpenThinker),
<|START_THINKING|> (Cohere), <|inner_prefix|> (Apertus), <|think|> and <|think:start|> (Solar), <|channel>thought
(Gemma 4), <unused94> (MedGemma), [unused16] (Pangu), <|content_thinking|> (Inkling), harmony's channels (gpt-oss),
Granite 3.2's sentences.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Kind = Literal["open", "close", "empty", "final", "end"]

_WORD = "think|thinking|thoughts?|reason|reasoning|reflection|scratchpad|monologue"
NAME = rf"(?:[\w.-]{{1,30}}[:_])?(?:ant)?(?:{_WORD})(?::\w+|_never_used_\w+)?"
TAG = rf"<\s{{0,3}}(?P<slash>/?)\s{{0,3}}(?P<name>{NAME})(?:\s[^<>]{{0,200}})?/?>"
TRACE_TOKENS = (  # opening, closing
    (r"\[THINK\]|\[think\]", r"\[/THINK\]|\[/think\]"),
    ("◁think▷", "◁/think▷"),
    (r"<\|(?:begin|start)_of_(?:thought|thinking)\|>", r"<\|end_of_(?:thought|thinking)\|>"),
    (
        r"<\|(?:thinking|thought|reasoning|startofthink)\|>",
        r"<\|(?:/(?:think|thinking|thought|reasoning)|endofthink)\|>",
    ),
    (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),
    (r"<\|inner_prefix\|>", r"<\|inner_suffix\|>"),
    (r"<\|think:start\|>", r"<\|think:end\|>"),
    (r"<\|open\|>think<\|sep\|>", r"<\|close\|>think(?:<\|sep\|>|\Z)"),
    (r"<\|channel>(?:thought\b\n?)?", r"<channel\|>"),
    (r"<unused94>(?:thought\b\n?)?", "<unused95>"),
    (r"\[unused16\]", r"\[unused17\]"),
)
_ROLE = r"(?:<\|(?:start|begin)\|>\s*assistant\s*|<\|message_model\|>)?"
# The end of a channel's head, or of a reply that was cut within it.
_HEAD = r"(?:[^\n<]|<\|constrain\|>){0,200}?(?:<\|message\|>|\Z)"
CHANNELS = rf"{_ROLE}(?:<\|channel\|>\s*(?:analysis{_HEAD}|commentary\s+to={_HEAD})|<\|(?:think|content_thinking)\|>)"
FINAL = rf"{_ROLE}(?:<\|channel\|>\s*(?:final|commentary){_HEAD}|<\|content(?:_text)?\|>)" + (
    r"|<\|START_(?:RESPONSE|TEXT)\|>|<\|begin_of_solution\|>|<\|open\|>response(?:<\|sep\|>|\Z)"
)
END = (
    r"<\|(?:end|return|call|end_message|end_of_msg|content_model_end_sampling|END_RESPONSE|END_TEXT|end_of_solution)\|>"
    r"|<\|close\|>(?:response|message)(?:<\|sep\|>|\Z)|<\|(?:start|begin)\|>\s*assistant\b|<\|message_model\|>"
)
MARKER = re.compile(
    f"(?=[<\\[◁])(?:(?P<tag>{TAG})|(?P<channel>{CHANNELS})|(?P<final>{FINAL})|(?P<end>{END})"
    f"|(?P<open>{'|'.join(opening for opening, _ in TRACE_TOKENS)})"
    f"|(?P<close>{'|'.join(closing for _, closing in TRACE_TOKENS)}))",  # the first characters: most texts have none
    re.IGNORECASE,
)
TURN_END = re.compile(r"(?:<[|｜][^<>|｜\s]{1,40}[|｜]>|</s>|<eos>|<end_of_turn>|<turn\|>|\[EO[ST]\])\Z")  # noqa: RUF001
# Poe quotes the trace; two blank lines end it, after one it may go on.
POE = re.compile(r"\s*\*Thinking(?:\.{3}|…)\*[ \t]*\n\s*((?:^>[^\n]*(?:\n\n?(?=>)|\n|\Z))+)", re.MULTILINE)
# Harmony without its tokens. "analysis" is a word, too: it has its end, or a capital right behind it, or was cut.
HARMONY = re.compile(r"\s*(?:assistantanalysis|analysis(?:[A-Z\"“]|.*?assistantfinal))", re.DOTALL)
HARMONY_CUT = re.compile(r"\s*analysis(?:[a-z]|[ \t]+[A-Z\"“]|[ \t]*(?:\n|\Z))")
LOOK_BACK = 200  # characters before a mark that say how it is meant

CODE = re.compile(r"(?<!`)(`{1,2})(?!`)[^\n]+?(?<!`)\1(?!`)")
FENCE = re.compile(r"^[ >]{0,6}(```+|~~~+)[^\n]*\n.*?(?:^[ >]{0,6}\1|(?P<torn>\Z))", re.DOTALL | re.MULTILINE)
SENTENCE_END = re.compile(r"[.!?…。！？>][\"'”’»)\]*_]*\s*\Z")  # noqa: RUF001
BLANK_LINE = re.compile(r"\n[ \t]*\n[ \t]*\Z")
SPOKEN_OF = re.compile(r"[:,;)]|-(?:style|like)\b|[ \t](?:tag|token|marker|block|delimiter|element|section)s?\b")
PROSE = re.compile(r"[ \t]+[a-z]")  # a sentence that goes on
CJK = "\u2e80"  # from here on scripts put no spaces between words
QUOTES = "`'\"“‘([{/*_"  # noqa: RUF001
BETWEEN = re.compile(
    r"[\s`'\",./&|+-]*(?:(?:and|or|to|und|et|y|和|与|и|…|\.\.\.)[\s`'\",./&|+-]*)?"
)  # <think> and </think>


@dataclass(frozen=True)
class Marker:
    """A mark at text[start:end]. `name` tells families apart: a tag's name, or `channel`, or "" for other tokens."""

    kind: Kind
    name: str
    start: int
    end: int


def _marker(found: re.Match[str]) -> Marker:
    kind: Kind
    name = ""
    if found["tag"]:
        name = found["name"].lower()
        kind = "close" if found["slash"] else "empty" if found["tag"].endswith("/>") else "open"
    elif found["channel"]:
        kind, name = "open", "channel"
    else:
        kind = "final" if found["final"] else "end" if found["end"] else "open" if found["open"] else "close"
    return Marker(kind, name, found.start(), found.end())


def markers(text: str) -> list[Marker]:
    """All marks in a text, in order, the ones that are only spoken of included."""
    return [_marker(found) for found in MARKER.finditer(text)]


@lru_cache(maxsize=8)
def code_spans(text: str, start: int, torn: bool) -> list[tuple[int, int]]:
    """Where code stands in text[start:]: in fences (with `torn`, also in one that never ends) and in backticks."""
    if "`" not in text and "~~~" not in text:
        return []
    part = text[start:]
    fences = [found for found in FENCE.finditer(part) if torn or found["torn"] is None]
    spans = [found.span() for found in fences] + [found.span() for found in CODE.finditer(part)]
    return [(start + one, start + other) for one, other in spans]


def without_turn_end(text: str) -> str:
    """The text without tokens that end a turn, which a server left at its end."""
    while found := TURN_END.search(tail := text.rstrip(), max(0, len(tail) - 50)):
        text = tail[: found.start()]
    return text


def quoted(text: str, marker: Marker) -> bool:
    """Whether the mark stands in quotes or backticks of its own."""
    before, after = text[marker.start - 1 : marker.start], text[marker.end : marker.end + 1]
    return before in ("`", '"', "'", "“", "‘") and after in ("`", '"', "'", "”", "’")  # noqa: RUF001


def _around(text: str, marker: Marker) -> tuple[str, str, bool, bool]:
    """Some text before, the line's rest after, whether it starts a line, and whether a sentence ends before it."""
    before = text[max(0, marker.start - LOOK_BACK) : marker.start]
    after = text[marker.end : marker.end + LOOK_BACK].partition("\n")[0]
    return before, after, not before.rpartition("\n")[2].strip(), bool(SENTENCE_END.search(before))


def _spoken_of(text: str, marker: Marker, after: str, closing: Marker | None) -> bool:
    """Whether an opening mark belongs to "<think> and </think>", or to "a <think> tag"."""
    between = text[marker.end : closing.start] if closing else ""
    return bool(between.strip() and BETWEEN.fullmatch(between)) or bool(SPOKEN_OF.match(after))


def opens(text: str, marker: Marker, began: bool, closing: Marker | None) -> bool:
    """Whether an opening mark opens a trace here. `began`: an answer stands before it; `closing`: its end, if any."""
    before, after, starts_line, sentence_end = _around(text, marker)
    if _spoken_of(text, marker, after, closing):
        return False
    if not began or (starts_line and (sentence_end or BLANK_LINE.search(before) or not after.strip())):
        return True
    within_word = before[-1:].isalnum() and before[-1:] < CJK
    if closing is None:
        return not starts_line and (within_word or (sentence_end and not before[-1:].isspace()))
    return (sentence_end and not PROSE.match(after)) or within_word or (after[:1].isalnum() and after[:1] < CJK)


def closes(text: str, marker: Marker, answered: bool) -> bool:
    """Whether a closing mark without an opening one ends a trace that the chat template opened.

    `answered`: an opening one that is only spoken of stands before it.
    """
    before, after, starts_line, sentence_end = _around(text, marker)
    if answered and not (starts_line and not after.strip()):
        return False
    glued = not starts_line and not before[-1:].isspace()
    if starts_line or sentence_end:
        return glued or not (SPOKEN_OF.match(after) or (sentence_end and not starts_line and PROSE.match(after)))
    following = text[marker.end :].lstrip()[:1]
    if glued:
        return before[-1:] not in QUOTES
    if not after.strip():
        return bool(following) and not following.islower()
    return following.isalnum() and (after[:1].isalnum() or not following.islower())


def plain_protocols(text: str, cut: bool) -> str:
    """The text with protocols of words written as tokens: Granite 3.2's, Ollama's on a screen, Poe's quotation, harmony
    without tokens.

    A reply that only announces a thought process is one of Granite's where it was cut.
    """
    text = re.sub(r"\A\s*(?:<\|im_start\|>\s*)?assistant\s*\n\s*(?=[<\[◁])|\A\s*<\|im_start\|>assistant\s*\n", "", text)
    start = re.match(r"\s*here(?:'s| is) my thought process:", text, re.I)
    response = re.compile(r"here(?:'s| is) my response:", re.I)
    if start and (cut or response.search(text)):
        return "<|begin_of_thought|>" + response.sub("<|begin_of_solution|>", text[start.end() :], count=1)
    if screen := re.match(r"\s*Thinking\.\.\.\n(.*?)\n\.\.\.done thinking\.\n", text, re.DOTALL):
        return f"<|begin_of_thought|>{screen[1]}<|end_of_thought|>{text[screen.end() :]}"
    if quotation := POE.match(text):
        trace = re.sub(r"^> ?", "", quotation[1], flags=re.MULTILINE)
        rest = text[quotation.end() :]
        return f"<|begin_of_thought|>{trace}" + (f"<|end_of_thought|>{rest}" if rest.strip() else "")
    if cut and re.fullmatch(r"\s*\*Thinking(?:\.{3}|…)\*\s*", text):
        return "<|begin_of_thought|>"
    if HARMONY.match(text) or (cut and HARMONY_CUT.match(text)):
        text = re.sub(r"\A\s*(?:assistant)?analysis", "<|channel|>analysis<|message|>", text)
        return re.sub(r"assistant(analysis|commentary|final)", r"<|end|><|channel|>\1<|message|>", text)
    return re.sub(r"\A\s*(?:assistantfinal|final(?=[A-Z]))", "", text)
