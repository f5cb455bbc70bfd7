"""Holds whole MLPerf Tiny sessions with an emulated board: performance and accuracy, kws and ad.

The data is made up, as many files as the benchmark has, and labelled by the reference interpreter
(but for the first of each class): the scores must be those of that interpreter's results, and say
nothing of the model. Then the official runner's own rules are followed at the board's serial port.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import serial

from edgec.pipeline.mlperf.dataset import open_dataset
from edgec.targets.profile import load_target
from edgec.targets.runners.base import find_runner
from tests.conftest import models_dir
from tests.support import mlperf

MODELS = {
    "kws01": ("kws_dscnn_int8.tflite", 1000),
    "ad01": ("ad_fc_autoencoder_int8.tflite", 248),
}


def session(name: str, target_name: str, share: float, folder: Path) -> None:
    """Build a bundle, make its data, hold both sessions, then be the official runner."""
    file, count = MODELS[name]
    model = models_dir() / file
    count = max(6, round(count * share))
    reference = mlperf.write_dataset(folder / "data", model.read_bytes(), name, count)
    bundle = folder / name
    _edgec("build", str(model), "--target", target_name, "-o", str(bundle), "--samples", "1")
    data = open_dataset(folder / "data", mlperf.TASK[name])
    wanted = mlperf.expected_scores(data, reference)
    for mode in ("performance", "accuracy"):
        start = time.monotonic()
        where = ("--dataset", str(folder / "data"), "--sessions", str(folder / "sessions"))
        said = json.loads(_edgec("bench", str(bundle), "--mlperf", mode, *where, "--json"))
        print(f"{name}, {mode}: {time.monotonic() - start:.0f} s, emulated by {said['emulated']}")
        if mode == "performance":
            print(f"  {said['throughput']:.3f} a virtual second, windows {said['windows']}")
        else:
            print(f"  {said['scores']}, retries {said['retries']}", flush=True)
            if said["scores"] != asdict(wanted):
                raise SystemExit(f"{name}: the reference's scores are {wanted}")
    for results in sorted((folder / "sessions").glob("*/results.txt")):
        print(results.read_text(), end="")
    _official(name, target_name, reference, folder, model.read_bytes())


def _edgec(*words: str) -> str:
    command = [sys.executable, "-m", "edgec", *words, "-q"]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def _official(
    name: str, target_name: str, reference: mlperf.Reference, folder: Path, model: bytes
) -> None:
    target, task = load_target(target_name), mlperf.TASK[name]
    image = mlperf.mlperf_image(model, target, folder / "official")
    inputs = [
        entry
        for _, entry in zip(range(6), open_dataset(folder / "data", task).inputs(), strict=False)
    ]
    with (
        find_runner(target.runner).start(image.elf, target) as endpoint,
        serial.serial_for_url(endpoint.address, timeout=0.1) as port,
        mlperf.OfficialRunner(port) as runner,
    ):
        runner.boot()
        said = (runner.name(), runner.profile())
        for _, data in inputs:
            loaded = runner.load(data)
            results, _ = runner.infer(1, 0)
            wanted = mlperf.printed(reference.results(data))
            if loaded != ["m-load-done", "m-ready"] or tuple(results) != wanted:
                raise SystemExit(f"{name}: the official runner got {results}, {wanted} wanted")
    print(f"official runner: {said[0]}, {said[1]}, {len(inputs)} inputs as the reference\n")


def main() -> None:
    """Hold the sessions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="cortex-m4")
    parser.add_argument("--share", type=float, default=1.0, help="of the files")
    args = parser.parse_args()
    if not models_dir().is_dir():
        raise SystemExit(f"no models in {models_dir()}: set EDGEC_MODELS")
    for name in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            session(name, args.target, args.share, Path(folder))


if __name__ == "__main__":
    main()
