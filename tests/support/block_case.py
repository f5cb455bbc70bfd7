"""Cases of ops that move blocks of pixels to or from channels or batches."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.support.cases import quant


def add_channel_blocks(draw, model, dtype, builtin: str, options, *, spreads: bool) -> None:
    """Add DEPTH_TO_SPACE, which `spreads` channels, or SPACE_TO_DEPTH; blocks of one to three."""
    n, c, block = draw(st.integers(1, 2)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    h, w = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    deep, flat = (n, h, w, c * block * block), (n, h * block, w * block, c)
    q = quant(draw, dtype)
    options.blockSize = block
    x = model.input(deep if spreads else flat, dtype, *q)
    y = model.output(flat if spreads else deep, dtype, *q)
    model.op(builtin, [x], [y], options)


def add_batch_blocks(draw, model, dtype, builtin: str, options, *, spreads: bool) -> None:
    """Add BATCH_TO_SPACE_ND, which `spreads` batches, or SPACE_TO_BATCH_ND, in one or two axes."""
    dims = draw(st.integers(1, 2))
    n, c = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    block = [draw(st.integers(1, 3)) for _ in range(dims)]
    grid = [draw(st.integers(1, 4)) for _ in range(dims)]
    amounts = []
    for b, g in zip(block, grid, strict=True):
        before = draw(st.integers(0, min(3, b * g - 1)))
        amounts.append((before, draw(st.integers(0, min(3, b * g - 1 - before)))))
    sides = zip(block, grid, amounts, strict=True)
    space = (n, *(b * g - sum(pair) for b, g, pair in sides), c)
    batches = (n * int(np.prod(block)), *grid, c)
    q = quant(draw, dtype)
    x = model.input(batches if spreads else space, dtype, *q)
    shape = model.tensor((dims,), "int32", data=np.array(block))
    pads = model.tensor((dims, 2), "int32", data=np.array(amounts))
    y = model.output(space if spreads else batches, dtype, *q)
    model.op(builtin, [x, shape, pads], [y], options, version=2)
