"""What a Keras file says its model is, read as plain data and checked before any framework runs.

A Keras config can name Python code to import or run: custom classes, Lambda bodies, functions.
Nothing here is ever handed to Keras' own deserialiser; this module turns the JSON into an
`Architecture` of allow-listed layers with plain arguments, or refuses and names the layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from edgec.pipeline.load.keras_calls import (
    Architecture,
    LayerSpec,
    TensorRef,
    as_mapping,
    as_sequence,
    call_inputs,
    operator_layer,
    references,
    refusal,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LAYERS = _words(
    """
    Activation ActivityRegularization Add AlphaDropout Average AveragePooling1D AveragePooling2D
    BatchNormalization Bidirectional Concatenate Conv1D Conv1DTranspose Conv2D Conv2DTranspose
    Cropping1D Cropping2D Dense DepthwiseConv1D DepthwiseConv2D Dot Dropout ELU Embedding Flatten
    GRU GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D
    GlobalMaxPooling1D GlobalMaxPooling2D InputLayer LSTM LayerNormalization LeakyReLU MaxPooling1D
    MaxPooling2D Maximum Minimum MultiHeadAttention Multiply Normalization PReLU Permute ReLU
    RepeatVector Rescaling Reshape SeparableConv1D SeparableConv2D SimpleRNN Softmax
    SpatialDropout1D SpatialDropout2D Subtract ThresholdedReLU TimeDistributed UnitNormalization
    UpSampling1D UpSampling2D ZeroPadding1D ZeroPadding2D
    """
)
"""Layer classes that are built; each means the same in Keras 2 and Keras 3."""

MODELS = frozenset({"Functional", "Model", "Sequential"})

_TRAINING_ONLY = _words(
    """
    RandomBrightness RandomContrast RandomCrop RandomFlip RandomHeight RandomRotation
    RandomTranslation RandomWidth RandomZoom
    """
)

ACTIVATIONS = _words(
    """
    elu exponential gelu hard_sigmoid linear mish relu relu6 selu sigmoid silu softmax softplus
    softsign swish tanh
    """
)

_RENAMED = {
    "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
    "LSTMV2": "LSTM",
    "GRUV2": "GRU",
    "CuDNNLSTM": "",
    "CuDNNGRU": "",
}

_OPERATIONS = {"Add": "Add", "Subtract": "Subtract", "Multiply": "Multiply"}
"""Keras 3 operations (`a + b` on layer outputs) that are a layer of two inputs."""

_LAMBDAS = {
    "__operators__.add": "Add",
    "math.add": "Add",
    "math.subtract": "Subtract",
    "math.multiply": "Multiply",
}
"""Keras 2 operations (TFOpLambda) that are a layer of two inputs, or a Rescaling by a number."""

_TRAINING_ARGUMENTS = ("_initializer", "_regularizer", "_constraint")
_MAX_LAYERS = 10_000
_MAX_DEPTH = 8


def parse(config: Any, *, keras_major: int) -> Architecture:
    """Turn a model's config into an Architecture, or raise UnsupportedModelError.

    `keras_major` is 2 or 3: the major version that wrote the file, for what changed its meaning.
    """
    return _Parser(keras_major).model(config, "model", 0)


class _Parser:
    def __init__(self, keras_major: int) -> None:
        self.keras_major = keras_major
        self.count = 0

    def model(self, entry: Any, where: str, depth: int) -> Architecture:
        entry = as_mapping(entry, where, "the model's config")
        class_name = str(entry.get("class_name"))
        if class_name not in MODELS:
            raise refusal(
                where,
                f"model class {class_name!r}, Sequential or Functional wanted",
                "subclassed models carry their structure in Python code; export them to ONNX",
            )
        self._check_origin(entry, where)
        config = entry.get("config")
        if class_name == "Sequential" and isinstance(config, list):
            config = {"name": where, "layers": config}
        config = as_mapping(config, where, "config")
        name = str(config.get("name", where))
        layers = as_sequence(config.get("layers"), name, "layers")
        self.count += len(layers)
        if self.count > _MAX_LAYERS:
            raise refusal(name, f"over {_MAX_LAYERS} layers")
        if class_name == "Sequential":
            return self._sequential(name, layers, depth)
        return self._functional(name, config, layers, depth)

    def _sequential(self, name: str, entries: Sequence[Any], depth: int) -> Architecture:
        specs: list[LayerSpec] = []
        for entry in entries:
            spec = self.layer(entry, depth)
            if not specs and spec.class_name != "InputLayer":
                specs.append(_implied_input(name, spec))
            reads = (TensorRef(specs[-1].name, 0, 0),) if specs else ()
            specs.append(replace(spec, calls=(reads,) if reads else ()))
        if not specs:
            raise refusal(name, "a Sequential model without layers")
        first, last = TensorRef(specs[0].name, 0, 0), TensorRef(specs[-1].name, 0, 0)
        return Architecture(name, _unique(specs, name), (first,), (last,))

    def _functional(
        self, name: str, config: Mapping[str, Any], entries: Sequence[Any], depth: int
    ) -> Architecture:
        specs = []
        for entry in entries:
            spec = self.layer(entry, depth)
            nodes = as_sequence(entry.get("inbound_nodes", []), spec.name, "inbound_nodes")
            if entry.get("class_name") == "TFOpLambda":
                specs.append(operator_layer(spec, nodes))
                continue
            calls = [tuple(call_inputs(node, spec.name)) for node in nodes]
            if spec.class_name == "InputLayer":
                calls = []
            elif not calls or not all(calls):
                raise refusal(spec.name, "is connected to nothing")
            specs.append(replace(spec, calls=tuple(calls)))
        inputs = tuple(references(config.get("input_layers"), name))
        outputs = tuple(references(config.get("output_layers"), name))
        if not inputs or not outputs:
            raise refusal(name, "a model needs at least one input and one output")
        return Architecture(name, _unique(specs, name), inputs, outputs)

    def layer(self, entry: Any, depth: int) -> LayerSpec:
        entry = as_mapping(entry, "?", "a layer")
        config = as_mapping(entry.get("config"), str(entry.get("name", "?")), "config")
        name = str(config.get("name", entry.get("name", "?")))
        if depth > _MAX_DEPTH:
            raise refusal(name, f"is nested more than {_MAX_DEPTH} deep")
        class_name = str(entry.get("class_name"))
        if class_name in MODELS:
            inner = self.model(entry, name, depth + 1)
            return LayerSpec(name, "Model", {}, (), class_name, inner=inner)
        self._check_origin(entry, name)
        target = self._allowed_class(entry, class_name, name)
        wrapped = backward = None
        config = dict(config)
        if class_name == "TFOpLambda":
            # Already looked up by name; what it names is never called.
            del config["function"]
        if target in ("Bidirectional", "TimeDistributed"):
            wrapped = self.layer(config.pop("layer", None), depth + 1)
            if config.get("backward_layer") is not None:
                backward = self.layer(config["backward_layer"], depth + 1)
            config.pop("backward_layer", None)
            config["name"] = name
        plain = {key: self._argument(key, value, name) for key, value in config.items()}
        arguments = {k: v for k, v in plain.items() if not k.endswith(_TRAINING_ARGUMENTS)}
        self._check_activations(arguments, name)
        return LayerSpec(
            name, target, arguments, (), class_name, wrapped=wrapped, wrapped_backward=backward
        )

    def _allowed_class(self, entry: Mapping[str, Any], class_name: str, name: str) -> str:
        module = str(entry.get("module") or "")
        if ".ops." in module or module.endswith(".ops"):
            if class_name in _OPERATIONS:
                return _OPERATIONS[class_name]
            raise refusal(
                name,
                f"operation {class_name!r} is not supported outside a layer",
                f"use a layer instead; supported operations: {', '.join(sorted(_OPERATIONS))}",
            )
        if class_name == "TFOpLambda":
            function = str(entry["config"].get("function"))
            if function in _LAMBDAS:
                return _LAMBDAS[function]
            raise refusal(
                name,
                f"TFOpLambda calls {function!r}, which is not supported outside a layer",
                f"use a layer instead; supported functions: {', '.join(sorted(_LAMBDAS))}",
            )
        if class_name in _TRAINING_ONLY:
            return "Dropout"
        target = _RENAMED.get(class_name, class_name)
        if target not in LAYERS:
            raise refusal(
                name,
                f"class {class_name!r} is not supported",
                "custom and Lambda layers carry Python code, which is never run from a model "
                "file; replace the layer or export the model to ONNX",
            )
        return target

    def _check_origin(self, entry: Mapping[str, Any], where: str) -> None:
        """Refuse what is registered or defined outside Keras itself."""
        module = entry.get("module")
        root = str(module).split(".")[0] if module is not None else "keras"
        if root not in ("keras", "tf_keras", "tensorflow"):
            raise refusal(where, f"class {entry.get('class_name')!r} from module {module!r}")
        registered = entry.get("registered_name")
        if registered not in (None, entry.get("class_name")):
            raise refusal(where, f"custom class registered as {registered!r}")

    def _argument(self, key: str, value: Any, where: str) -> Any:
        """Return an argument as plain data: numbers, strings, lists of them."""
        if key.endswith(_TRAINING_ARGUMENTS) or key == "build_config":
            return None
        if key.startswith("function") or key == "custom_objects":
            raise refusal(where, f"argument {key!r} carries code")
        return self._plain(value, f"argument {key!r}", where, 0)

    def _plain(self, value: Any, what: str, where: str, depth: int) -> Any:
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if depth > 4:
            raise refusal(where, f"{what} is nested too deep")
        if isinstance(value, list):
            return [self._plain(item, what, where, depth + 1) for item in value]
        if isinstance(value, dict):
            kind = str(value.get("class_name"))
            if kind == "__tuple__":
                return self._plain(value.get("items"), what, where, depth + 1)
            if kind == "DTypePolicy" and value.get("module", "keras") == "keras":
                inner = as_mapping(value.get("config"), where, what)
                return self._plain(inner.get("name"), what, where, depth + 1)
            if kind in LAYERS:
                raise refusal(where, f"{what} is a layer", "use a layer after this one instead")
            raise refusal(where, f"{what} is an object of class {kind!r}, plain data wanted")
        raise refusal(where, f"{what} is {type(value).__name__}, plain data wanted")

    def _check_activations(self, arguments: Mapping[str, Any], where: str) -> None:
        for key in ("activation", "recurrent_activation"):
            name = arguments.get(key)
            if name is None:
                continue
            if not isinstance(name, str) or name not in ACTIVATIONS:
                raise refusal(
                    where,
                    f"{key} {name!r} is not supported",
                    f"supported: {', '.join(sorted(ACTIVATIONS))}",
                )
            if name == "hard_sigmoid" and self.keras_major >= 3:
                raise refusal(
                    where,
                    f"{key} 'hard_sigmoid' of Keras 3 has another slope than tf_keras' own",
                    "use sigmoid, or export the model to ONNX",
                )


def _implied_input(model: str, first: LayerSpec) -> LayerSpec:
    """The input that a Sequential model leaves to its first layer's batch_input_shape."""
    shape = first.config.get("batch_input_shape") or first.config.get("batch_shape")
    if first.inner is not None:
        head = first.inner.layers[0]
        shape = head.config.get("batch_input_shape") or head.config.get("batch_shape")
    if shape is None:
        raise refusal(
            model, "the model has no input shape", "add an Input layer and save the model again"
        )
    name = f"{first.name}_input"
    config = {"name": name, "batch_input_shape": shape, "dtype": "float32"}
    return LayerSpec(name, "InputLayer", config, (), "")


def _unique(specs: Sequence[LayerSpec], model: str) -> tuple[LayerSpec, ...]:
    names = [spec.name for spec in specs]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise refusal(model, f"two layers are named {twice!r}")
    return tuple(specs)
