"""Models with the shapes of MLPerf Tiny's tasks, data for them, and the official runner's rules."""

from __future__ import annotations

import queue
import re
import threading
from pathlib import Path

import numpy as np
import serial
from ai_edge_litert import schema_py_generated as schema

from edgec.codegen.mlperf import TASKS, Task
from edgec.pipeline.compile import Compiled, compile_model, write_sources
from edgec.pipeline.graph import Rounding
from edgec.pipeline.mlperf.dataset import Dataset
from edgec.pipeline.mlperf.scores import Scores, score
from edgec.pipeline.oracle import LiteRtOracle
from edgec.targets.profile import Target
from edgec.targets.toolchain import Image, build_image
from tests.support.flatmodel import FlatModel

TASK = {task.model: task for task in TASKS}

# Scale and zero point of the reference models' input and output.
PORTS = {
    "kws01": ((0.5847029089927673, 83), (1 / 256, -128), (1, 49, 10, 1)),
    "vww01": ((0.003921568859368563, -128), (1 / 256, -128), (1, 96, 96, 3)),
    "ic01": ((1.0, -128), (1 / 256, -128), (1, 32, 32, 3)),
    "ad01": ((0.3910152316093445, 89), (0.36449846625328064, 96), (1, 640)),
}


def task_model(name: str, seed: int = 0) -> bytes:
    """Return a small int8 model with the shapes of a task: one dense layer, and what it needs."""
    task = TASK[name]
    (in_scale, in_zero), (out_scale, out_zero), shape = PORTS[name]
    rng = np.random.default_rng(seed)
    model = FlatModel()
    x = model.input(shape, "int8", in_scale, in_zero)
    if name in ("vww01", "ic01"):
        x = _pooled(model, x, shape, in_scale, in_zero)
    size = 27 if name in ("vww01", "ic01") else task.inputs
    flat = model.tensor((1, size), "int8", in_scale, in_zero)
    reshape = schema.ReshapeOptionsT()
    reshape.newShape = [1, size]
    model.op("RESHAPE", [x], [flat], reshape)
    values = rng.integers(-127, 128, (task.outputs, size)).astype(np.int8)
    scale = 0.002 / in_scale
    weights = model.tensor((task.outputs, size), "int8", scale, data=values)
    zeros = np.zeros(task.outputs, np.int32)
    bias = model.tensor((task.outputs,), "int32", np.float32(in_scale) * scale, data=zeros)
    dense = schema.FullyConnectedOptionsT()
    if name == "ad01":
        y = model.output((1, 640), "int8", out_scale, out_zero)
        model.op("FULLY_CONNECTED", [flat, weights, bias], [y], dense)
        return model.bytes()
    scores = model.tensor((1, task.outputs), "int8", 0.1, 3)
    model.op("FULLY_CONNECTED", [flat, weights, bias], [scores], dense)
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    y = model.output((1, task.outputs), "int8", out_scale, out_zero)
    model.op("SOFTMAX", [scores], [y], softmax)
    return model.bytes()


def _pooled(model: FlatModel, x: int, shape: tuple[int, ...], scale: float, zero: int) -> int:
    """Average an image down to 3x3."""
    step = shape[1] // 3
    pool = schema.Pool2DOptionsT()
    pool.padding = 1
    pool.strideH = pool.strideW = step
    pool.filterHeight = pool.filterWidth = step
    out = model.tensor((1, 3, 3, 3), "int8", scale, zero)
    model.op("AVERAGE_POOL_2D", [x], [out], pool)
    return out


def mlperf_image(model: bytes, target: Target, folder: Path) -> Image:
    """Compile a model and build the firmware that speaks the benchmark's protocol."""
    return build_image(project_of(model, target, folder), target, mlperf=True)


def project_of(model: bytes, target: Target, folder: Path) -> Path:
    """Write the firmware folder of a model."""
    path = folder / "model.tflite"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model)
    compiled: Compiled = compile_model(path, "model", Rounding.TFLITE, target)
    write_sources(compiled, target, folder)
    return folder / "firmware"


def sent(task: Task, rng: np.random.Generator) -> bytes:
    """Return one random input as the benchmark sends it."""
    if task.payload is None:
        return rng.normal(-12, 15, task.inputs).astype("<f4").tobytes()
    return rng.bytes(task.inputs)


class Reference:
    """What the reference interpreter makes of an input: what the firmware must print."""

    def __init__(self, model: bytes, task: Task) -> None:
        self.task = task
        self.oracle = LiteRtOracle(model)
        self._in = self.oracle.interpreter.get_input_details()[0]
        self._out = self.oracle.interpreter.get_output_details()[0]

    def results(self, data: bytes) -> list[float]:
        """Return the results of one input, unrounded, in float32 as the firmware computes."""
        scale, zero = (np.float32(self._in["quantization"][0]), self._in["quantization"][1])
        if self.task.payload is None:
            values = np.frombuffer(data, "<f4")
            steps = (values / scale).astype(np.float64)
            whole = np.trunc(steps) + np.trunc(2 * (steps - np.trunc(steps)))
            taken = np.clip(whole + zero, -128, 127).astype(np.int8)
        elif self.task.payload.signed:
            taken = np.frombuffer(data, np.int8)
        else:
            taken = (np.frombuffer(data, np.uint8).astype(np.int16) - 128).astype(np.int8)
        raw = self.oracle.run([taken.reshape(self._in["shape"])])[0].reshape(-1)
        out_scale, out_zero = self._out["quantization"]
        real = (raw.astype(np.float32) - np.float32(out_zero)) * np.float32(out_scale)
        if self.task.payload is not None:
            return [float(value) for value in real]
        total = np.float32(0)
        for difference in real - np.frombuffer(data, "<f4"):
            total += difference * difference
        return [float(total / np.float32(len(real)))]


