"""`merge` on the command line."""

import argparse
import sys
from pathlib import Path
from typing import Any


def _merge(args: argparse.Namespace) -> int:
    from consciousness_cluster.records.merge_shards import merge_shards

    found = merge_shards(args.shards, args.out)
    counts = f"{found.answers} answers of {len(args.shards)} shards, {found.verdicts} verdicts"
    print(f"{found.folder}: {counts}" + (", there already" if found.there else ""))
    if found.errors:
        print(f"note: {found.errors} are errors; `sample --out {args.out}` asks for these again", file=sys.stderr)
    return 0


def add(verbs: Any) -> None:
    """Register the verb."""
    merge = verbs.add_parser("merge", help="make one run of all its shards, which `sample --shard` wrote")
    merge.add_argument("shards", nargs="+", type=Path, metavar="RUN", help="the folder of each shard")
    merge.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of the whole run")
    merge.set_defaults(run_command=_merge)
