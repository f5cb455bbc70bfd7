"""`edgec analyze`: a model file and data in, every layer's findings and a repair out."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from edgec.pipeline.compile import compile_model, optimized
from edgec.pipeline.compress.analysis import CALIBRATION, Analysis, analyze
from edgec.pipeline.compress.data_source import DataSource
from edgec.pipeline.compress.metric import load_metric
from edgec.pipeline.compress.stored_data import stored_data
from edgec.pipeline.driver import build
from edgec.pipeline.graph import Rounding
from edgec.pipeline.load.source import detect, require_float
from edgec.pipeline.lower.edge_quantizer import quantize_file
from edgec.pipeline.report.result import Layer
from edgec.pipeline.worker import Report, run_stage
from edgec.targets.profile import load_target

STAGE = "edgec.pipeline.compress.stage"


@dataclass(frozen=True, slots=True)
class AnalyzeOptions:
    """How to analyse; `target` is what the int8 image is built for, None for no image."""

    data: DataSource
    metric: str | None = None
    target: str | None = "cortex-m4"


def analyze_model(model: Path, options: AnalyzeOptions, progress: Report) -> Analysis:
    """Measure every layer of a Keras or ONNX model: what 8 bits and zeros cost, and what it takes.

    Raises a subclass of EdgecError.
    """
    kind = detect(model)
    require_float(model, kind)
    with tempfile.TemporaryDirectory(prefix="edgec-") as home:
        folder = Path(home)
        request = {
            "model": str(model.absolute()),
            "format": kind.name,
            "folder": home,
            "data": asdict(options.data),
            "metric": options.metric,
            "user_path": str(Path.cwd()),
        }
        run_stage(f"{STAGE}:begin", request, progress=progress)

        def rewrite(steps: Sequence[Mapping[str, Any]]) -> bytes:
            out = folder / "float.tflite"
            wanted = {**request, "steps": list(steps), "out": str(out)}
            run_stage(f"{STAGE}:as_float_file", wanted, progress=progress)
            return out.read_bytes()

        content = rewrite([])
        data = stored_data(folder / "data.npz")
        metric = load_metric(options.metric, data.classes)
        found = analyze(content, data, metric, rewrite, progress)
        if options.target is None:
            return found
        whole = folder / "int8.tflite"
        whole.write_bytes(quantize_file(content, data.calibration(CALIBRATION), progress))
        return _with_image(found, whole, options.target, progress)


def _with_image(found: Analysis, model: Path, target: str, progress: Report) -> Analysis:
    """Add what each layer takes in the image, by the name of its output."""
    profile = optimized(load_target(target), "balanced")
    graph = compile_model(model, "model", Rounding.TFLITE, profile).graph
    built = build(model, target=target, out=model.with_suffix(""), progress=progress).result
    layers: dict[str, Layer] = {
        op.outputs[0]: layer for op, layer in zip(graph.ops, built.layers, strict=True)
    }
    moved = {
        op.outputs[0]: sum(graph[n].size_bytes for n in (*op.inputs, *op.outputs)
                           if n and graph[n].data is None)
        for op in graph.ops
    }  # fmt: skip
    return replace(
        found,
        unit=built.unit,
        layers=tuple(
            replace(
                one,
                weight_bytes=layers[one.name].weight_bytes,
                ram_bytes=moved[one.name],
                count=layers[one.name].count,
            )
            if one.name in layers
            else one
            for one in found.layers
        ),
    )
