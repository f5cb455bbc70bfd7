"""How layers that move elements pass channels on: join, pick, reshape. Part of `channel_rules`."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgec.pipeline.compress.channel_coupling import Coupling, Kept, Role, Rule, shape_of
from edgec.pipeline.compress.channel_units import Channels, moved_channels
from edgec.pipeline.compress.layer_graph import Call


def _moves(found: Coupling, call: Call) -> list[Channels]:
    """The layer itself is run on labels, which says where each element goes."""
    import tensorflow as tf

    labels = [
        tf.constant(found.of(tensor).spread(shape_of(tensor)).astype(np.float32))
        for tensor in call.inputs
    ]
    results = call.layer(labels if isinstance(call.node.call_args[0], (list, tuple)) else labels[0])
    results = results if isinstance(results, (list, tuple)) else [results]
    channels = [moved_channels(np.asarray(result).astype(np.int64)) for result in results]
    known = [item for item in channels if item is not None]
    if len(known) < len(channels):
        return found.mixed(call, f"{call.layer.name} ({call.kind}) spreads channels over two axes")
    return known


def _joined(found: Coupling, call: Call) -> list[Channels]:
    """Channels put side by side follow each other; tensors joined elsewhere share theirs."""
    several = [found.of(tensor) for tensor in call.inputs]
    axis = call.layer.get_config()["axis"] % len(call.outputs[0].shape)
    if any(item.axis == axis for item in several):
        return _moves(found, call)
    first = several[0]
    if any(i.axis != first.axis or len(i.units) != len(first.units) for i in several):
        return found.mixed(call, f"{call.layer.name} joins channels along different axes")
    for other in several[1:]:
        found.units.join(first.units, other.units)
    return [first]


def _reshape(found: Coupling, call: Call) -> list[Channels]:
    results = _moves(found, call)
    axis, units = results[0].axis, results[0].units
    if axis == 0:
        return found.mixed(call)

    def adapt(config: dict[str, Any], kept: Kept) -> None:
        shape = list(shape_of(call.outputs[0]))[1:]
        shape[axis - 1] = int(np.sum(kept[units]))
        config["target_shape"] = tuple(shape)

    found.roles[call.layer.name] = Role(adapt=adapt)
    return results


def _reshape_all(found: Coupling, call: Call) -> list[Channels]:
    results = _moves(found, call)
    axis, units = results[0].axis, results[0].units

    def adapt(config: dict[str, Any], kept: Kept) -> None:
        shape = list(config["shape"])
        if shape[axis] != -1:
            shape[axis] = int(np.sum(kept[units]))
        config["shape"] = shape

    found.roles[call.layer.name] = Role(adapt=adapt)
    return results


def _slice(found: Coupling, call: Call) -> list[Channels]:
    channels = found.of(call.inputs[0])
    axis, config = channels.axis, call.layer.get_config()
    size = len(channels.units)
    cut = slice(*(config[key][axis] for key in ("begin", "end", "step")))
    start, stop, step = cut.indices(size)
    if (start, stop, step) == (0, size, 1):
        return _moves(found, call)
    if step != 1:
        return found.mixed(call, f"{call.layer.name} takes every {step}th channel")

    def adapt(config: dict[str, Any], kept: Kept) -> None:
        stays = kept[channels.units]
        config["begin"], config["end"] = list(config["begin"]), list(config["end"])
        config["begin"][axis] = int(np.sum(stays[:start]))
        config["end"][axis] = int(np.sum(stays[:stop]))

    found.roles[call.layer.name] = Role(adapt=adapt)
    return [Channels(axis, channels.units[cut])]


def _split(found: Coupling, call: Call) -> list[Channels]:
    results = _moves(found, call)
    rank = len(call.inputs[0].shape)
    if found.of(call.inputs[0]).axis != call.layer.get_config()["axis"] % rank:
        return results

    def adapt(config: dict[str, Any], kept: Kept) -> None:
        config["lengths"] = [int(np.sum(kept[item.units])) for item in results]

    found.roles[call.layer.name] = Role(adapt=adapt)
    return results


def _gather(found: Coupling, call: Call) -> list[Channels]:
    channels = found.of(call.inputs[0])
    config = call.layer.get_config()
    if channels.axis != config["axis"] % len(call.inputs[0].shape):
        return _moves(found, call)
    indices = np.asarray(config["indices"]) % len(channels.units)

    def adapt(config: dict[str, Any], kept: Kept) -> None:
        stays = kept[channels.units]
        place = np.cumsum(stays) - 1
        config["indices"] = [int(place[i]) for i in indices if stays[i]]

    found.roles[call.layer.name] = Role(adapt=adapt)
    return [Channels(channels.axis, channels.units[indices])]


MOVES: dict[str, Rule] = {
    **dict.fromkeys(
        ("Flatten", "Permute", "RepeatVector", "PermuteAll", "SpaceToDepth", "DepthToSpace"),
        _moves,
    ),
    **dict.fromkeys(("Concatenate", "Join"), _joined),
    "Reshape": _reshape,
    "ReshapeAll": _reshape_all,
    "Slice": _slice,
    "Split": _split,
    "Gather": _gather,
}
