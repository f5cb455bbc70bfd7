"""STRIDED_SLICE with every mask, negative strides and negative positions."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant, shapes

BUILTIN = "STRIDED_SLICE"
DTYPES = ("int8", "int16", "float32", "int32", "bool")
ULPS = 0


def add(draw, model, dtype):
    shape = draw(shapes(1, 4, 6))
    places, index, masks = [], [], [0] * 5
    sizes = list(shape)
    dots = draw(st.integers(0, len(sizes) - 1)) if draw(st.booleans()) else None
    hidden = draw(st.integers(1, len(sizes) - dots)) if dots is not None else 0
    at = 0
    while at < len(sizes):
        bit = 1 << len(places)
        if at == dots:
            masks[2] |= bit
            places.append((0, 0, 1))
            index.append(Ellipsis)
            at += hidden
            dots = None
        elif len(places) < 6 and len(sizes) + len(places) < 5 and draw(st.integers(0, 4)) == 0:
            masks[3] |= bit
            places.append((0, 0, 1))
            index.append(None)
        else:
            _place(draw, sizes[at], bit, places, index, masks)
            at += 1
    if places and not masks[2] and not masks[4] and draw(st.booleans()):
        while len(places) > 1 and index[-1] is not None and draw(st.booleans()):
            places.pop()
            index.pop()
            masks = [m & ((1 << len(places)) - 1) for m in masks]
    q = quant(draw, dtype)
    x = model.input(shape, dtype, *q)
    ends = [
        model.tensor((len(places),), "int32", data=np.array(v)) for v in zip(*places, strict=True)
    ]
    y = model.output(np.zeros(shape)[tuple(index)].shape, dtype, *q)
    options = schema.StridedSliceOptionsT()
    options.beginMask, options.endMask, options.ellipsisMask = masks[:3]
    options.newAxisMask, options.shrinkAxisMask = masks[3:]
    model.op(BUILTIN, [x, *ends], [y], options, version=2)


def _place(draw, size, bit, places, index, masks):
    """Draw one slice that is not empty, or one position."""
    if draw(st.integers(0, 3)) == 0:
        position = draw(st.integers(-size, size - 1))
        masks[4] |= bit
        places.append((position, position + 1, 1))
        index.append(position)
        return
    stride = draw(st.sampled_from((1, 2, 3, -1, -2)))
    begin, end = draw(st.integers(-size - 1, size + 1)), draw(st.integers(-size - 1, size + 1))
    no_begin, no_end = draw(st.booleans()), draw(st.booleans())
    part = slice(None if no_begin else begin, None if no_end else end, stride)
    if not len(range(*part.indices(size))):
        no_begin = no_end = True
        part = slice(None, None, stride)
    masks[0] |= bit * no_begin
    masks[1] |= bit * no_end
    places.append((begin, end, stride))
    index.append(part)
