"""Builds the Keras model node by node; what the operator importers are given to work with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import tf_keras

from edgec.pipeline.load.onnx import keras_layers, tensor_layers, views
from edgec.pipeline.load.onnx.nodes import Array, Node
from edgec.pipeline.load.onnx.registry import Refusal
from edgec.pipeline.load.onnx.views import Factor, Group, Groups, Value

L = tf_keras.layers


class Restart(Exception):
    """The model must be built again with other options."""


class BatchMixed(Restart):
    """A node works across the batch axis, so the batch must be fixed."""


class InputRelaid(Restart):
    """The model's first real operator wants the input in another order of axes."""

    def __init__(self, name: str, order: tuple[int, ...]) -> None:
        super().__init__(name, order)
        self.name, self.order = name, order


@dataclass(slots=True)
class Builder:
    """The values known so far, and the operations importers need.

    `open_batch` says whether the Keras model leaves the batch size open. Physical axes follow
    Keras (channels last), logical axes the ONNX file.
    """

    opset: int
    open_batch: bool
    input_orders: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    constants: dict[str, Array] = field(default_factory=dict)
    used: frozenset[str] = frozenset()
    batch: Factor = field(default_factory=lambda: Factor(1, batch=True))
    input_axes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _layer_names: set[str] = field(default_factory=set)
    _moved: dict[tuple[int, Groups], Any] = field(default_factory=dict)
    _node: str = ""

    def name_layers(self, stem: str) -> None:
        """Derive the names of the layers made from now on from `stem`."""
        self._node = stem

    def known(self, name: str) -> bool:
        """Whether a value of this name exists."""
        return name in self.values or name in self.constants

    # --- inputs of a node -------------------------------------------------------------------------

    def value(self, node: Node, index: int = 0) -> Value:
        """The input at `index`, which must depend on the model's inputs."""
        name = node.input(index)
        if name in self.values:
            return self.values[name]
        if name in self.constants:
            return self.constant_as_value(self.constants[name])
        raise Refusal(f"input {index} is missing")

    def constant(self, node: Node, index: int) -> Array:
        """The input at `index`, which must be a constant."""
        found = self.optional_constant(node, index)
        if found is None:
            raise Refusal(f"input {index} is missing")
        return found

    def optional_constant(self, node: Node, index: int) -> Array | None:
        """The input at `index` if it is given, which must then be a constant."""
        name = node.input(index)
        if not name:
            return None
        if name not in self.constants:
            raise Refusal(f"input {index} ({name!r}) is computed, wanted a constant")
        return self.constants[name]

    def is_constant(self, node: Node, index: int) -> bool:
        """Whether the input at `index` is given and constant."""
        return node.input(index) in self.constants

    def is_whole(self, name: str) -> bool:
        """Whether the value of this name is computed and holds integers."""
        return name in self.values and bool(self.values[name].tensor.dtype.is_integer)

    def wanted(self, node: Node, index: int) -> bool:
        """Whether anything reads the output at `index`."""
        return bool(node.output(index)) and node.output(index) in self.used

    # --- outputs of a node ------------------------------------------------------------------------

    def bind(self, node: Node, value: Value, index: int = 0) -> None:
        """Give an output of the node its value."""
        self.values[node.output(index)] = value

    def layer(self, kind: Any, inputs: Any, *args: Any, suffix: str = "", **kwargs: Any) -> Any:
        """Make a layer named after the node and apply it to Keras tensors; return the tensors."""
        return self.weighted(kind, inputs, None, *args, suffix=suffix, **kwargs)

    def weighted(
        self,
        kind: Any,
        inputs: Any,
        weights: Sequence[Array] | None,
        *args: Any,
        suffix: str = "",
        **kwargs: Any,
    ) -> Any:
        """Make a layer holding `weights`, apply it to Keras tensors, return the tensors."""
        layer = self.make(kind, *args, suffix=suffix, **kwargs)
        result = layer(inputs)
        if weights is not None:
            layer.set_weights([np.asarray(item, np.float32) for item in weights])
        return result

    def make(self, kind: Any, *args: Any, suffix: str = "", **kwargs: Any) -> Any:
        """Make a layer named after the node, for importers that call it themselves."""
        return kind(*args, name=self._layer_name(suffix), **kwargs)

    def _layer_name(self, suffix: str) -> str:
        parts = [
            re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") for text in (self._node, suffix)
        ]
        stem = "_".join(part for part in parts if part) or "node"
        name, count = stem, 0
        while name in self._layer_names:
            count += 1
            name = f"{stem}_{count}"
        self._layer_names.add(name)
        return name

    # --- values -----------------------------------------------------------------------------------

    def add_input(
        self, name: str, shape: tuple[int, ...], batch: int | None, *, whole: bool = False
    ) -> None:
        """Make a Keras input for a model input; `batch` is its batch axis if that is open.

        A `whole` one is int32.
        """
        order = self.input_orders.get(name) or tuple(range(len(shape)))
        if name not in self.input_orders and batch:
            order = (batch, *(axis for axis in order if axis != batch))
        groups = [self.batch if i == batch else Factor(size) for i, size in enumerate(shape)]
        logical = tuple((f,) if f.batch or f.size > 1 else () for f in groups)
        self.name_layers(name)
        sizes = [None if axis == batch else shape[axis] for axis in order]
        dtype = "int32" if whole else "float32"
        tensor = L.Input(batch_shape=sizes, name=self._layer_name(""), dtype=dtype)
        self.input_axes[name] = order
        self.values[name] = Value(tensor, tuple(logical[a] for a in order), logical, origin=name)

    def wrap(
        self,
        tensor: Any,
        order: Sequence[int | None],
        *,
        nonnegative: bool = False,
        origin: str = "",
    ) -> Value:
        """Make a value of a Keras tensor whose axis `i` holds ONNX axis `order[i]`.

        None marks an axis of length 1 (or the open batch) that ONNX does not have. In an open
        model, axis 0 is the batch. Give the `origin` of the value the tensor was computed from if
        the axes stayed the same.
        """
        physical: list[Group] = []
        rank = sum(axis is not None for axis in order)
        logical: list[Group] = [()] * rank
        for position, axis in enumerate(order):
            size = tensor.shape[position]
            if position == 0 and self.open_batch:
                group: Group = (self.batch,)
            elif size is None:
                raise Refusal("an axis of unknown length")
            elif size == 0:
                raise Refusal("an axis without elements")
            else:
                group = (Factor(int(size)),) if size > 1 else ()
            physical.append(group)
            if axis is not None:
                logical[axis] = group
            elif group and not group[0].batch:
                raise AssertionError(f"axis {position} of {tensor.shape} belongs to no ONNX axis")
        return Value(tensor, tuple(physical), tuple(logical), origin, nonnegative)

    def like(self, value: Value, tensor: Any, *, nonnegative: bool = False) -> Value:
        """Make a value of a tensor computed element by element from `value`'s."""
        return replace(value, tensor=tensor, nonnegative=nonnegative)

    def constant_as_value(self, array: Array) -> Value:
        """Make a layer that holds a constant, for operators that take tensors only."""
        if array.dtype != np.float32:
            raise Refusal(f"a constant of type {array.dtype}, wanted float32")
        anchor = next(iter(self.values.values())).tensor
        # In an open model the constant's own first axis is the batch only if its length is 1.
        own_batch = array.ndim > 0 and array.shape[0] == 1
        shape = array.shape[1:] if self.open_batch and own_batch else array.shape
        tensor = self.weighted(
            keras_layers.Constant,
            anchor,
            [array.reshape(shape)],
            shape,
            repeat=self.open_batch,
            suffix="constant",
        )
        order: list[int | None] = list(range(array.ndim))
        return self.wrap(tensor, [None, *order] if self.open_batch and not own_batch else order)

    # --- layout -----------------------------------------------------------------------------------

    def arrange(self, value: Value, order: Sequence[int | None]) -> Value:
        """Return `value` with ONNX axis `order[i]` as Keras axis `i`, None being an axis of 1."""
        value = self.bound(value, order[0] if order else None)
        target = tuple(() if axis is None else value.logical[axis] for axis in order)
        if self.open_batch and (not target or target[0] != (self.batch,)):
            if target and target[0] == () and views.batch_axis(value.logical) is None:
                target = ((self.batch,), *target[1:])
            else:
                raise BatchMixed
        return self.move(value, target)

    def separated(self, value: Value) -> tuple[Value, list[int | None]]:
        """Return `value` with one Keras axis for each ONNX axis, and the order of those axes.

        The order is the present one as far as possible; its first entry is None if the batch axis
        of an open model is no axis of the ONNX value.
        """
        value = self.bound(value, 0)
        order = self.order_of(value)
        return self.arrange(value, order), order

    def order_of(self, value: Value) -> list[int | None]:
        """The order of ONNX axes in the Keras tensor, as near as can be where they are merged."""
        value = self.bound(value, 0)
        order = self._present_order(value)
        if order is not None:
            return order
        places = {factor: index for index, factor in enumerate(views.flat(value.physical))}
        keys: list[tuple[int, int]] = []
        last = -1
        for axis, group in enumerate(value.logical):
            last = min((places[factor] for factor in group), default=last)
            keys.append((last, axis))
        order = [axis for _, axis in sorted(keys)]
        if self.open_batch:
            batch = views.batch_axis(value.logical)
            order = [batch, *(axis for axis in order if axis != batch)]
        return order

    def _present_order(self, value: Value) -> list[int | None] | None:
        """The order of ONNX axes in the Keras tensor if each is one axis there, else None."""
        left = list(range(value.rank))
        order: list[int | None] = []
        for position, group in enumerate(value.physical):
            axis = next((a for a in left if value.logical[a] == group), None)
            if axis is not None:
                left.remove(axis)
            elif not (position == 0 and self.open_batch):
                return None
            order.append(axis)
        return None if left else order

    def bound(self, value: Value, axis: int | None) -> Value:
        """Let an ONNX axis of length 1 be the batch axis if none is."""
        if (
            not self.open_batch
            or axis is None
            or not value.logical
            or value.logical[axis] != ()
            or views.batch_axis(value.logical) is not None
        ):
            return value
        logical = list(value.logical)
        logical[axis] = (self.batch,)
        return views.with_axes(value, logical)

    def reshaped_in_order(self, value: Value, shape: Sequence[int]) -> Value:
        """Reshape with a layer, after bringing all axes into the ONNX order."""
        value = self.bound(value, 0)
        batch = views.batch_axis(value.logical)
        order = [axis for axis in range(value.rank) if axis != batch]
        leading = [batch] if self.open_batch else []
        tensor = self.arrange(value, [*leading, *order]).tensor
        if not self.open_batch:
            return self.wrap(
                self.layer(tensor_layers.ReshapeAll, tensor, shape), list(range(len(shape)))
            )
        tensor = self.layer(L.Reshape, tensor, list(shape))
        result = self.wrap(tensor, [None, *range(len(shape))])
        return self.bound(result, 0) if shape and shape[0] == 1 else result

    def move(self, value: Value, target: Groups) -> Value:
        """Bring the Keras tensor into the order `target`, with at most one permutation."""
        if value.physical == target:
            return value
        source, wanted = views.flat(value.physical), views.flat(target)
        if len(source) != len(wanted) or set(source) != set(wanted):
            raise AssertionError("a move would lose an axis")
        self._relay_input(value, target)
        key = (id(value.tensor), target)
        if key not in self._moved:
            self._moved[key] = self._moved_tensor(value, target)
        return replace(value, tensor=self._moved[key], physical=target, origin="")

    def _moved_tensor(self, value: Value, target: Groups) -> Any:
        tensor, physical = value.tensor, value.physical
        if views.flat(physical) != views.flat(target):
            if Counter(physical) != Counter(target):
                grouped = tuple(views.runs(views.flat(physical), views.flat(target)))
                tensor, physical = self._reshape(tensor, physical, grouped), grouped
            order = _permutation(physical, target)
            tensor, physical = self._permute(tensor, order), tuple(physical[i] for i in order)
        return self._reshape(tensor, physical, target)

    def _reshape(self, tensor: Any, source: Groups, target: Groups) -> Any:
        if source == target:
            return tensor
        sizes = [views.size_of(group) for group in target]
        if not self.open_batch:
            return self.layer(tensor_layers.ReshapeAll, tensor, sizes, suffix="reshape")
        if len(sizes) == 2:
            return self.layer(L.Flatten, tensor, suffix="flatten")
        return self.layer(L.Reshape, tensor, sizes[1:], suffix="reshape")

    def _permute(self, tensor: Any, order: Sequence[int]) -> Any:
        if list(order) == list(range(len(order))):
            return tensor
        if order[0] == 0:
            return self.layer(L.Permute, tensor, list(order[1:]), suffix="permute")
        return self.layer(tensor_layers.PermuteAll, tensor, order, suffix="permute")

    def _relay_input(self, value: Value, target: Groups) -> None:
        """Ask for a restart if the wanted order is a permutation of a model input's own axes."""
        name = value.origin
        if not name or name in self.input_orders:
            return
        # A value with an origin has the input's axes one for one, in the order of the input's.
        present = self.input_axes[name]
        places = _matched_axes(value.physical, target) or _matched_factors(value.physical, target)
        order = None if places is None else tuple(present[place] for place in places)
        if order is not None and len(order) == len(present) and order != present:
            raise InputRelaid(name, order)


