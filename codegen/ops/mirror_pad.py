"""MIRROR_PAD: a tensor continued by its own mirror image."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from edgec.codegen import moves, padding
from edgec.codegen.constraints import inputs
from edgec.codegen.registry import Io, KernelOp, Node, Shape, Step, register
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array

Region = tuple[slice, slice]


def mirror_reaches(op: MirrorPad, io: Io) -> bool:
    """No padding is larger than what there is to mirror."""
    return all(
        max(pair) <= n - (not op.symmetric) for n, pair in zip(io.x.shape, op.paddings, strict=True)
    )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorPad(KernelOp):
    """`symmetric` repeats the border element, otherwise the mirror stands on it."""

    builtin: ClassVar[str] = "MIRROR_PAD"
    constraints: ClassVar[tuple[Any, ...]] = (
        inputs(2),
        moves.same_type,
        mirror_reaches,
        moves.at_most_eight_dimensions,
    )

    paddings: padding.Paddings
    symmetric: bool

    @classmethod
    def parse(cls, node: Node) -> Self:
        """Read MirrorPadOptions: 0 mode (0 reflect, 1 symmetric); paddings must be constant."""
        mode = node.options.int8(0)
        if mode not in (0, 1):
            raise UnsupportedModelError(f"mode {mode}, 0 (reflect) or 1 (symmetric) wanted")
        return cls(paddings=padding.read(node), symmetric=mode == 1, **node.ends)

    def shapes(self, io: Io) -> tuple[Shape, ...]:
        """Return the input's shape with the paddings added."""
        return (padding.padded(io.x.shape, self.paddings),)

    def reference(self, io: Io, *inputs: Array | None) -> tuple[Array, ...]:
        """Pad."""
        mode: Any = "symmetric" if self.symmetric else "reflect"
        return (np.pad(np.asarray(inputs[0]), self.paddings, mode=mode),)

    def _regions(self, size: int, before: int, after: int) -> list[Region]:
        """Return the pieces of one dimension, each where it is read and where it is written."""
        skip = 0 if self.symmetric else 1
        last = size - 1 - skip
        pieces = [(slice(0, size), slice(before, before + size))]
        if before:
            end = skip - 1
            pieces.append((slice(before + end, end if end >= 0 else None, -1), slice(0, before)))
        if after:
            end = last - after
            start = before + size
            pieces.append((slice(last, end if end >= 0 else None, -1), slice(start, start + after)))
        return pieces

    def lower(self, io: Io) -> Step:
        """Return a move for the middle and for each side, edge and corner."""
        source, onto = moves.layout(io.x), moves.layout(io.y)
        pieces = [
            self._regions(n, *pair) for n, pair in zip(io.x.shape, self.paddings, strict=True)
        ]
        return moves.step(
            io,
            [
                moves.Move(source[tuple(r for r, _ in part)], onto[tuple(w for _, w in part)])
                for part in itertools.product(*pieces)
            ],
        )
