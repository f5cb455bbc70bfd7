"""Post-training quantisation by ai-edge-quantizer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from edgec.pipeline.compress.technique import Technique, technique
from edgec.pipeline.compress.work import Work
from edgec.pipeline.load.float_model import FloatModel


@technique("ptq-fast")
@dataclass(frozen=True, slots=True)
class FastQuantisation(Technique):
    """Quantise after training by ai-edge-quantizer: int8, int16x8, or a mix of the two.

    It takes a tenth of the time of `ptq` and can give single layers 16-bit activations, which
    `ptq` cannot; `ptq` is the default because it quantises more kinds of layers.

    samples: how many training samples set the ranges, 1 or more.
    activations: bits of the activations, 8 or 16; weights have 8.
    wide: regular expressions; layers whose names they match get 16-bit activations, as
        `edgec analyze` proposes. Useful with activations = 8.

    Cost: under a second for a microcontroller's model, beside one conversion to float32.
    """

    samples: int = 200
    activations: Literal[8, 16] = 8
    wide: tuple[str, ...] = ()

    gives = "tflite"

    def problem(self) -> str:
        """Return what is wrong with the parameters."""
        for pattern in self.wide:
            try:
                re.compile(pattern)
            except re.error as error:
                return f"wide: {pattern!r} is no regular expression: {error}"
        return "" if self.samples >= 1 else f"samples is {self.samples}, 1 or more wanted"

    def run(self, work: Work) -> None:
        """Set `work.tflite`."""
        from edgec.pipeline.lower.conversion import Conversion, to_tflite
        from edgec.pipeline.lower.converted_file import float_ops
        from edgec.pipeline.lower.edge_quantizer import quantize_file

        model = FloatModel(work.model, work.inputs, work.outputs)
        content = to_tflite(model, "the model", Conversion("float32"), work.report)
        samples = work.data.calibration(self.samples, work.seed)
        work.tflite = quantize_file(
            content, samples, work.report, bits=self.activations, wide=self.wide
        )
        if names := float_ops(work.tflite):
            work.notes.append(
                f"ai-edge-quantizer has no integer form of {', '.join(names)}: left in float32"
            )
