"""The worker's side of a compression: read model and data, run one step, measure what it gave.

Each public function is a stage of `edgec.pipeline.worker`: JSON in, JSON out. A step gets a
process of its own, because TensorFlow keeps gigabytes after some of them.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgec.pipeline.compress.data_source import DataSource, load_dataset
from edgec.pipeline.compress.dataset import Dataset
from edgec.pipeline.compress.metric import Metric, load_metric
from edgec.pipeline.compress.stored_data import store_data, stored_data
from edgec.pipeline.compress.technique import build_step
from edgec.pipeline.compress.training import predict
from edgec.pipeline.compress.work import Work, disk_errors, load_model, save_model
from edgec.pipeline.load.float_model import FloatModel
from edgec.pipeline.load.source import Format
from edgec.pipeline.lower.conversion import Conversion, to_tflite
from edgec.pipeline.lower.converter import load_float_model
from edgec.pipeline.lower.input_range import input_specs
from edgec.pipeline.lower.layer_cost import layer_summary
from edgec.pipeline.worker import Progress, Report

DATA = "data.npz"
TFLITE = "model.tflite"


def begin(request: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Read the float model and the data into `folder`; see `compression.compress`."""
    path, folder = Path(request["model"]), Path(request["folder"])
    kind = Format[request["format"]]
    model = load_float_model(path, kind, report)
    report(Progress("data", 0, 0, "reading and splitting"))
    specs = input_specs(model, path, kind)
    data = load_dataset(DataSource(**request["data"]), specs, model.outputs)
    metric = load_metric(request["metric"], data.classes, Path(request["user_path"]))
    save_model(folder, model, {})
    return {
        **_measured(model.keras, data, metric),
        "metric": metric.name,
        "higher_is_better": metric.higher_is_better,
        "classes": data.classes,
        "data": data.description,
        "data_sha256": store_data(folder / DATA, data),
        "warnings": list(data.warnings),
        "inputs": len(model.inputs),
    }


def run_step(request: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Run the step `use` with `parameters` on the model in `before`; leave the result in `folder`.

    `original` is the folder that `begin` filled.
    """
    folder = Path(request["folder"])
    report(Progress(request["use"], 0, 0, "starting"))
    work = _open(request, Path(request["before"]), Path(request["original"]), folder, report)
    step = build_step(request["use"], request["parameters"], "recipe")
    step.run(work)
    if step.gives == "tflite":
        assert work.tflite is not None
        _write(folder / TFLITE, work.tflite)
        measured = {"score": None, "parameters": None, "macs": None}
    else:
        save_model(folder, FloatModel(work.model, work.inputs, work.outputs), work.traits)
        measured = _measured(work.model, work.data, work.metric)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {**measured, "traits": work.traits, "notes": work.notes, "peak_bytes": peak}


def as_float_file(request: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Run `steps` on the model that `begin` left in `folder`; write the float `.tflite` `out`."""
    folder = Path(request["folder"])
    work = _open(request, folder, folder, folder, report)
    for table in request["steps"]:
        build_step(table["use"], {k: v for k, v in table.items() if k != "use"}, "step").run(work)
    model = FloatModel(work.model, work.inputs, work.outputs)
    _write(Path(request["out"]), to_tflite(model, "the model", Conversion("float32"), report))
    return {}


def _open(
    request: Mapping[str, Any], before: Path, original: Path, folder: Path, report: Report
) -> Work:
    """Return the model in `before` with the data in `original`, to be worked on in `folder`."""
    model, traits = load_model(before)
    data = stored_data(original / DATA)
    return Work(
        model=model.keras,
        inputs=model.inputs,
        outputs=model.outputs,
        data=data,
        metric=load_metric(request["metric"], data.classes, Path(request["user_path"])),
        folder=folder,
        original=original,
        report=report,
        seed=request.get("seed", 0),
        traits=traits,
    )


def _measured(model: Any, data: Dataset, metric: Metric) -> dict[str, Any]:
    """Return the score on the test split, which no step sees, and the model's size."""
    layers = [layer_summary(layer) for layer in model.layers]
    return {
        "score": metric.score(predict(model, data.test), data.test.targets),
        "parameters": int(sum(layer["parameters"] for layer in layers)),
        "macs": int(sum(layer["macs"] for layer in layers)),
    }


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}")
    with disk_errors(path):
        with partial.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