def printed(results: list[float]) -> tuple[float, ...]:
    """Return results as the host reads them: three decimals."""
    return tuple(float(f"{value:.3f}") for value in results)


def write_dataset(folder: Path, model: bytes, name: str, count: int, seed: int = 0) -> Reference:
    """Write `count` files and labels that the reference interpreter gives, to folder/<name>.

    Classes are its own answers, but for the first where there are many; recordings (of three
    windows) are anomalies if they have the upper half of its errors. So the accuracy says whether
    the device answers as the reference does.
    """
    task, rng = TASK[name], np.random.default_rng(seed)
    reference = Reference(model, task)
    where = folder / name
    where.mkdir(parents=True)
    if task.payload is not None:
        labels = []
        for number in range(count):
            data = sent(task, rng)
            (where / f"{number}.bin").write_bytes(data)
            labels.append(int(np.argmax(reference.results(data))))
        if count >= 2 * task.outputs:
            # The AUC needs a sample of each class, and random inputs are mostly of one or two.
            labels[: task.outputs] = range(task.outputs)
        rows = [f"{number}.bin,{task.outputs},{label}" for number, label in enumerate(labels)]
    else:
        errors = []
        for number in range(count):
            data = rng.normal(-12, 8 + 8 * rng.random(), 640 + 2 * 128).astype("<f4").tobytes()
            (where / f"{number}.bin").write_bytes(data)
            windows = [data[at : at + 2560] for at in (0, 512, 1024)]
            errors.append(np.mean([reference.results(window)[0] for window in windows]))
        middle = float(np.median(errors))
        rows = [f"{n}.bin,2,{int(error > middle)},2560,512" for n, error in enumerate(errors)]
    (where / "y_labels.csv").write_text("\n".join(rows) + "\n")
    return reference


def expected_scores(data: Dataset, reference: Reference) -> Scores:
    """Return the scores of the reference interpreter's results, as printed."""
    inputs = list(data.inputs())
    return score(
        [entry.file for entry, _ in inputs],
        [entry.label for entry, _ in inputs],
        [printed(reference.results(window)) for _, window in inputs],
    )


class OfficialRunner:
    """Reads as the benchmark's own runner does, by the rules of its serial protocol.

    A thread takes byte by byte and drops CR and NUL; LF ends a line. An answer is complete when a
    line contains m-ready. Five seconds a line, thirty during inferences; silence is an error.
    """

    def __init__(self, port: serial.SerialBase) -> None:
        self._port = port
        self._port.timeout = 0.1
        self._lines: queue.Queue[str] = queue.Queue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def __enter__(self) -> OfficialRunner:
        return self

    def __exit__(self, *args: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        line = ""
        while not self._stop.is_set():
            char = self._port.read(1).decode()
            if char == "\n":
                self._lines.put(line)
                line = ""
            elif char not in ("\r", "\0"):
                line += char

    def command(self, text: str, timeout_s: float = 5.0) -> list[str]:
        self._port.write(f"{text}%".encode())
        lines = []
        while True:
            line = self._lines.get(timeout=timeout_s)
            if line:
                lines.append(line)
            if "m-ready" in line:
                return lines

    def boot(self) -> list[str]:
        """Return what came before the first ready."""
        lines = []
        while "m-ready" not in (line := self._lines.get(timeout=5.0)):
            lines.append(line)
        return lines

    def name(self) -> str:
        found = [re.match(r"^m-(name)-dut-\[([^]]+)]$", x) for x in self.command("name")]
        return next(match[2] for match in found if match)

    def profile(self) -> dict[str, str]:
        found = [re.match(r"^m-(model|profile)-\[([^]]+)]$", x) for x in self.command("profile")]
        return {match[1]: match[2] for match in found if match}

    def load(self, data: bytes) -> list[str]:
        """Send an input in commands of 31 bytes; return the answer to the last."""
        self.command(f"db load {len(data)}")
        lines: list[str] = []
        for at in range(0, len(data), 31):
            lines = self.command(f"db {''.join(f'{byte:02x}' for byte in data[at : at + 31])}")
        return lines

    def infer(self, count: int, warmup: int) -> tuple[list[float], int]:
        """Return results and microseconds; the warm-up is always sent, as 10 is assumed."""
        results: list[float] = []
        laps: list[int] = []
        for line in self.command(f"infer {count} {warmup}", 30.0):
            if match := re.match(r"^m-results-\[([^]]+)\]$", line):
                results = [float(x) for x in match[1].split(",") if x.strip()]
            elif match := re.match(r"^m-lap-us-([0-9]+)$", line):
                laps.append(int(match[1]))
        return results, laps[1] - laps[0]
