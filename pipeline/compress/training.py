"""The one training loop: seeded, checkpointed every epoch, resumed to the same result.

Each epoch depends only on the checkpoint before it: its order of samples and its random layers
are seeded by the epoch's number, so that an interrupted run ends as an uninterrupted one would.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgec.pipeline.compress.dataset import Split
from edgec.pipeline.compress.work import Work, load_model
from edgec.pipeline.errors import DataError, EdgecError, UsageError
from edgec.pipeline.graph import Array
from edgec.pipeline.worker import Progress

_RANDOM_LAYERS = (
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise", "GaussianDropout",
)  # fmt: skip
PREDICT_BATCH = 256


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast to train; `learning_rate` is Adam's, cosine-decayed to its tenth."""

    epochs: int
    learning_rate: float = 1e-3
    batch_size: int = 32


@dataclass(frozen=True, slots=True)
class Distillation:
    """Learn from a teacher's outputs as well: `weight` of the loss is the distance to them.

    `teacher` is a `tf_keras.Model` of the same ports. For classes the distance is the
    Kullback-Leibler divergence at `temperature` (Hinton et al., arXiv:1503.02531), else the mean
    squared error.
    """

    teacher: Any
    weight: float = 0.7
    temperature: float = 3.0


def train(
    model: Any,
    work: Work,
    schedule: Schedule,
    *,
    label: str,
    distillation: Distillation | None = None,
    callbacks: Sequence[Any] = (),
) -> None:
    """Train a `tf_keras.Model` in place on `work.data.train`, going on at the last checkpoint.

    `label` names the training within the step's folder and in the progress. `callbacks` are Keras
    callbacks, called as `fit` calls them. Raises UsageError where the loss is not finite; the
    checkpoint of the last good epoch is kept.
    """
    import tensorflow as tf
    import tf_keras

    if schedule.epochs == 0:
        return
    split = _prepared(work, model, distillation)
    batches = math.ceil(split.count / schedule.batch_size)
    rate = tf_keras.optimizers.schedules.CosineDecay(
        schedule.learning_rate, batches * schedule.epochs, alpha=0.1
    )
    optimizer = tf_keras.optimizers.legacy.Adam(rate)
    model.compile(optimizer, _loss(model, work, distillation))
    optimizer._create_all_weights(model.trainable_variables)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
    folder = work.folder / label
    start = _resume(checkpoint, folder)
    random = any(type(layer).__name__ in _RANDOM_LAYERS for layer in _leaves(model))
    for epoch in range(start, schedule.epochs):
        if random:
            model.train_function = None  # retraced, so that its random ops start from the seed
        tf_keras.utils.set_random_seed(work.seed * 100_003 + epoch)
        order = np.random.default_rng((work.seed, epoch)).permutation(split.count)
        part = split.take(order)
        history = model.fit(
            _argument(part.inputs), part.targets, schedule.batch_size, epochs=epoch + 1,
            initial_epoch=epoch, shuffle=False, verbose=0, callbacks=list(callbacks),
        )  # fmt: skip
        loss = float(history.history["loss"][-1])
        if not math.isfinite(loss):
            raise UsageError(
                f"{label}: the loss is {loss} in epoch {epoch + 1} of {schedule.epochs}",
                f"lower learning_rate, now {schedule.learning_rate:g}; look for extreme values "
                "in the data",
            )
        _keep(checkpoint, folder, epoch + 1)
        score = work.metric.score(predict(model, work.data.validation), _targets(work))
        message = f"{label}: loss {loss:.4f}, {work.metric.name} {score:.4f} on validation"
        work.report(Progress("train", epoch + 1, schedule.epochs, message))


def teacher_of(work: Work, weight: float = 0.7, temperature: float = 3.0) -> Distillation:
    """Return the distillation from the float model that the recipe began with."""
    return Distillation(load_model(work.original)[0].keras, weight, temperature)


def predict(model: Any, split: Split) -> Array:
    """Return the model's outputs for all samples of a split, float32 of shape (count, *output)."""
    parts = []
    for start in range(0, split.count, PREDICT_BATCH):
        at = slice(start, start + PREDICT_BATCH)
        parts.append(np.asarray(model(_argument(tuple(x[at] for x in split.inputs)))))
    return np.concatenate(parts).astype(np.float32)


def ends_in_probabilities(model: Any) -> bool:
    """Return whether the outputs are probabilities (softmax or sigmoid) rather than logits."""
    layer = model.outputs[0]._keras_history.layer
    layer = getattr(layer, "layer", layer)  # TF-MOT wraps layers
    activation = getattr(layer, "activation", None)
    activation = getattr(activation, "activation", activation)
    name = getattr(activation, "__name__", type(layer).__name__).lower()
    return name in ("softmax", "sigmoid") or type(layer).__name__ == "Softmax"


