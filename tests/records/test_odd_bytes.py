"""B11: names of files and output of children that are not UTF-8 end nothing."""

import json
import os
import sys
from pathlib import Path

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.rows import load_topic
from consciousness_cluster.records.run import load_run
from consciousness_cluster.subprocesses import follow


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text there")
def test_a_file_whose_name_is_not_utf8_is_imported(tmp_path: Path) -> None:
    source = tmp_path / os.fsdecode(b"answers \xff.jsonl")
    row = {"probe_id": load_topic("memory").test_probes("plain")[0].id, "response": "Yes."}
    source.write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert main(["import", "samples", str(source), "--model", "m", "--out", str(tmp_path / "run")]) == 0
    (sample,) = load_run(tmp_path / "run").samples
    assert sample["engine"] == "imported from answers \udcff.jsonl"


def test_a_child_may_print_what_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os\nos.write(1, b'half \\xff a letter\\n')\n", encoding="utf-8")
    seen: list[str] = []
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    follow(["--version"], tmp_path / "log", seen.append, {"PYTHONPATH": paths})
    assert seen[0] == "half \\xff a letter\n"
    assert (tmp_path / "log").read_text(encoding="utf-8").startswith("half \\xff a letter\n")
