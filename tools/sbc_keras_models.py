"""Makes networks of `tools/sbc_models.py` as Keras files, of Keras' own layers.

Weights are random and seeded, nothing is downloaded. Transformers take the ids of tokens and of
their positions: Keras has no layer that knows the positions.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.sbc_models import BERT, DISTILBERT, SEED, Transformer


def mobilenet_v2(size: int = 224, width: float = 1.0, classes: int = 1000) -> Any:
    """Return MobileNetV2 without its softmax: untrained, it tells classes apart too little."""
    import tf_keras

    return tf_keras.applications.MobileNetV2(
        (size, size, 3), width, weights=None, classes=classes, classifier_activation=None
    )


def resnet50(size: int = 224, classes: int = 1000) -> Any:
    """Return ResNet-50 without its softmax."""
    import tf_keras

    return tf_keras.applications.ResNet50(
        weights=None, input_shape=(size, size, 3), classes=classes, classifier_activation=None
    )


def encoder(sizes: Transformer, **embedding: Any) -> Any:
    """Return a transformer encoder; `embedding` are more options of the tokens' table."""
    import tf_keras

    layers = tf_keras.layers
    ids = layers.Input((sizes.length,), name="input_ids", dtype="int32")
    places = layers.Input((sizes.length,), name="position_ids", dtype="int64")

    def normalised(*parts: Any) -> Any:
        return layers.LayerNormalization(epsilon=1e-6)(layers.Add()(list(parts)))

    tokens = layers.Embedding(sizes.words, sizes.width, **embedding)(ids)
    x = normalised(tokens, layers.Embedding(sizes.positions, sizes.width)(places))
    for _ in range(sizes.layers):
        x = normalised(x, layers.MultiHeadAttention(sizes.heads, sizes.width // sizes.heads)(x, x))
        inner = layers.Dense(sizes.inner, activation="gelu")(x)
        x = normalised(x, layers.Dense(sizes.width)(inner))
    return tf_keras.Model([ids, places], x)


def saved(make: Callable[[], Any], path: Path) -> None:
    """Write the model that `make` builds, its weights the same every time."""
    import tf_keras

    tf_keras.utils.set_random_seed(SEED)
    make().save(path)


MODELS: dict[str, Callable[[Path], None]] = {
    "mobilenet_v2": lambda path: saved(mobilenet_v2, path),
    "resnet50": lambda path: saved(resnet50, path),
    "distilbert": lambda path: saved(lambda: encoder(DISTILBERT), path),
    "bert": lambda path: saved(lambda: encoder(BERT), path),
}
