"""Conversion to int8 weights with float32 activations."""

from __future__ import annotations

from dataclasses import dataclass

from edgec.pipeline.compress.technique import Technique, technique
from edgec.pipeline.compress.work import Work
from edgec.pipeline.load.float_model import FloatModel


@technique("dynamic-range")
@dataclass(frozen=True, slots=True)
class DynamicRange(Technique):
    """Store the weights in int8 and quantise activations as they come, for single-board computers.

    A quarter of the file, no calibration; what transformers and recurrent models are usually
    quantised by. LiteRT runs the result; it does not become C, so not for microcontrollers.
    It has no parameters.

    Cost: seconds.
    """

    gives = "tflite"
    compiles = False

    def run(self, work: Work) -> None:
        """Set `work.tflite`."""
        from edgec.pipeline.lower.conversion import Conversion, to_tflite

        model = FloatModel(work.model, work.inputs, work.outputs)
        work.tflite = to_tflite(model, "the model", Conversion("dynamic-range"), work.report)
