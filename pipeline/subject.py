"""What is built: a model, and all that shapes what a backend makes of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from edgec.pipeline.compile import compile_model
from edgec.pipeline.errors import UsageError
from edgec.pipeline.graph import DType, Interface
from edgec.pipeline.load.float_model import Port
from edgec.pipeline.load.source import Format, detect
from edgec.pipeline.lower.tflite import Lowered, lower
from edgec.pipeline.options import BuildOptions
from edgec.pipeline.worker import Report
from edgec.targets.profile import Target


@dataclass(slots=True, eq=False)
class Subject:
    """A model to build for a target; `name` is what generated code calls it.

    `source` is the user's file. `model` is where the `.tflite` that it is lowered to goes; it is
    made when a backend first asks for it.
    """

    source: Path
    model: Path
    name: str
    target: Target
    options: BuildOptions
    progress: Report
    _lowered: Lowered | None = field(default=None)

    @property
    def format(self) -> Format:
        """What kind of file the source is."""
        return detect(self.source)

    def lowered(self) -> Lowered:
        """Return the model as a `.tflite` file in `model`, converted if it is not one already."""
        if self._lowered is None:
            self._lowered = self._lower()
        return self._lowered

    def _lower(self) -> Lowered:
        options = self.options
        if self.format is not Format.TFLITE:
            return lower(
                self.source,
                self.model,
                quantize=options.quantize,
                calibration=options.calibration,
                progress=self.progress,
            )
        if options.calibration is not None:
            raise UsageError(
                f"{self.source.name}: a .tflite file is quantised already, --calibration has no "
                "effect",
                "leave --calibration out, or give the Keras or ONNX model",
            )
        graph = compile_model(self.source, self.name, options.rounding, self.target).graph
        computed = {graph[n].dtype for op in graph.ops for n in op.outputs}
        if options.quantize != "float32" and computed == {DType.FLOAT32}:
            lower(self.source, self.model, quantize=options.quantize)  # refuses, and says why
        if self.source != self.model:
            shutil.copyfile(self.source, self.model)
        inputs = tuple(_own_port(graph, n) for n in graph.inputs)
        outputs = tuple(_own_port(graph, n) for n in graph.outputs)
        return Lowered(self.model, inputs, outputs, "as in the file", False, {}, ())


def _own_port(ports: Interface, name: str) -> Port:
    shape = ports[name].shape
    return Port(name, shape, tuple(range(len(shape))))
