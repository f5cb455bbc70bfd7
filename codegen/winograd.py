"""The filter transform of Winograd's F(2x2, 3x3), scaled to integers.

Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015, section 4.1.
"""

from __future__ import annotations

import numpy as np

from edgec.codegen.dsp_products import LANE
from edgec.pipeline.graph import Array

_TWICE_G = np.array([[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]], np.int64)


def transformed_filter(weights: Array, block: int) -> Array:
    """Return 4 * G g G^T of (out_ch, 3, 3, in_ch) weights, packed as pairs of int16.

    The result has shape (out_ch / block, 16 points, in_ch / 2, block): the order in which
    `kernels/edgec_conv_2d_int8_dsp_winograd.h` says it is read.
    """
    out_ch, _, _, in_ch = weights.shape
    points = np.einsum("ia,oabc,jb->ocij", _TWICE_G, weights.astype(np.int64), _TWICE_G)
    halves = points.reshape(-1).astype(np.int16).view(np.uint16).astype(np.uint32)
    # (block, channel, group, pair's second, pair, point) -> (block, point, group, pair, channel)
    split = halves.reshape(out_ch // block, block, in_ch // LANE, 2, 2, 16)
    words = (split[:, :, :, 0] | split[:, :, :, 1] << 16).transpose(0, 4, 2, 3, 1)
    packed = np.ascontiguousarray(words).view(np.int32)
    return packed.reshape(out_ch // block, 16, in_ch // 2, block)
