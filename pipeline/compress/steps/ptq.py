"""Post-training quantisation to int8 by TensorFlow's converter."""

from __future__ import annotations

from dataclasses import dataclass

from edgec.pipeline.compress.technique import Technique, technique
from edgec.pipeline.compress.work import Work
from edgec.pipeline.load.float_model import FloatModel


@technique("ptq")
@dataclass(frozen=True, slots=True)
class PostTrainingQuantisation(Technique):
    """Quantise weights and activations to int8 as they are, without training.

    The ranges of activations are the smallest and largest values that training samples bring
    about; the ranges of weights are those of the weights. This is what to try first: it costs
    seconds, and most convolutional models lose less than a point of accuracy. Where it loses more,
    use `qat`, or `edgec analyze` to find the layer that does not take 8 bits.

    samples: how many training samples set the ranges, 1 or more. 100 to 500 is usual; fewer miss
        rare large values, which are then clipped.
    per_tensor: give each weight tensor one scale instead of one for each output channel. Saves
        8 bytes of flash an output channel and costs accuracy, much of it in depthwise layers.

    Cost: seconds; each sample is one inference on the workstation.
    """

    samples: int = 200
    per_tensor: bool = False

    gives = "tflite"

    def problem(self) -> str:
        """Return what is wrong with the parameters."""
        return "" if self.samples >= 1 else f"samples is {self.samples}, 1 or more wanted"

    def run(self, work: Work) -> None:
        """Set `work.tflite`."""
        from edgec.pipeline.lower.conversion import Conversion, to_tflite
        from edgec.pipeline.lower.converted_file import float_ops

        samples = work.data.calibration(self.samples, work.seed)
        how = Conversion(
            "int8", samples, f"{len(samples[0])} training samples", per_tensor=self.per_tensor
        )
        model = FloatModel(work.model, work.inputs, work.outputs)
        work.tflite = to_tflite(model, "the model", how, work.report)
        if names := float_ops(work.tflite):
            work.notes.append(
                f"the converter has no int8 form of {', '.join(names)}: left in float32"
            )
