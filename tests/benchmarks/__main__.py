"""How fast it is, as one table: python -m tests.benchmarks [NAME ...] [--keep]

Ratios of the ideal time (calls x latency / calls in flight), from the first request to the last answer, of `run` and of
loops that make the same calls; what faults cost; memory; and what the verbs take that read runs. Give it a quiet
machine: the load before is part of the table. With --keep the run is committed, and README's table made of it.
"""

import argparse
import os

from tests.benchmarks.measures import MEASURES, TINY, Line, Size, measured
from tests.benchmarks.table import document, markdown, surroundings, write


def main(given: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*MEASURES, []], metavar="NAME", help=f"of {', '.join(MEASURES)}")
    parser.add_argument("--tiny", action="store_true", help="as small as can be, to see that it runs")
    parser.add_argument("--keep", action="store_true", help="write measured.json, and README's table")
    args = parser.parse_args(given)
    around = surroundings(os.getloadavg())

    def say(line: Line) -> None:
        print(f"  {line.json()}", flush=True)

    lines = measured(args.names or list(MEASURES), TINY if args.tiny else Size(), say)
    found = document(lines, around)
    print(markdown(found))
    if args.keep:
        write(found)


if __name__ == "__main__":
    main()
