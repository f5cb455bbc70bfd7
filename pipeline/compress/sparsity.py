"""Prunes the weights of a model by magnitude: TF-MOT's masks, and masks of blocks in kernels.

TF-MOT prunes blocks of 2-D weights only, so blocks of a convolution's input channels are masked
here, by the same schedule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from edgec.pipeline.compress.steps.pruning import Prune
from edgec.pipeline.compress.training import Schedule, teacher_of, train
from edgec.pipeline.compress.work import Work, load_model
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.graph import Array

PRUNED = ("Conv1D", "Conv2D", "Conv2DTranspose", "Dense", "SeparableConv2D")
Masks = Mapping[str, Array]
"""By layer name: ones and zeros of the shape of its kernel."""

RAMP = 2 / 3
"""Share of the training over which a polynomial schedule rises; the rest recovers."""


def prune(work: Work, step: Prune) -> None:
    """Train `work.model` with rising masks and leave it with its zeros; see `Prune`."""
    shares = _shares(work.model, step)
    if step.pattern == "block":
        _train_with(
            work, step, "prune", lambda epoch: _mask_blocks(work.model, step, shares, epoch)
        )
    else:
        work.model = _train_masked(work, step, shares)
    if step.rewind:
        _rewind(work, step, shares)
    _report(work, step, shares)


def _shares(model: Any, step: Prune) -> dict[str, float]:
    """Return the share of zeros wanted in each layer that is pruned."""
    names = {
        layer.name
        for layer in model.layers
        if type(layer).__name__ in PRUNED and not _too_narrow(layer, step)
    }
    if unknown := sorted(set(step.per_layer) - names):
        raise UnsupportedModelError(
            f"per_layer names {unknown[0]!r}, which is no layer that can be pruned so",
            f"known: {', '.join(sorted(names))}",
        )
    shares = {name: step.per_layer.get(name, step.sparsity) for name in sorted(names)}
    chosen = {name: share for name, share in shares.items() if share > 0}
    if not chosen:
        raise UnsupportedModelError("the model has no layer to prune")
    return chosen


def _too_narrow(layer: Any, step: Prune) -> bool:
    """Return whether a pattern over input channels has none to choose from in this layer."""
    channels = int(_kernel(layer).shape[-2])
    least = {"unstructured": 1, "block": step.block[0], "2:4": 4}[step.pattern]
    return channels < least


def _kernel(layer: Any) -> Any:
    return layer.pointwise_kernel if hasattr(layer, "pointwise_kernel") else layer.kernel


def _named(model: Any) -> dict[str, Any]:
    return {layer.name: layer for layer in model.layers}


def _train_masked(work: Work, step: Prune, shares: dict[str, float]) -> Any:
    """Train with TF-MOT's pruning wrappers; return the model without them."""
    import tensorflow_model_optimization as tfmot
    import tf_keras

    keras = tfmot.sparsity.keras
    steps = math.ceil(work.data.train.count / step.batch_size) * step.epochs

    def wrapped(layer: Any) -> Any:
        if layer.name not in shares:
            return layer
        options: dict[str, Any] = {"pruning_schedule": _schedule(step, shares[layer.name], steps)}
        if step.pattern == "2:4":
            options["sparsity_m_by_n"] = (2, 4)
        return keras.prune_low_magnitude(layer, **options)

    model = tf_keras.models.clone_model(work.model, clone_function=wrapped)
    train(
        model,
        work,
        Schedule(step.epochs, step.learning_rate, step.batch_size),
        label="prune",
        distillation=teacher_of(work) if step.distil else None,
        callbacks=[keras.UpdatePruningStep()],
    )
    return keras.strip_pruning(model)


