"""What a compression step works on in tests: the digits of scikit-learn, or random samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from edgec.pipeline.compress.dataset import Dataset, Split
from edgec.pipeline.compress.metric import Metric
from edgec.pipeline.compress.work import Work, save_model
from edgec.pipeline.load.float_model import FloatModel, Port
from tests.support.oracle import run_litert


def digits_data(seed: int = 0) -> Dataset:
    """The 1,797 digits, 8x8x1 in 0 to 1, split 60 : 20 : 20."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32).reshape(-1, 8, 8, 1)
    order = np.random.default_rng(seed).permutation(len(labels))
    parts = np.split(order, [len(order) * 6 // 10, len(order) * 8 // 10])
    splits = [Split((images[p],), labels[p].astype(np.int64)) for p in parts]
    return Dataset(*splits, classes=10)


def random_data(model: Any, count: int = 48) -> Dataset:
    """Samples of -1 to 1 that the model itself labelled, for models that only need steps."""
    rng = np.random.default_rng(0)
    inputs = tuple(
        rng.uniform(-1, 1, (count, *x.shape[1:])).astype(np.float32) for x in model.inputs
    )
    outputs = np.asarray(model(list(inputs) if len(inputs) > 1 else inputs[0]))
    split = Split(inputs, outputs.reshape(count, -1).astype(np.float32))
    return Dataset(split, split.take(np.arange(8)), split.take(np.arange(8)), classes=None)


def accuracy_metric() -> Metric:
    """How many of the outputs' largest values are at the target."""
    return Metric("accuracy", True, lambda y, t: float(np.mean(np.argmax(y, 1) == t)))


def error_metric() -> Metric:
    """Mean squared error."""
    return Metric("mse", False, lambda y, t: float(np.mean((y.reshape(t.shape) - t) ** 2)))


def work_on(model: Any, data: Dataset, folder: Path, seed: int = 0) -> Work:
    """Return a Keras model as a step gets it, which also is the original."""
    inputs = tuple(_port(x) for x in model.inputs)
    outputs = tuple(_port(y) for y in model.outputs)
    save_model(folder / "original", FloatModel(model, inputs, outputs), {})
    (folder / "step").mkdir()
    return Work(
        model=model,
        inputs=inputs,
        outputs=outputs,
        data=data,
        metric=error_metric() if data.classes is None else accuracy_metric(),
        folder=folder / "step",
        original=folder / "original",
        report=lambda progress: None,
        seed=seed,
    )


def interpreted(content: bytes, split: Split) -> np.ndarray:
    """Return the dequantised outputs of an int8 model of one input on a split."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    (scale, zero), (out_scale, out_zero) = (
        detail[0]["quantization"]
        for detail in (interpreter.get_input_details(), interpreter.get_output_details())
    )
    codes = np.clip(np.round(split.inputs[0] / scale + zero), -128, 127).astype(np.int8)
    outputs = run_litert(content, [[x[np.newaxis]] for x in codes])
    return (np.concatenate([y[0] for y in outputs]).astype(np.float32) - out_zero) * out_scale


def _port(tensor: Any) -> Port:
    shape = (1, *(int(size) for size in tensor.shape[1:]))
    return Port(tensor.name.split(":")[0], shape, tuple(range(len(shape))))
