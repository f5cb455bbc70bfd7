"""Turns a `tf_keras` model in memory into the bytes of a checked `.tflite` of batch 1.

The one place where TensorFlow's converter is called. Runs in a worker process.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from edgec.pipeline.errors import EdgecError, UnsupportedModelError
from edgec.pipeline.graph import Array
from edgec.pipeline.load.float_model import FloatModel
from edgec.pipeline.lower.converted_file import in_signature_order, require_ports
from edgec.pipeline.lower.trained_ranges import TrainedRange, with_trained_ranges
from edgec.pipeline.lower.unrolling import unroll_recurrent
from edgec.pipeline.worker import Progress, Report

Numbers = Literal["float32", "float16", "dynamic-range", "int8", "int16x8"]

_PORTS: dict[str, str] = {"int8": "int8", "int16x8": "int16"}
"""The type of inputs and outputs, where it is not float32."""
PROBES = 4
"""How many of the calibration samples tell a converted model's tensors apart."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What to convert to.

    `float16` and `dynamic-range` store weights in 16-bit floats or int8 and compute in float32, for
    runtimes that can. `int8` takes the ranges of activations from `samples`, one array an input in
    the Keras model's layout; `samples_from` says in words where they are from. `int16x8` does the
    same with activations of 16 bits and weights of 8. `trained` are ranges that replace those of
    `int8`, told by their values on the first `PROBES` samples. `per_tensor` gives each weight one
    scale instead of one for each output channel.
    """

    numbers: Numbers
    samples: tuple[Array, ...] = ()
    samples_from: str = ""
    per_tensor: bool = False
    trained: tuple[TrainedRange, ...] = ()


def to_tflite(model: FloatModel, name: str, how: Conversion, report: Report) -> bytes:
    """Convert a model, its ports in the order of `model.inputs` and `model.outputs`.

    Inputs and outputs are int8 or int16 where `how` says so, float32 otherwise. Recurrent layers
    of `model` are unrolled in place. `name` is what errors call the model; raises
    UnsupportedModelError where the converter refuses it.
    """
    import tensorflow as tf

    keras = model.keras
    unroll_recurrent(keras)
    signature = [
        tf.TensorSpec(port.keras_shape, tensor.dtype, name=_input_name(index))
        for index, (port, tensor) in enumerate(zip(model.inputs, keras.inputs, strict=True))
    ]

    # A function of fixed batch 1 leaves no shape arithmetic in the converted graph.
    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def serve(*inputs: Any) -> Any:
        outputs = keras(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        return {f"output_{index:03}": value for index, value in enumerate(outputs)}

    report(Progress("convert", 0, 0, "tracing the model"))
    # The converter saves what it is given: of a Keras model, functions of each layer too.
    weights = tf.Module()
    weights.all = keras.variables
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [serve.get_concrete_function()], weights
    )
    _configure(converter, how, report)
    try:
        content = bytes(converter.convert())
        if how.trained:
            content = _quantized(content, how)
        content = in_signature_order(content)
    except EdgecError:
        raise
    except Exception as error:
        # The converter raises its own class, ValueError and RuntimeError alike for a model that
        # it does not take.
        raise UnsupportedModelError(
            f"{name}: TensorFlow's converter refused the model: {_reason(error)}"
        ) from error
    if how.numbers in _PORTS:
        require_ports(content, _PORTS[how.numbers])
    return content


def _configure(converter: Any, how: Conversion, report: Report) -> None:
    import tensorflow as tf

    if how.numbers == "float32":
        return
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if how.numbers == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if how.numbers in ("float16", "dynamic-range"):
        return
    converter.representative_dataset = lambda: _one_by_one(how, report)
    sets = tf.lite.OpsSet
    wide = sets.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    is_wide = how.numbers == "int16x8"
    converter.target_spec.supported_ops = [wide if is_wide else sets.TFLITE_BUILTINS_INT8]
    if how.trained:
        converter._experimental_calibrate_only = True
        return
    converter.inference_input_type = tf.int16 if is_wide else tf.int8
    converter.inference_output_type = converter.inference_input_type
    if how.per_tensor:
        converter._experimental_disable_per_channel = True
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True


def _quantized(calibrated: bytes, how: Conversion) -> bytes:
    """Quantise a calibrated model as the converter would have, but with the trained ranges."""
    import tensorflow as tf
    from tensorflow.lite.python.convert import mlir_quantize

    probe = [array[:PROBES] for array in how.samples]
    return bytes(
        mlir_quantize(
            with_trained_ranges(calibrated, probe, how.trained),
            disable_per_channel=how.per_tensor,
            input_data_type=tf.int8,
            output_data_type=tf.int8,
            disable_per_channel_for_dense_layers=how.per_tensor,
        )
    )


def _input_name(index: int) -> str:
    return f"input_{index:03}"


def _one_by_one(how: Conversion, report: Report) -> Iterator[dict[str, np.ndarray]]:
    """Yield one sample at a time, by name: the converter may order the inputs otherwise."""
    count = len(how.samples[0])
    for index in range(count):
        report(Progress("calibrate", index, count, how.samples_from))
        yield {
            _input_name(number): array[index : index + 1]
            for number, array in enumerate(how.samples)
        }
    report(Progress("convert", 0, 0, "quantising"))


def _reason(error: Exception) -> str:
    """Return the lines of a converter's error that say what is wrong."""
    lines = [" ".join(line.split()) for line in str(error).splitlines()]
    telling = [line.split("error: ", 1)[-1] for line in lines if "error: " in line]
    chosen = telling or [line for line in lines if line]
    return re.sub(r"\s+", " ", "; ".join(dict.fromkeys(chosen[:3])))[:600] or type(error).__name__
