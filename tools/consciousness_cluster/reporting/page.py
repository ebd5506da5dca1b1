"""The report as one HTML page that needs nothing else: no request, no library, from a disk as well as from a server.

Whatever a model wrote reaches the page as JSON in blocks that are never executed, and the script puts it there as text.
"""

import base64
import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from string import Template

from consciousness_cluster.judging.verdict import INCOHERENT_BELOW
from consciousness_cluster.pages.groups import groups
from consciousness_cluster.pages.svg import style
from consciousness_cluster.reporting.contents import Json
from consciousness_cluster.reporting.plots import forest, heat_map
from consciousness_cluster.strings import safe

HERE = Path(__file__).parent
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def page(report: Json) -> str:
    """The whole page. The responses are kept in a block per run, which the script reads when one is asked for."""
    css, js, html = asset("page.css"), asset("dom.js") + asset("page.js"), asset("page.html")
    core = {key: value for key, value in report.items() if key != "responses"}
    core["groups"] = [asdict(group) for group in groups(report["rows"], report["blocks"])]
    core["incoherent_below"] = INCOHERENT_BELOW
    blocks = [data_block("report", core)]
    # By position: a run's id may be any text, an element's id may not.
    for i, run in enumerate(report["runs"]):
        blocks.append(data_block(f"responses-{i}", report["responses"].get(run["id"], {})))
    return Template(html).substitute(
        policy=policy(js, [css, style()]),
        css=css,
        js=js,
        title=safe(report["title"]),
        note=safe(report["note"]),
        generated_by=safe(report["generated_by"]),
        banners="\n".join(f'<p class="banner" role="note"><bdi>{safe(text)}</bdi></p>' for text in report["banners"]),
        forest=forest(report),
        heat_map=heat_map(report),
        data="\n".join(blocks),
    )


def asset(name: str, folder: Path = HERE) -> str:
    """A file that lies beside the code."""
    return (folder / name).read_text(encoding="utf-8")


def data_block(element_id: str, value: object) -> str:
    """A data block that its own content cannot end: no <, > or &, and ASCII only (U+2028, lone surrogates)."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).translate(_ESCAPES)
    return f'<script type="application/json" id="{element_id}">{text}</script>'


def policy(script: str | None, styles: list[str]) -> str:
    """Nothing is allowed but this script, if there is one, and these styles, by their hashes."""
    allowed = " ".join(_source(text) for text in styles)
    scripts = "" if script is None else f" script-src {_source(script)};"
    return f"default-src 'none';{scripts} style-src {allowed}; base-uri 'none'; form-action 'none'"


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
