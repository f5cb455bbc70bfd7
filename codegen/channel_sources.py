"""Which input channels the channels of an output are made of, op by op.

A channel is an index of the last dimension.
"""

from __future__ import annotations

import numpy as np

from edgec.codegen.binary import BinaryOp
from edgec.codegen.ops.average_pool_2d import AveragePool2D
from edgec.codegen.ops.concatenation import Concatenation
from edgec.codegen.ops.depthwise_conv_2d import DepthwiseConv2D
from edgec.codegen.ops.expand_dims import ExpandDims
from edgec.codegen.ops.max_pool_2d import MaxPool2D
from edgec.codegen.ops.pad import Pad
from edgec.codegen.ops.padv2 import PadV2
from edgec.codegen.ops.quantize import Quantize
from edgec.codegen.ops.reshape import Reshape
from edgec.codegen.ops.squeeze import Squeeze
from edgec.codegen.ops.transpose import Transpose
from edgec.codegen.reduction import Reduction
from edgec.codegen.registry import Io
from edgec.codegen.table_op import TableOp
from edgec.codegen.unary import Unary
from edgec.pipeline.graph import Array, DType, Op

Sources = tuple[Array | None, ...]
"""For each input, the input channel of every output channel, -1 where it has none of this input.

None for an input whose channels do not matter to the output's.
"""

_ALONE = (AveragePool2D, MaxPool2D, Unary, Quantize, TableOp)


def channel_sources(op: Op, io: Io) -> Sources | None:
    """Return the sources of an op whose output channels are each made of a few input channels.

    Each channel is then computed in the same way, whatever the others are, so that channels of the
    input and the output may be taken away together. None for ops that mix channels, and for those
    not between int8 or between int16.
    """
    if len(io.outputs) != 1 or not io.x.shape or not io.y.shape:
        return None
    if io.x.dtype not in (DType.INT8, DType.INT16) or io.y.dtype is not io.x.dtype:
        return None
    channels, made = io.x.shape[-1], io.y.shape[-1]
    rest: Sources = (None,) * (len(io.inputs) - 1)
    if isinstance(op, _ALONE) or _keeps_channels(op, io):
        return (np.arange(channels), *rest)
    if isinstance(op, DepthwiseConv2D):
        # of one channel as many can be made as there are filters
        return (np.repeat(np.arange(channels), made // channels) if channels > 1 else None, *rest)
    if isinstance(op, (Reshape, Squeeze, ExpandDims)) and made % channels == 0:
        return (np.tile(np.arange(channels), made // channels), *rest)
    if isinstance(op, Concatenation):
        return _joined(op, io)
    if isinstance(op, BinaryOp) and all(
        t.data is not None or t.shape[-1:] in ((made,), (1,), ()) for t in io.present
    ):
        return tuple(
            np.arange(made) if t.data is None and t.shape[-1:] == (made,) else None
            for t in io.present
        )
    return None


def _keeps_channels(op: Op, io: Io) -> bool:
    last = len(io.x.shape) - 1
    if isinstance(op, (Pad, PadV2)):
        return op.paddings[last] == (0, 0)
    if isinstance(op, Reduction):
        return last not in op.axes
    return isinstance(op, Transpose) and op.order[last] == last


def _joined(op: Concatenation, io: Io) -> Sources:
    if op.axis != len(io.y.shape) - 1:
        return tuple(np.arange(io.y.shape[-1]) for _ in io.present)
    found, start = [], 0
    for tensor in io.present:
        source = np.full(io.y.shape[-1], -1)
        source[start : start + tensor.shape[-1]] = np.arange(tensor.shape[-1])
        start += tensor.shape[-1]
        found.append(source)
    return tuple(found)
