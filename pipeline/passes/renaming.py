"""Lets the readers of values read others that are the same, for passes that drop ops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from edgec.pipeline.graph import Op


def renamed(ops: Iterable[Op], same: Mapping[str, str]) -> list[Op]:
    """Return the ops without those that make a key of `same`, whose readers read its value."""
    final: dict[str, str] = {}
    for name in same:
        target = same[name]
        while target in same:
            target = same[target]
        final[name] = target
    return [
        replace(op, inputs=tuple(final.get(n, n) for n in op.inputs))
        for op in ops
        if op.outputs[0] not in final
    ]