def _matched_axes(source: Groups, target: Groups) -> tuple[int, ...] | None:
    """The order of axes that turns `source` into `target`."""
    if Counter(source) != Counter(target):
        return None
    left = list(range(len(source)))
    order = []
    for group in target:
        order.append(next(axis for axis in left if source[axis] == group))
        left.remove(order[-1])
    return tuple(order)


def _matched_factors(source: Groups, target: Groups) -> tuple[int, ...] | None:
    """The order of axes that puts the factors of `source` in the order of `target`'s."""
    whole = {group[0]: axis for axis, group in enumerate(source) if group}
    wanted, present = views.flat(target), views.flat(source)
    if wanted == present or any(factor not in whole for factor in wanted):
        return None
    axes = [whole[factor] for factor in wanted]
    units = [axis for axis, group in enumerate(source) if not group]
    if 0 in units:
        units.remove(0)
        axes.insert(0, 0)
    return (*axes[:-1], *units, axes[-1])


def _permutation(source: Groups, target: Groups) -> list[int]:
    """The position in `source` of each run of factors, in the order of `target`."""
    left = list(range(len(source)))
    order: list[int] = []
    wanted = views.flat(target)
    if Counter(source) == Counter(target):
        for group in target:
            index = next(i for i in left if source[i] == group)
            left.remove(index)
            order.append(index)
        return order
    place = {factor: index for index, factor in enumerate(wanted)}
    return sorted(left, key=lambda index: place[source[index][0]])
