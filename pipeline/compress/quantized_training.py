"""Trains a model with quantisation, converts it and checks what came out; see `steps.qat`."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgec.pipeline.compress.best_epoch import BestEpoch
from edgec.pipeline.compress.kept_weights import check_kept_weights
from edgec.pipeline.compress.observing import Observed, Rounding, observe
from edgec.pipeline.compress.quantizers import KERNELS
from edgec.pipeline.compress.rewriting import Rewritten, rewrite
from edgec.pipeline.compress.steps.qat import QuantisationAwareTraining
from edgec.pipeline.compress.training import Schedule, teacher_of, train
from edgec.pipeline.compress.work import Work
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.load.float_model import FloatModel
from edgec.pipeline.lower.conversion import PROBES, Conversion, to_tflite
from edgec.pipeline.lower.converted_file import float_ops

_TAKEN_BY_TFMOT = frozenset({
    "Activation", "Add", "AveragePooling2D", "Concatenate", "Conv2D", "Conv2DTranspose", "Dense",
    "DepthwiseConv2D", "Dropout", "Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling2D",
    "InputLayer", "LeakyReLU", "MaxPooling2D", "Permute", "ReLU", "Reshape", "Softmax",
    "UpSampling2D", "ZeroPadding2D",
})  # fmt: skip


def train_quantized(work: Work, step: QuantisationAwareTraining) -> None:
    """Train `work.model` with quantisation and set `work.tflite`, which computes in integers."""
    import tf_keras

    tf_keras.utils.set_random_seed(work.seed)
    rewritten = rewrite(work.model)
    work.notes.extend(rewritten.notes)
    _note_own_layers(work, rewritten.model)
    observed = observe(rewritten.model, _rounding(work, rewritten, step.per_tensor))
    samples = work.data.calibration(step.samples, work.seed)
    observed.seed(samples)
    best = BestEpoch(observed, work)
    train(
        observed.training,
        work,
        Schedule(step.epochs, step.learning_rate, step.batch_size),
        label="qat",
        distillation=teacher_of(work) if step.distil else None,
        callbacks=[best],
    )
    work.notes.append(_chosen(best.restore(), step.epochs))
    observed.settle()
    work.tflite = _converted(work, step, observed)
    if names := float_ops(work.tflite):
        raise UnsupportedModelError(
            f"quantised training leaves {', '.join(names)} in float32",
            "these ops have no int8 form in TensorFlow's converter; replace their layers",
        )
    check_kept_weights(work, rewritten.model, work.tflite)


def _chosen(epoch: int, epochs: int) -> str:
    if epoch == 0:
        return (
            "no epoch did better on validation, by more than chance, than the weights before: kept"
        )
    return f"epoch {epoch} of {epochs} did best on validation: kept"


def _converted(work: Work, step: QuantisationAwareTraining, observed: Observed) -> bytes:
    samples = work.data.calibration(min(step.samples, 100), work.seed)
    ranges = observed.ranges([array[:PROBES] for array in samples])
    how = Conversion(
        "int8",
        samples,
        f"{len(samples[0])} training samples",
        per_tensor=step.per_tensor,
        trained=tuple(ranges),
    )
    plain = FloatModel(observed.plain, work.inputs, work.outputs)
    return to_tflite(plain, "the trained model", how, work.report)


def _rounding(work: Work, rewritten: Rewritten, per_tensor: bool) -> Rounding:
    """Return how to round, so that what earlier steps made of the weights stays."""
    most = work.traits.get("clusters", 0)
    shared = {}
    for layer in work.model.layers if most else ():
        attribute = KERNELS.get(type(layer).__name__, ("", ""))[0]
        if attribute != "kernel":
            continue
        kernel = layer.kernel.numpy()
        if len(np.unique(kernel)) <= most < kernel.size:
            one = np.ones(kernel.shape[-1], np.float32)
            shared[layer.name] = kernel, rewritten.factors.get(layer.name, one)
    return Rounding(shared, "sparsity" in work.traits, per_tensor)


def _note_own_layers(work: Work, model: Any) -> None:
    """List the layers that TF-MOT has no way to quantise, and that are by ours."""
    own: dict[str, list[str]] = {}
    unrounded = []
    for layer in model.layers:
        kind = type(layer).__name__
        if kind not in _TAKEN_BY_TFMOT:
            own.setdefault(kind, []).append(layer.name)
        if layer.trainable_weights and kind not in KERNELS:
            unrounded.append(layer.name)
    for kind, names in sorted(own.items()):
        work.notes.append(f"{kind}, which TF-MOT does not take, observed: {', '.join(names)}")
    if unrounded:
        work.notes.append(f"weights rounded after the training, not in it: {', '.join(unrounded)}")