def _prepared(work: Work, model: Any, distillation: Distillation | None) -> Split:
    """Return the training split with targets as the loss wants them, the teacher's beside them."""
    split = work.data.train
    outputs = int(np.prod(model.outputs[0].shape[1:]))
    if work.data.classes is None or outputs == 1:
        wanted = split.targets.reshape(split.count, -1).astype(np.float32)
        if wanted.shape[1] != outputs:
            raise DataError(f"targets of {wanted.shape[1]} values, the model gives {outputs}")
    else:
        if int(split.targets.max()) >= outputs:
            raise DataError(
                f"label {int(split.targets.max())} in the training data, the model tells "
                f"{outputs} classes apart: 0 to {outputs - 1}"
            )
        wanted = np.eye(outputs, dtype=np.float32)[split.targets]
    if distillation is not None:
        taught = predict(distillation.teacher, split).reshape(split.count, -1)
        if taught.shape != wanted.shape:
            raise DataError(f"the teacher gives {taught.shape[1]} values, the model {outputs}")
        wanted = np.concatenate([wanted, taught], axis=1)
    return Split(split.inputs, wanted)


def _loss(model: Any, work: Work, distillation: Distillation | None) -> Any:
    """Return the loss of outputs against targets as `_prepared` lays them out."""
    import tensorflow as tf
    import tf_keras

    size = int(np.prod(model.outputs[0].shape[1:]))
    logits = not ends_in_probabilities(model)
    classes = work.data.classes is not None
    if not classes:
        base: Any = tf_keras.losses.MeanSquaredError()
    elif size == 1:
        base = tf_keras.losses.BinaryCrossentropy(from_logits=logits)
    else:
        base = tf_keras.losses.CategoricalCrossentropy(from_logits=logits)

    def loss(targets: Any, outputs: Any) -> Any:
        outputs = tf.reshape(outputs, [-1, size])
        own = base(targets[:, :size], outputs)
        if distillation is None:
            return own
        taught = targets[:, size:]
        if not classes or size == 1:
            apart = tf.reduce_mean(tf.square(taught - outputs))
        else:
            apart = _divergence(taught, outputs, distillation, logits)
        return (1.0 - distillation.weight) * own + distillation.weight * apart

    return loss


def _divergence(taught: Any, outputs: Any, distillation: Distillation, logits: bool) -> Any:
    """Kullback-Leibler divergence at temperature T, times T squared (arXiv:1503.02531, 2.1)."""
    import tensorflow as tf

    heat = distillation.temperature
    taught_logits = (
        tf.math.log(taught + 1e-7) if ends_in_probabilities(distillation.teacher) else taught
    )
    own_logits = outputs if logits else tf.math.log(outputs + 1e-7)
    wanted = tf.nn.softmax(taught_logits / heat)
    crossed = tf.nn.softmax_cross_entropy_with_logits(wanted, own_logits / heat)
    entropy = tf.nn.softmax_cross_entropy_with_logits(wanted, taught_logits / heat)
    return heat**2 * tf.reduce_mean(crossed - entropy)


def _leaves(model: Any) -> list[Any]:
    return [layer for layer in model.submodules if hasattr(layer, "get_config")]


def _argument(inputs: Sequence[Array]) -> Any:
    return inputs[0] if len(inputs) == 1 else list(inputs)


def _targets(work: Work) -> Array:
    return work.data.validation.targets


def _keep(checkpoint: Any, folder: Path, done: int) -> None:
    """Write the checkpoint of `done` epochs beside the last one, then point to it."""
    fresh = folder / f"epoch-{done}"
    try:
        fresh.mkdir(parents=True, exist_ok=True)
        checkpoint.write(str(fresh / "weights"))
        partial = folder / ".progress.json"
        partial.write_text(json.dumps({"epochs": done}), encoding="utf-8")
        partial.replace(folder / "progress.json")
    except Exception as error:  # TensorFlow raises classes of its own where the disk is full
        shutil.rmtree(fresh, ignore_errors=True)
        raise EdgecError(
            f"{fresh}: the checkpoint cannot be written: {' '.join(str(error).split())[:200]}",
            "make room and start again: it goes on after the last epoch that was kept",
        ) from error
    for old in folder.glob("epoch-*"):
        if old != fresh:
            shutil.rmtree(old, ignore_errors=True)


def _resume(checkpoint: Any, folder: Path) -> int:
    """Restore the last checkpoint; return how many epochs it holds."""
    progress = folder / "progress.json"
    if not progress.is_file():
        return 0
    done = int(json.loads(progress.read_text(encoding="utf-8"))["epochs"])
    checkpoint.read(str(folder / f"epoch-{done}" / "weights")).assert_existing_objects_matched()
    return done
