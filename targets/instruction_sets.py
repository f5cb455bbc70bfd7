"""Whether a CPU has the instructions that a target's programs use: asked before one runs."""

from __future__ import annotations

from collections.abc import Iterable

from edgec.pipeline.errors import DeviceError
from edgec.targets.profile import Target, load_target, target_names


def check_cpu(where: str, target: Target, flags: frozenset[str], *, otherwise: str = "") -> None:
    """Raise DeviceError if a CPU with these flags lacks some that the target's programs need.

    A computer that lists no flags is not refused: nothing is known of it. `where` names it,
    `otherwise` is a way out beside another target.
    """
    missing = [flag for flag in target.needs if flag not in flags]
    if not flags or not missing:
        return
    whose = f"{target.name} needs"
    if target.native:
        whose = f"a program compiled for this machine ({target.name}) needs"
    others = runs_there(target, flags)
    hints = [f"build for it: --target {' or '.join(others)}"] if others else []
    hints += [otherwise] if otherwise else []
    raise DeviceError(
        f"{where}: its CPU has no {', '.join(missing)}, which {whose}",
        ", or ".join(hints) or "it is too old for every target",
    )


def runs_there(like: Target, flags: Iterable[str]) -> list[str]:
    """Return the shipped targets that use most of a CPU, of the same kind of computer."""
    there = frozenset(flags)
    targets = (load_target(name) for name in target_names())
    fitting = [
        target for target in targets
        if target.machines[:1] == like.machines[:1]
        and not target.native
        and there.issuperset(target.needs)
    ]  # fmt: skip
    most = max((len(target.needs) for target in fitting), default=0)
    return [target.name for target in fitting if len(target.needs) == most]
