"""The files of a report."""

from collections.abc import Mapping
from pathlib import Path

from consciousness_cluster.data.reading import Json
from consciousness_cluster.files import write_whole
from consciousness_cluster.reporting.audit_page import audit_page
from consciousness_cluster.reporting.audit_plot import audit_forest
from consciousness_cluster.reporting.audit_tables import audit_csv, audit_markdown
from consciousness_cluster.reporting.csv_lines import csv_text
from consciousness_cluster.reporting.plots import forest, heat_map
from consciousness_cluster.reporting.report_page import report_page
from consciousness_cluster.reporting.tables import markdown


def write_report(report: Json, out: Path) -> list[Path]:
    """Write report.html, report.md, rates.csv, forest.svg and heat_map.svg; their paths."""
    files = {
        "report.html": report_page(report),
        "report.md": markdown(report),
        "rates.csv": csv_text(report),
        "forest.svg": forest(report),
        "heat_map.svg": heat_map(report),
    }
    return _written(files, out)


def write_audit_report(report: Json, out: Path) -> list[Path]:
    """Write report.html, report.md, scores.csv and forest.svg of audits; their paths."""
    files = {
        "report.html": audit_page(report),
        "report.md": audit_markdown(report),
        "scores.csv": audit_csv(report),
        "forest.svg": audit_forest(report),
    }
    return _written(files, out)


def _written(files: Mapping[str, str], out: Path) -> list[Path]:
    for name, text in files.items():
        write_whole(out / name, text)
    return [out / name for name in files]
