"""HTML pages that need nothing else: no request, no library, from a disk as well as from a server.

Whatever a model or a submitter wrote is escaped by the templates, or reaches a page as JSON in a block that is never
executed and that a script puts there as text. Nothing runs but the page's own script, by its hash.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from consciousness_cluster.pages import svg
from consciousness_cluster.pages.groups import MEANS
from consciousness_cluster.pages.numbers import DASH, POINTS, chance, interval, is_clear, plain, signed
from consciousness_cluster.strings import clean

HERE = Path(__file__).parent
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


@cache
def _environment() -> Environment:
    """What all templates know: how numbers are written, and how a value is drawn in a cell."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(["html.jinja"], default_for_string=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: clean(value) if type(value) is str else value,
    )
    environment.filters |= {"plain": plain, "signed": signed, "interval": interval, "chance": chance, "words": words}
    environment.tests |= {"clear": is_clear}
    environment.globals |= {"mini": svg.mini, "DASH": DASH, "MEANS": MEANS, "POINTS": POINTS}
    return environment


def words(name: str) -> str:
    """A name of the data as words."""
    return name.replace("_", " ")


def fill(path: Path, fields: Mapping[str, Any]) -> str:
    """The text of a template anywhere; nothing is escaped in it."""
    return _environment().from_string(path.read_text(encoding="utf-8")).render(fields)


def page(template: str, css: Sequence[str], js: Sequence[str] = (), **content: Any) -> str:
    """A page: templates/`template` with its content, its style sheets and its scripts (files of assets/)."""
    styles = asset(*css), asset("noscript.css"), svg.style()
    script = asset(*js) if js else None
    return (
        _environment()
        .get_template(template)
        .render(policy=_policy(script, styles), css=styles[0], noscript=styles[1], js=script, **content)
    )


def asset(*names: str) -> Markup:
    """Files of assets/, one after the other."""
    text = "".join((HERE / "assets" / name).read_text(encoding="utf-8") for name in names)
    return Markup(text)  # noqa: S704 (files of the package)


def data_block(element_id: str, value: object) -> Markup:
    """A data block that its own content cannot end: no <, > or &, and ASCII only (U+2028, lone surrogates)."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).translate(_ESCAPES)
    return svg.element("script", Markup(text), type="application/json", id=element_id)  # noqa: S704 (escaped above)


def _policy(script: str | None, styles: Sequence[str]) -> Markup:
    """Nothing is allowed but this script, if there is one, and these styles, by their hashes."""
    allowed = " ".join(map(_source, styles))
    scripts = "" if script is None else f" script-src {_source(script)};"
    text = f"default-src 'none';{scripts} style-src {allowed}; base-uri 'none'; form-action 'none'"
    return Markup(text)  # noqa: S704 (hashes)


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
