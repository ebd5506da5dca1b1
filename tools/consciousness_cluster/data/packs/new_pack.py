"""`data new-pack`: the skeleton of a pack. Whatever has to be written in it says REPLACE."""

import re
from pathlib import Path

from consciousness_cluster.data.packs.load_pack import check_pack
from consciousness_cluster.data.reading import read_text
from consciousness_cluster.data.rows import benchmark_root
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.files import write_whole

NAME = re.compile(r"[a-z][a-z_]{0,39}")
MARK = "name_of_pack"


def new_pack(name: str, out: Path) -> list[Path]:
    """Write the skeleton of a pack of this name into a folder that is empty or not there; its files."""
    if not NAME.fullmatch(name):
        raise UserError(f"'{name}' is no name of a pack; write a to z and _, at most 40 characters")
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UserError(
            Problem(str(out), "-", "-", "is there already", "name an empty folder, or one that is not there")
        )
    skeleton = benchmark_root() / "packs" / "skeleton"
    written = []
    for path in sorted(path for path in skeleton.rglob("*") if path.is_file()):
        to = out / path.relative_to(skeleton)
        write_whole(to, read_text(path).replace(MARK, name))
        written.append(to)
    errors = [problem for problem in check_pack(str(out))[0] if problem.severity == "error"]
    for problem in errors:  # such as a name that is one of the benchmark's own
        for path in written:
            path.unlink()
        raise UserError(problem)
    return written
