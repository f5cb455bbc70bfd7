"""Rewrites recurrent layers as the converter and a microcontroller need them."""

from __future__ import annotations

from typing import Any


def unroll_recurrent(model: Any) -> None:
    """Unroll every recurrent layer of a tf_keras model, but a lone LSTM that becomes one op.

    What the converter does not fuse it turns into a WHILE loop, on which its calibration crashes.
    It fuses LSTMs, but TensorFlow 2.21 quantises the second one of a model with wrong ranges, the
    errors as large as the signal; so where there are several, all are unrolled. The layers compute
    the same either way.
    """
    import tf_keras

    kinds = (tf_keras.layers.LSTM, tf_keras.layers.GRU, tf_keras.layers.SimpleRNN)
    recurrent = [layer for layer in model.submodules if isinstance(layer, kinds)]
    fusing = [layer for layer in recurrent if _fuses(layer)]
    calls = sum(max(1, len(layer.inbound_nodes)) for layer in fusing)
    for layer in recurrent:
        if calls > 1 or not _fuses(layer):
            layer.unroll = True
            # Decided when the layer was made, and else taken before `unroll` is looked at.
            layer._could_use_gpu_kernel = False


def _fuses(layer: Any) -> bool:
    import tf_keras

    return isinstance(layer, tf_keras.layers.LSTM) and bool(
        getattr(layer, "_could_use_gpu_kernel", False)
    )
