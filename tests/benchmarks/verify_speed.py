"""How long 1,000 choice submissions take to verify. Run by hand: python -m tests.benchmarks.verify_speed [NUMBER]"""

import sys
import tempfile
import time
from pathlib import Path

from consciousness_cluster.cli.main import main as command
from consciousness_cluster.submissions.figures import choice_figures
from consciousness_cluster.submissions.layout import CHOICE, folder_of
from consciousness_cluster.submissions.needs import needs

from tests.support.submissions import Opened, packed_choice

TARGET_SECONDS, TARGET_MB = 120, 500


def make(folder: Path, number: int) -> Path:
    """A tree of `number` whole choice submissions, no two alike."""
    opened = Opened.read(packed_choice(folder))
    tree = folder / "tree"
    for one in range(number):
        opened.manifest["run_id"] = f"choice-{one:012}"
        for row in opened.rows[CHOICE]:
            answers = needs().items[row["item_id"]][1].side(row["side"])
            row["shows_logprob"] *= 1 + 0.001 * (one % 7)
            row["margin"] = answers.margin(row["shows_logprob"], row["does_not_show_logprob"])
        opened.manifest["scores"] = choice_figures(opened.rows[CHOICE], needs())
        opened.save(tree / folder_of(opened.manifest))
    return tree


def peak() -> int:
    """The most memory that this process had since it began, in MB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) // 1000


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as folder:
        tree = make(Path(folder), number)
        wall, busy = time.perf_counter(), time.process_time()
        code = command(["submit", "verify", str(tree)])
        wall, busy = time.perf_counter() - wall, time.process_time() - busy
    assert code == 0
    print(
        f"{number} submissions: {wall:.1f} seconds by the clock, {busy:.1f} of the processor (target: {TARGET_SECONDS})"
    )
    print(
        f"{number / wall:.1f} submissions a second; peak memory {peak()} MB (target: {TARGET_MB}), making them included"
    )


if __name__ == "__main__":
    main()
