"""How each class of layer passes channels on: what it makes, reads, and couples.

A rule takes a call, enters the layer's `Role`, and returns the channels of each output.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgec.pipeline.compress.channel_coupling import Coupling, Kept, Role, Rule, shape_of
from edgec.pipeline.compress.channel_moves import MOVES
from edgec.pipeline.compress.channel_units import Channels
from edgec.pipeline.compress.layer_graph import Call
from edgec.pipeline.graph import Array

_MIXING_ACTIVATIONS = ("softmax",)


def _activation(layer: Any) -> str:
    function = getattr(layer, "activation", None)
    return str(getattr(function, "__name__", ""))


def _last(found: Coupling, call: Call) -> Array | None:
    """Return the units of a one-input layer if they are along its last axis."""
    tensor = call.inputs[0]
    channels = found.of(tensor)
    return channels.units if channels.axis == len(tensor.shape) - 1 else None


def _made(found: Coupling, call: Call, count: int) -> Array:
    """Return new units for a layer's output channels, kept where its activation mixes them."""
    units = found.units.make(count)
    if _activation(call.layer) in _MIXING_ACTIVATIONS:
        found.fix(units, f"the softmax of {call.layer.name}")
    return units


def _on_last_axis(call: Call, units: Array) -> list[Channels]:
    return [Channels(len(call.outputs[0].shape) - 1, units)]


def _filters(out_axis: int, in_axis: int, key: str = "filters") -> Rule:
    """Return the rule of a layer with one filter for each output channel."""

    def rule(found: Coupling, call: Call) -> list[Channels]:
        layer = call.layer
        taken = _last(found, call)
        if taken is None or getattr(layer, "groups", 1) != 1:
            return found.mixed(call, f"{layer.name} is grouped" if taken is not None else "")
        out = _made(found, call, int(layer.get_config()[key]))
        axes = len(layer.kernel.shape)
        role = Role(
            {"kernel": [(in_axis % axes, taken), (out_axis % axes, out)]},
            {key: out},
            makes=("kernel", out_axis % axes),
            reads=("kernel", in_axis % axes),
        )
        if layer.use_bias:
            role.weights["bias"] = [(0, out)]
        found.roles[layer.name] = role
        return _on_last_axis(call, out)

    return rule


def _depthwise(found: Coupling, call: Call) -> list[Channels]:
    layer = call.layer
    taken = _last(found, call)
    if taken is None or _activation(layer) in _MIXING_ACTIVATIONS:
        return found.mixed(call)
    out = np.repeat(taken, layer.depth_multiplier)
    axis = len(layer.depthwise_kernel.shape) - 2
    role = Role({"depthwise_kernel": [(axis, taken)]})
    if layer.use_bias:
        role.weights["bias"] = [(0, out)]
    found.roles[layer.name] = role
    return _on_last_axis(call, out)


def _separable(found: Coupling, call: Call) -> list[Channels]:
    layer = call.layer
    taken = _last(found, call)
    if taken is None:
        return found.mixed(call)
    out = _made(found, call, int(layer.filters))
    axes = len(layer.depthwise_kernel.shape)
    between = np.repeat(taken, layer.depth_multiplier)
    role = Role(
        {
            "depthwise_kernel": [(axes - 2, taken)],
            "pointwise_kernel": [(axes - 2, between), (axes - 1, out)],
        },
        {"filters": out},
        makes=("pointwise_kernel", axes - 1),
        reads=("pointwise_kernel", axes - 2),
    )
    if layer.use_bias:
        role.weights["bias"] = [(0, out)]
    found.roles[layer.name] = role
    return _on_last_axis(call, out)


def _recurrent(found: Coupling, call: Call) -> list[Channels]:
    """A recurrent layer reads its input by one kernel; its state is kept whole."""
    taken = _last(found, call)
    if taken is None or len(call.inputs) != 1:
        return found.mixed(call)
    weights = {"cell.kernel": [(0, taken)], "cell.recurrent_kernel": []}
    found.roles[call.layer.name] = Role(weights, reads=("cell.kernel", 0))
    return [found.fixed(tensor) for tensor in call.outputs]


def _normalisation(found: Coupling, call: Call) -> list[Channels]:
    layer = call.layer
    channels = found.of(call.inputs[0])
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    rank = len(call.inputs[0].shape)
    if [axis % rank for axis in axes] != [channels.axis]:
        return found.mixed(call)
    names = ["moving_mean", "moving_variance"]
    names += ["gamma"] * bool(layer.scale) + ["beta"] * bool(layer.center)
    found.roles[layer.name] = Role({name: [(0, channels.units)] for name in names})
    return [channels]


def _prelu(found: Coupling, call: Call) -> list[Channels]:
    channels = found.of(call.inputs[0])
    axis = channels.axis - 1
    if axis < 0:
        return found.mixed(call)
    if int(call.layer.alpha.shape[axis]) == len(channels.units) > 1:
        found.roles[call.layer.name] = Role({"alpha": [(axis, channels.units)]})
    return [channels]


