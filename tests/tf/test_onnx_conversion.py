"""What the importer builds converts to TensorFlow Lite with builtin operators only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx

from edgec.pipeline.load.float_model import FloatModel
from tests.support.onnx_graphs import (
    example_inputs,
    imported,
    ints,
    model,
    node,
    run_keras,
    weights,
)


def _every_layer_of_its_own() -> onnx.ModelProto:
    """A model with an output for each of the importer's own layers."""
    nodes: list[onnx.NodeProto] = [node("Sigmoid", "x", "s"), node("Relu", "x", "r")]
    outputs: list[str] = []

    def add(op: str, inputs: str, **attributes: Any) -> None:
        outputs.append(f"y{len(outputs)}")
        nodes.append(node(op, inputs, outputs[-1], **attributes))

    for op in ("Exp", "Log", "Sqrt", "Neg", "Abs", "HardSwish", "Gelu", "HardSigmoid"):
        add(op, "s")
    # On another value than the exact form, whose halving the converter would share.
    add("Gelu", "x", approximate="tanh")
    add("LogSoftmax", "r", axis=1)
    add("Clip", "x low high")
    add("Selu", "x", alpha=1.5, gamma=1.2)
    for op in ("Div", "Pow", "Max", "Min", "Sub", "Mul", "Add"):
        add(op, "s by_channel")
        add(op, "s t" if op == "Pow" else "x t")
    add("Div", "one s")
    add("MatMul", "x xt")
    for op in ("ReduceMean", "ReduceMax", "ReduceSum"):
        add(op, "x width")
    add("Slice", "x begin end width step")
    add("Gather", "x picked", axis=1)
    add("Pad", "x pads")
    add("Pad", "x pads", mode="reflect")
    add("Resize", "x - sizes", mode="nearest", coordinate_transformation_mode="asymmetric")
    add("Resize", "x - sizes", mode="linear", coordinate_transformation_mode="align_corners")
    add("Resize", "x - sizes", mode="cubic")
    add("DepthToSpace", "x", blocksize=2)
    add("SpaceToDepth", "x", blocksize=2)
    add("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    add("AveragePool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    add("Concat", "x held", axis=1)
    nodes += [node("Add", "s one", "t"), node("Transpose", "t", "xt", perm=[0, 1, 3, 2])]
    nodes.sort(key=lambda item: item.output[0] not in ("s", "r", "t", "xt"))
    constants = {
        "low": np.array(-0.5, np.float32),
        "high": np.array(0.7, np.float32),
        "one": np.array([1.5], np.float32),
        "by_channel": np.abs(weights(4, 1, 1)) + 0.5,
        "held": weights(1, 2, 6, 6),
        "width": ints(3),
        "begin": ints(5),
        "end": ints(0),
        "step": ints(-2),
        "picked": ints(0, 3, 1),
        "pads": ints(0, 0, 1, 2, 0, 0, 1, 0),
        "sizes": np.array([1, 1, 1.5, 1.5], np.float32),
    }
    return model(nodes, {"x": (1, 4, 6, 6)}, constants, outputs=outputs, opset=20)


def _converted(float_model: FloatModel, samples: list[np.ndarray] | None = None) -> bytes:
    """Convert with builtin operators only, to int8 if there are samples in the Keras layout."""
    import tensorflow as tf

    (port,) = float_model.inputs

    def serve(x: Any) -> dict[str, Any]:
        results = float_model.keras(x)
        results = results if isinstance(results, list) else [results]
        return {f"y{index}": result for index, result in enumerate(results)}

    spec = tf.TensorSpec(port.keras_shape, tf.float32, name="x")
    function = tf.function(serve).get_concrete_function(spec)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], float_model.keras)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if samples:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([sample] for sample in samples)
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def _interpreter(content: bytes) -> Any:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    return interpreter


def test_every_layer_converts_to_builtin_operators(tmp_path: Path) -> None:
    float_model = imported(_every_layer_of_its_own(), tmp_path)
    interpreter = _interpreter(_converted(float_model))
    arrays = example_inputs(float_model)
    (port,) = float_model.inputs
    found = interpreter.get_signature_runner()(x=arrays[0].transpose(port.to_keras))
    for index, wanted in enumerate(run_keras(float_model, arrays)):
        got = found[f"y{index}"].transpose(np.argsort(float_model.outputs[index].to_keras))
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)


def test_a_torch_model_converts_to_int8_alone(tmp_path: Path) -> None:
    path = Path(__file__).parent.parent / "models" / "torch_residual.onnx"
    from edgec.pipeline.load.onnx import load

    float_model = load(path)
    rng = np.random.default_rng(0)
    (port,) = float_model.inputs
    samples = [rng.random(port.keras_shape, np.float32) for _ in range(4)]
    interpreter = _interpreter(_converted(float_model, samples))
    kinds = {item["dtype"] for item in interpreter.get_tensor_details()}
    assert kinds <= {np.int8, np.int32}
