"""What a step works on, in the worker process: the model, the data, and where things are kept.

Between steps, each of which runs in a process of its own, the model rests in a folder:
`model.keras` and `state.json`. A step's folder also holds its checkpoints, so that an interrupted
step goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgec.pipeline.compress.dataset import Dataset
from edgec.pipeline.compress.metric import Metric
from edgec.pipeline.errors import EdgecError
from edgec.pipeline.load.float_model import FloatModel, Port
from edgec.pipeline.worker import Report

STATE = "state.json"
MODEL = "model.keras"


@dataclass(slots=True)
class Work:
    """A model between two steps.

    `model` is a float `tf_keras.Model` of plain layers: no wrappers of TF-MOT, no open batch
    dimension missing. `inputs` and `outputs` relate its ports to the source file's. `traits` say
    what earlier steps made of the weights and later ones must keep: `{"sparsity": "2:4"}`,
    `{"clusters": 16}`. `original` is the folder of the float model the recipe began with.
    `folder` is this step's own. `notes` go into the report: what was rewritten, listed or refused.
    """

    model: Any
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    data: Dataset
    metric: Metric
    folder: Path
    original: Path
    report: Report
    seed: int = 0
    traits: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    tflite: bytes | None = None


def save_model(folder: Path, model: FloatModel, traits: dict[str, Any]) -> None:
    """Write a float model into a folder, whole or not at all: the state is written last."""
    state = {
        "inputs": [_port_table(p) for p in model.inputs],
        "outputs": [_port_table(p) for p in model.outputs],
        "traits": traits,
    }
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        model.keras.save(folder / MODEL)
        partial = folder / f".{STATE}"
        partial.write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
        partial.replace(folder / STATE)


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turn what goes wrong with the disk in the block into an EdgecError that says what to do."""
    try:
        yield
    except OSError as error:
        raise EdgecError(
            f"{place}: cannot be written: {error.strerror or error}",
            "make room, or choose another folder; what is finished is kept",
        ) from error


def load_model(folder: Path) -> tuple[FloatModel, dict[str, Any]]:
    """Read what `save_model` wrote: the model and its traits."""
    import tf_keras

    # Importing them registers the layers of ours that a model may hold.
    from edgec.pipeline.load.onnx import keras_layers, tensor_layers  # noqa: F401

    state = json.loads((folder / STATE).read_text(encoding="utf-8"))
    keras = tf_keras.models.load_model(folder / MODEL, compile=False)
    ports = {key: tuple(_port(entry) for entry in state[key]) for key in ("inputs", "outputs")}
    return FloatModel(keras, ports["inputs"], ports["outputs"]), state["traits"]


def _port_table(port: Port) -> dict[str, Any]:
    return {"name": port.name, "shape": list(port.shape), "to_keras": list(port.to_keras)}


def _port(entry: dict[str, Any]) -> Port:
    return Port(entry["name"], tuple(entry["shape"]), tuple(entry["to_keras"]))
