"""What is built: a model, and all that shapes what a backend makes of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from edgec.pipeline.errors import UnsupportedModelError, UsageError
from edgec.pipeline.graph import DType, Graph, Interface
from edgec.pipeline.load import tflite
from edgec.pipeline.load.float_model import Port
from edgec.pipeline.load.source import Format, detect
from edgec.pipeline.lower.tflite import Lowered, lower
from edgec.pipeline.options import BuildOptions
from edgec.pipeline.oracle import litert_ports
from edgec.pipeline.worker import Report
from edgec.targets.profile import Target

_EXACT_TYPES = {DType.INT32, DType.INT64, DType.BOOL}
"""What floats and integers alike have beside them: shapes, indices, masks."""


@dataclass(slots=True, eq=False)
class Subject:
    """A model to build for a target; `name` is what generated code calls it.

    `source` is the user's file. `model` is where the `.tflite` that it is lowered to goes; it is
    made when a backend first asks for it. `onnx` is the source where that is an ONNX file.
    `bundle` is the finished one that is opened again, if that is what is done.
    """

    source: Path
    model: Path
    name: str
    target: Target
    options: BuildOptions
    progress: Report
    onnx: Path | None = None
    bundle: Path | None = None
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
        graph = self._ports()
        computed = {graph[n].dtype for op in graph.ops for n in op.outputs} - _EXACT_TYPES
        if options.quantize != "float32" and computed == {DType.FLOAT32}:
            lower(self.source, self.model, quantize=options.quantize)  # refuses, and says why
        if self.source != self.model:
            shutil.copyfile(self.source, self.model)
        inputs = tuple(_own_port(graph, n) for n in graph.inputs)
        outputs = tuple(_own_port(graph, n) for n in graph.outputs)
        return Lowered(self.model, inputs, outputs, "as in the file", False, {}, ())

    def _ports(self) -> Graph:
        """Return the graph of a `.tflite`, without ops where edgec does not know all of them."""
        content = self.source.read_bytes()
        try:
            return tflite.parse(content, self.name, where=self.source.name)
        except UnsupportedModelError as error:
            if self.target.memories:
                raise
            try:
                return litert_ports(content, self.name)
            except UnsupportedModelError:
                raise error from None


def _own_port(ports: Interface, name: str) -> Port:
    shape = ports[name].shape
    return Port(name, shape, tuple(range(len(shape))))
