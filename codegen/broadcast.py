"""Numpy broadcasting of two inputs as the loops of a kernel."""

from __future__ import annotations

import math

import numpy as np

from edgec.codegen.registry import Io, KernelOp, Value

MAX_LOOPS = 6


def shapes_broadcast(op: KernelOp, io: Io) -> bool:
    """The two inputs' shapes broadcast, in at most six groups of dimensions."""
    try:
        shape = np.broadcast_shapes(io.x.shape, io.input(1).shape)
    except ValueError:
        return False
    return len(_merged(shape, io.x.shape, io.input(1).shape)) <= MAX_LOOPS


def loops(io: Io) -> dict[str, Value]:
    """Return the fields of `edgec_broadcast`: sizes of the loops and the inputs' steps.

    Neighbouring dimensions that both inputs walk through alike are merged, so that equal shapes
    are one loop. Loops are padded with size 1 at the front to a fixed count.
    """
    return _fields(_merged(io.y.shape, io.x.shape, io.input(1).shape))


def matrix_loops(io: Io) -> dict[str, Value]:
    """Return the fields of `edgec_broadcast` as `loops` does, for steps of whole matrices.

    Matrices are the last two dimensions; a kernel walks through them itself.
    """
    (*batch, _, _), x, w = io.y.shape, io.x.shape, io.input(1).shape
    x_size, w_size = math.prod(x[-2:]), math.prod(w[-2:])
    merged = _merged(tuple(batch), x[:-2], w[:-2])
    return _fields([(n, step1 * x_size, step2 * w_size) for n, step1, step2 in merged])


def _fields(merged: list[tuple[int, int, int]]) -> dict[str, Value]:
    rows = [(1, 0, 0)] * (MAX_LOOPS - len(merged)) + merged
    return {
        "loops.size": tuple(r[0] for r in rows),
        "loops.step1": tuple(r[1] for r in rows),
        "loops.step2": tuple(r[2] for r in rows),
    }


def _merged(
    shape: tuple[int, ...], first: tuple[int, ...], second: tuple[int, ...]
) -> list[tuple[int, int, int]]:
    """Return (size, step of first, step of second) per merged dimension, outermost first."""
    steps1, steps2 = _steps(shape, first), _steps(shape, second)
    result: list[tuple[int, int, int]] = []
    for size, s1, s2 in zip(shape, steps1, steps2, strict=True):
        if size == 1:
            continue
        if result:
            outer, o1, o2 = result[-1]
            if o1 == s1 * size and o2 == s2 * size:
                result[-1] = (outer * size, s1, s2)
                continue
        result.append((size, s1, s2))
    return result or [(1, 1, 1)]


def _steps(shape: tuple[int, ...], own: tuple[int, ...]) -> list[int]:
    padded = (1,) * (len(shape) - len(own)) + own
    return [0 if n == 1 else math.prod(padded[i + 1 :]) for i, n in enumerate(padded)]
