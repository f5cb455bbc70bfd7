"""Makes networks of single-board-computer size from their published architecture.

    python tools/sbc_models.py FOLDER [mobilenet_v2 resnet50 distilbert bert] [--format keras]

Weights are random and seeded, nothing is downloaded. The ONNX files have the operators that
PyTorch's exporters write: batch normalisation folded, attention spelled out, GELU as Erf, layer
normalisation as one operator or as seven. Each builder takes the sizes of the architecture, so that
tests can ask for a small instance.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SEED = 0
OPSET = 17
# Fixed, as the newest that the onnx package knows is not what other readers know.
IR_VERSION = 8

MOBILENET_V2 = (
    # expansion, channels, blocks, stride: table 2 of Sandler et al., 2018
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
    (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip
RESNET50 = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
"""Width, blocks and stride of each stage: table 1 of He et al., 2015."""


@dataclass(frozen=True, slots=True)
class Transformer:
    """Sizes of an encoder of Devlin et al., 2018, or Sanh et al., 2019.

    `types` is how many kinds of token there are, 0 for none; `fused` is whether layer
    normalisation is one operator.
    """

    layers: int = 12
    width: int = 768
    heads: int = 12
    inner: int = 3072
    words: int = 30522
    positions: int = 512
    length: int = 128
    types: int = 2
    pooled: bool = True
    fused: bool = False
    epsilon: float = 1e-12


BERT = Transformer()
DISTILBERT = Transformer(layers=6, types=0, pooled=False, fused=True)


class Network:
    """An ONNX graph under construction: every method adds nodes and returns the output's name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rng = np.random.default_rng(SEED)
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def constant(self, array: Any, dtype: Any = np.float32) -> str:
        """Add a constant."""
        name = f"w{len(self.constants)}"
        self.constants[name] = numpy_helper.from_array(np.asarray(array, dtype), name)
        return name

    def node(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Add a node of one output."""
        out = f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [out], name=out, **attributes))
        return out

    def normal(self, shape: Sequence[int], deviation: float) -> Any:
        """Draw normal numbers."""
        return self.rng.standard_normal(shape, np.float32) * np.float32(deviation)

    def conv(
        self, x: str, channels: tuple[int, int], size: int, stride: int = 1, groups: int = 1
    ) -> str:
        """Add a convolution of `channels` in and out, its batch normalisation folded in."""
        inside = channels[0] // groups
        deviation = (2.0 / (inside * size * size)) ** 0.5
        weights = self.constant(self.normal((channels[1], inside, size, size), deviation))
        bias = self.constant(self.normal((channels[1],), 0.1))
        return self.node(
            "Conv", x, weights, bias, kernel_shape=[size, size], strides=[stride, stride],
            pads=[size // 2] * 4, group=groups,
        )  # fmt: skip

    def linear(self, x: str, inside: int, outside: int) -> str:
        """Add a dense layer on the last axis of any number of axes."""
        product = self.node("MatMul", x, self.constant(self.normal((inside, outside), 0.02)))
        return self.node("Add", product, self.constant(self.normal((outside,), 0.02)))

    def classifier(self, x: str, channels: int, classes: int) -> str:
        """Add global pooling and a dense layer."""
        flat = self.node("Flatten", self.node("GlobalAveragePool", x), axis=1)
        weights = self.normal((classes, channels), (1.0 / channels) ** 0.5)
        bias = self.constant(self.normal((classes,), 0.1))
        return self.node("Gemm", flat, self.constant(weights), bias, transB=1)

    def save(
        self, path: Path, inputs: dict[str, tuple[int, list[int]]], outputs: dict[str, list[int]]
    ) -> None:
        """Write the model; `inputs` are (type, shape) by name, `outputs` shapes by node output."""
        graph = helper.make_graph(
            self.nodes,
            self.name,
            [helper.make_tensor_value_info(n, t, s) for n, (t, s) in inputs.items()],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()],
            list(self.constants.values()),
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = IR_VERSION
        onnx.save(model, str(path))


def mobilenet_v2(path: Path, size: int = 224, width: float = 1.0, classes: int = 1000) -> None:
    """Write MobileNetV2 for square RGB images."""
    net = Network("mobilenet_v2")

    def relu6(x: str) -> str:
        return net.node("Clip", x, zero, six)

    zero, six = net.constant(0.0), net.constant(6.0)
    channels = _divisible(32 * width)
    x = relu6(net.conv("image", (3, channels), 3, 2))
    for expansion, out, blocks, first_stride in MOBILENET_V2:
        out = _divisible(out * width)
        for block in range(blocks):
            stride = 1 if block else first_stride
            inner, source = channels * expansion, x
            if expansion > 1:
                x = relu6(net.conv(x, (channels, inner), 1))
            x = relu6(net.conv(x, (inner, inner), 3, stride, groups=inner))
            x = net.conv(x, (inner, out), 1)
            x = net.node("Add", source, x) if stride == 1 and channels == out else x
            channels = out
    last = _divisible(1280 * max(width, 1.0))
    x = relu6(net.conv(x, (channels, last), 1))
    logits = net.classifier(x, last, classes)
    net.save(path, {"image": (TensorProto.FLOAT, [1, 3, size, size])}, {logits: [1, classes]})


def _divisible(channels: float, by: int = 8) -> int:
    """Round to a multiple as the authors do: not below nine tenths."""
    rounded = max(by, int(channels + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * channels else rounded


def resnet50(path: Path, size: int = 224, divide: int = 1, classes: int = 1000) -> None:
    """Write ResNet-50, its stride in the 3x3 layers; `divide` makes every layer thinner."""
    net = Network("resnet50")
    channels = 64 // divide
    x = net.node("Relu", net.conv("image", (3, channels), 7, 2))
    x = net.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for width, blocks, first_stride in RESNET50:
        inner, out = width // divide, 4 * width // divide
        for block in range(blocks):
            stride, shortcut = 1 if block else first_stride, x
            if block == 0:
                shortcut = net.conv(x, (channels, out), 1, stride)
            x = net.node("Relu", net.conv(x, (channels, inner), 1))
            x = net.node("Relu", net.conv(x, (inner, inner), 3, stride))
            # Residual sums of random layers would grow without bound.
            x = net.conv(x, (inner, out), 1)
            half = net.node("Mul", x, net.constant(np.full((1, out, 1, 1), 0.3)))
            x = net.node("Relu", net.node("Add", half, shortcut))
            channels = out
    logits = net.classifier(x, channels, classes)
    net.save(path, {"image": (TensorProto.FLOAT, [1, 3, size, size])}, {logits: [1, classes]})


def bert(path: Path, sizes: Transformer = BERT) -> None:
    """Write BERT: token and type ids and a mask in, the last layer and the pooled vector out."""
    encoder(path, sizes, "bert")


def distilbert(path: Path, sizes: Transformer = DISTILBERT) -> None:
    """Write DistilBERT: token ids and a mask in, the last layer out."""
    encoder(path, sizes, "distilbert")


def encoder(path: Path, sizes: Transformer, name: str) -> None:
    """Write a transformer encoder of fixed sequence length."""
    net = Network(name)
    length, width = sizes.length, sizes.width
    ids = (TensorProto.INT64, [1, length])
    inputs = {"input_ids": ids, "attention_mask": ids}
    words = net.node("Gather", net.constant(net.normal((sizes.words, width), 0.02)), "input_ids")
    if sizes.types:
        inputs["token_type_ids"] = ids
        table = net.constant(net.normal((sizes.types, width), 0.02))
        words = net.node("Add", words, net.node("Gather", table, "token_type_ids"))
    places = net.normal((sizes.positions, width), 0.02)[None, :length]
    x = _normalised(net, net.node("Add", words, net.constant(places)), sizes)
    mask = net.node("Unsqueeze", "attention_mask", net.constant([1, 2], np.int64))
    mask = net.node("Cast", mask, to=TensorProto.FLOAT)
    mask = net.node("Sub", net.constant(1.0), mask)
    mask = net.node("Mul", mask, net.constant(np.finfo(np.float32).min))
    for _ in range(sizes.layers):
        x = _encoder_layer(net, x, mask, sizes)
    outputs = {x: [1, length, width]}
    if sizes.pooled:
        first = net.node("Gather", x, net.constant(0, np.int64), axis=1)
        weights = net.constant(net.normal((width, width), 0.02))
        bias = net.constant(net.normal((width,), 0.02))
        pooled = net.node("Tanh", net.node("Gemm", first, weights, bias, transB=1))
        outputs[pooled] = [1, width]
    net.save(path, inputs, outputs)


def _encoder_layer(net: Network, x: str, mask: str, sizes: Transformer) -> str:
    """Add attention and the two dense layers, each with its residual and normalisation."""
    width, heads = sizes.width, sizes.heads
    split = net.constant([1, sizes.length, heads, width // heads], np.int64)

    def head(order: list[int]) -> str:
        rows = net.node("Reshape", net.linear(x, width, width), split)
        return net.node("Transpose", rows, perm=order)

    query, key, value = head([0, 2, 1, 3]), head([0, 2, 3, 1]), head([0, 2, 1, 3])
    scores = net.node("MatMul", query, key)
    scores = net.node("Div", scores, net.constant((width // heads) ** 0.5))
    weights = net.node("Softmax", net.node("Add", scores, mask), axis=-1)
    mixed = net.node("Transpose", net.node("MatMul", weights, value), perm=[0, 2, 1, 3])
    mixed = net.node("Reshape", mixed, net.constant([1, sizes.length, width], np.int64))
    x = _normalised(net, net.node("Add", net.linear(mixed, width, width), x), sizes)
    inner = net.linear(x, width, sizes.inner)
    erf = net.node("Erf", net.node("Div", inner, net.constant(2.0**0.5)))
    gelu = net.node("Mul", inner, net.node("Add", erf, net.constant(1.0)))
    gelu = net.node("Mul", gelu, net.constant(0.5))
    outer = net.linear(gelu, sizes.inner, width)
    return _normalised(net, net.node("Add", outer, x), sizes)


def _normalised(net: Network, x: str, sizes: Transformer) -> str:
    """Add a layer normalisation."""
    scale = net.constant(1 + net.normal((sizes.width,), 0.1))
    shift = net.constant(net.normal((sizes.width,), 0.1))
    if sizes.fused:
        return net.node("LayerNormalization", x, scale, shift, axis=-1, epsilon=sizes.epsilon)
    centred = net.node("Sub", x, net.node("ReduceMean", x, axes=[-1]))
    square = net.node("Pow", centred, net.constant(2.0))
    variance = net.node("ReduceMean", square, axes=[-1])
    root = net.node("Sqrt", net.node("Add", variance, net.constant(sizes.epsilon)))
    scaled = net.node("Mul", net.node("Div", centred, root), scale)
    return net.node("Add", scaled, shift)


MODELS: dict[str, Callable[[Path], None]] = {
    "mobilenet_v2": mobilenet_v2,
    "resnet50": resnet50,
    "distilbert": distilbert,
    "bert": bert,
}


def write_model(name: str, path: Path) -> None:
    """Write a network of full size in the format of the path's suffix, .onnx or .keras."""
    if path.suffix == ".onnx":
        MODELS[name](path)
        return
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tools import sbc_keras_models

    sbc_keras_models.MODELS[name](path)


def main() -> int:
    """Write the named models, all of them without names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", default=[], choices=[[], *MODELS])
    parser.add_argument("--format", choices=["onnx", "keras"], default="onnx")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or MODELS:
        path = arguments.folder / f"{name}.{arguments.format}"
        write_model(name, path)
        print(f"{path}: {path.stat().st_size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