def _constant_operand(found: Coupling, call: Call) -> list[Channels]:
    """A weight added, multiplied, …: sliced where it has the channel axis."""
    layer = call.layer
    channels = found.of(call.inputs[0])
    config = layer.get_config()
    shape, rank = config["shape"], len(call.inputs[0].shape)
    if config["function"] == "matmul" or len(shape) > rank or _grows(call):
        return found.mixed(call)
    axis = channels.axis - (rank - len(shape))
    if axis >= 0 and shape[axis] == len(channels.units) > 1:

        def adapt(config: dict[str, Any], kept: Kept) -> None:
            config["shape"] = list(config["shape"])
            config["shape"][axis] = int(np.sum(kept[channels.units]))

        found.roles[layer.name] = Role({"operand": [(axis, channels.units)]}, adapt=adapt)
    return [channels]


def _grows(call: Call) -> bool:
    """Return whether a call's output is of another shape than its input."""
    return shape_of(call.inputs[0]) != shape_of(call.outputs[0])


def _activation_rule(found: Coupling, call: Call) -> list[Channels]:
    if _activation(call.layer) in _MIXING_ACTIVATIONS:
        return found.mixed(call)
    return [found.of(call.inputs[0])]


def _rescaling(found: Coupling, call: Call) -> list[Channels]:
    layer = call.layer
    if np.size(layer.scale) > 1 or np.size(layer.offset) > 1:
        return found.mixed(call)
    return [found.of(call.inputs[0])]


def _same(found: Coupling, call: Call) -> list[Channels]:
    """Each element by itself: the output has the input's channels."""
    return [found.of(call.inputs[0])]


def _windows(found: Coupling, call: Call) -> list[Channels]:
    """Each channel by itself, over its places: pooling, padding, resizing."""
    taken = _last(found, call)
    if taken is None or shape_of(call.outputs[0])[-1] != len(taken):
        return found.mixed(call)
    return _on_last_axis(call, taken)


def _pad(found: Coupling, call: Call) -> list[Channels]:
    axis = found.of(call.inputs[0]).axis
    if any(call.layer.get_config()["paddings"][axis]):
        return found.mixed(call, f"{call.layer.name} pads its channels")
    return [found.of(call.inputs[0])]


def _reduce(found: Coupling, call: Call) -> list[Channels]:
    channels = found.of(call.inputs[0])
    rank = len(call.inputs[0].shape)
    if channels.axis in [axis % rank for axis in call.layer.get_config()["axes"]]:
        return found.mixed(call)
    return [channels]


def _merge(found: Coupling, call: Call) -> list[Channels]:
    """Element by element over several tensors, which are broadcast: their channels are coupled."""
    if call.layer.get_config().get("function") == "matmul":
        return found.mixed(call)
    output = call.outputs[0]
    rank = len(output.shape)
    if len({id(tensor) for tensor in call.inputs}) == 1:
        return [found.of(call.inputs[0])]
    aligned = [(found.of(t).axis + rank - len(t.shape), found.of(t).units) for t in call.inputs]
    wide = [(axis, units) for axis, units in aligned if len(units) > 1]
    if len({axis for axis, _ in wide}) > 1 or not wide:
        return found.mixed(call, f"{call.layer.name} pairs channels along different axes")
    axis, units = wide[0]
    for tensor, (_, other) in zip(call.inputs, aligned, strict=True):
        if len(other) == len(units) > 1:
            found.units.join(units, other)
            continue
        own = axis - (rank - len(tensor.shape))
        if own >= 0 and shape_of(tensor)[own] > 1:
            return found.mixed(call, f"{call.layer.name} pairs channels along different axes")
        found.fix(other, f"{call.layer.name} spreads one channel over many")
    return [Channels(axis, units)]


def _words(text: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(text.split(), rule)


RULES: dict[str, Rule] = {
    **_words("Conv1D Conv2D", _filters(-1, -2)),
    **_words("Conv1DTranspose Conv2DTranspose", _filters(-2, -1)),
    "Dense": _filters(-1, -2, "units"),
    **_words("DepthwiseConv1D DepthwiseConv2D", _depthwise),
    **_words("SeparableConv1D SeparableConv2D", _separable),
    **_words("LSTM GRU SimpleRNN", _recurrent),
    "BatchNormalization": _normalisation,
    "PReLU": _prelu,
    "ConstantOperand": _constant_operand,
    "Activation": _activation_rule,
    "Rescaling": _rescaling,
    **_words(
        "ReLU LeakyReLU ELU ThresholdedReLU Dropout SpatialDropout1D SpatialDropout2D AlphaDropout "
        "GaussianNoise GaussianDropout ActivityRegularization Abs Exp Log Negate Sqrt HardSwish "
        "ScaledSwish HardSigmoid Gelu Clip ScaledElu",
        _same,
    ),
    **_words(
        "AveragePooling1D AveragePooling2D MaxPooling1D MaxPooling2D GlobalAveragePooling1D "
        "GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D UpSampling1D UpSampling2D "
        "ZeroPadding1D ZeroPadding2D Cropping1D Cropping2D Resize",
        _windows,
    ),
    "Pad": _pad,
    "Reduce": _reduce,
    **_words("Add Subtract Multiply Maximum Minimum Average Binary", _merge),
    **MOVES,
}
