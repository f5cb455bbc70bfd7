"""Conversion to float16 weights with float32 activations."""

from __future__ import annotations

from dataclasses import dataclass

from edgec.pipeline.compress.technique import Technique, technique
from edgec.pipeline.compress.work import Work
from edgec.pipeline.load.float_model import FloatModel


@technique("float16")
@dataclass(frozen=True, slots=True)
class HalfPrecision(Technique):
    """Store the weights as 16-bit floats and compute in float32, for single-board computers.

    Halves the file and keeps the accuracy; it makes nothing faster on a CPU without float16
    arithmetic. LiteRT runs the result; it does not become C, so not for microcontrollers.
    It has no parameters.

    Cost: seconds.
    """

    gives = "tflite"
    compiles = False

    def run(self, work: Work) -> None:
        """Set `work.tflite`."""
        from edgec.pipeline.lower.conversion import Conversion, to_tflite

        model = FloatModel(work.model, work.inputs, work.outputs)
        work.tflite = to_tflite(model, "the model", Conversion("float16"), work.report)
