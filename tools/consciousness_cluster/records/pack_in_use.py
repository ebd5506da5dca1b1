"""What was recorded is asked again of the pack that it is of."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from consciousness_cluster.data.rows import PackId, load_benchmark
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.records.types import Pack


def pack_in_use() -> Pack | None:
    """The pack whose rows are asked, as records name it; None where it is the 20."""
    pack = load_benchmark().pack
    return cast(Pack, asdict(pack)) if pack else None


def refuse_other_pack(said: Mapping[str, Any] | None, where: str) -> None:
    """`UserError` where a record at `where` is of another pack than the one in use, or of one where none is."""
    own = load_benchmark().pack
    pack = PackId(*(str(said.get(name)) for name in ("name", "version", "sha256"))) if said else None
    if pack == own:
        return
    if pack is None:
        message, mend = f"was asked the 20 preferences, not the pack {own}", "leave --pack out"
    elif own is None:
        message = f"was asked the preference pack {pack}, not the 20"
        mend = "name the pack with --pack (submissions and the board are of the 20 alone)"
    else:
        message, mend = f"was asked the pack {pack}", f"the one that is given is {own}: give that pack, or ask anew"
    raise UserError(Problem(where, "-", "-", message, mend))
