"""Cases of resizing up and down, with both options of where pixels lie."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.support.cases import quant


def add_resizing(draw, model, dtype, builtin: str, options) -> None:
    """Add RESIZE_BILINEAR or RESIZE_NEAREST_NEIGHBOR; its options are drawn."""
    n, h, w, c = (draw(st.integers(1, m)) for m in (2, 8, 8, 4))
    size = (draw(st.integers(1, 17)), draw(st.integers(1, 17)))
    q = quant(draw, dtype)
    x = model.input((n, h, w, c), dtype, *q)
    new = model.tensor((2,), "int32", data=np.array(size))
    y = model.output((n, *size, c), dtype, *q)
    options.alignCorners, options.halfPixelCenters = draw(
        st.sampled_from(((False, False), (True, False), (False, True)))
    )
    model.op(builtin, [x, new], [y], options, version=3)