def _schedule(step: Prune, share: float, steps: int) -> Any:
    """Return TF-MOT's schedule for one layer over a training of `steps` batches."""
    import tensorflow_model_optimization as tfmot

    every = max(1, min(100, steps // 20))
    if step.schedule == "constant" or step.pattern == "2:4":
        return tfmot.sparsity.keras.ConstantSparsity(share, 0, frequency=every)
    end = max(1, int(steps * RAMP))
    return tfmot.sparsity.keras.PolynomialDecay(0.0, share, 0, end, frequency=every)


def _train_with(work: Work, step: Prune, label: str, mask: Callable[[int], Masks]) -> None:
    """Train while `mask(epoch)`, taken as an epoch begins, keeps weights at zero."""
    import tf_keras

    model = work.model

    class Masking(tf_keras.callbacks.Callback):  # type: ignore[misc]
        """Applies the masks after every batch."""

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.masks = mask(epoch)
            _apply(model, self.masks)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            _apply(model, self.masks)

    train(
        model,
        work,
        Schedule(step.epochs, step.learning_rate, step.batch_size),
        label=label,
        distillation=teacher_of(work) if step.distil else None,
        callbacks=[Masking()],
    )


def _apply(model: Any, masks: Masks) -> None:
    layers = _named(model)
    for name, mask in masks.items():
        kernel = _kernel(layers[name])
        kernel.assign(kernel * mask)


def _mask_blocks(model: Any, step: Prune, shares: dict[str, float], epoch: int) -> Masks:
    """Return masks that clear the share of blocks that this epoch's schedule asks for."""
    ramp = max(1, math.ceil(step.epochs * RAMP))
    done = min(1.0, (epoch + 1) / ramp) if step.schedule == "polynomial" else 1.0
    rising = 1.0 - (1.0 - done) ** 3  # arXiv:1710.01878, equation 1
    layers = _named(model)
    inputs, outputs = step.block
    return {
        name: block_mask(_kernel(layers[name]).numpy(), inputs, outputs, share * rising)
        for name, share in shares.items()
    }


def block_mask(kernel: Array, inputs: int, outputs: int, share: float) -> Array:
    """Return a mask of `kernel`, (..., in, out), whose smallest blocks are zero.

    A block is `inputs` neighbouring input channels of `outputs` neighbouring output channels at
    one place of the window, those at the ends maybe smaller; `share` of all blocks are cleared,
    those of the least mean magnitude.
    """
    starts = [
        np.arange(0, n, size) for n, size in zip(kernel.shape[-2:], (inputs, outputs), strict=True)
    ]
    lengths = [np.diff([*start, n]) for start, n in zip(starts, kernel.shape[-2:], strict=True)]
    sums = np.add.reduceat(np.abs(kernel), starts[0], axis=-2)
    means = np.add.reduceat(sums, starts[1], axis=-1) / np.outer(*lengths)
    cleared = np.argsort(means, axis=None, kind="stable")[: round(share * means.size)]
    kept = np.ones(means.size, kernel.dtype)
    kept[cleared] = 0
    rows = np.repeat(kept.reshape(means.shape), lengths[0], axis=-2)
    return np.repeat(rows, lengths[1], axis=-1)


def _rewind(work: Work, step: Prune, shares: dict[str, float]) -> None:
    """Give surviving weights the values the recipe began with, and train them with fixed masks."""
    original, _ = load_model(work.original)
    started, layers = _named(original.keras), _named(work.model)
    masks = {name: (_kernel(layers[name]).numpy() != 0).astype(np.float32) for name in shares}
    for name, layer in layers.items():
        values = started[name].get_weights() if name in started else []
        if [v.shape for v in values] == [w.shape for w in layer.weights]:
            layer.set_weights(values)
    _apply(work.model, masks)
    _train_with(work, step, "rewound", lambda epoch: masks)


def _report(work: Work, step: Prune, shares: dict[str, float]) -> None:
    """Note how many zeros each layer has, and that later steps must keep them."""
    layers = _named(work.model)
    kernels = {name: _kernel(layers[name]).numpy() for name in shares}
    total = sum(k.size for k in kernels.values())
    zeros = sum(int((k == 0).sum()) for k in kernels.values())
    work.traits["sparsity"] = {"pattern": step.pattern, "fraction": zeros / total}
    each = ", ".join(f"{n} {(k == 0).mean():.0%}" for n, k in kernels.items())
    work.notes.append(f"{zeros:,} of {total:,} weights are zero ({step.pattern}): {each}")
    left = [
        layer.name
        for layer in work.model.layers
        if type(layer).__name__ in PRUNED and layer.name not in shares
    ]
    if left:
        work.notes.append(f"not pruned: {', '.join(left)}")
