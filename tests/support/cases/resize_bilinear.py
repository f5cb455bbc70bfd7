"""RESIZE_BILINEAR up and down with both options."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from hypothesis import strategies as st

from tests.support.cases import quant

BUILTIN = "RESIZE_BILINEAR"
DTYPES = ("int8", "int16", "float32")
ULPS = 0


def add(draw, model, dtype):
    n, h, w, c = (draw(st.integers(1, m)) for m in (2, 8, 8, 4))
    size = (draw(st.integers(1, 17)), draw(st.integers(1, 17)))
    q = quant(draw, dtype)
    x = model.input((n, h, w, c), dtype, *q)
    new = model.tensor((2,), "int32", data=np.array(size))
    y = model.output((n, *size, c), dtype, *q)
    options = schema.ResizeBilinearOptionsT()
    options.alignCorners, options.halfPixelCenters = draw(
        st.sampled_from(((False, False), (True, False), (False, True)))
    )
    model.op(BUILTIN, [x, new], [y], options, version=3)
