"""Emulated boards speak MLPerf Tiny: to the official runner, and in sessions of our own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import serial

from edgec.pipeline.errors import InfrastructureError
from edgec.pipeline.mlperf.dataset import open_dataset
from edgec.pipeline.mlperf.files import SessionFiles
from edgec.pipeline.mlperf.run import open_mlperf
from edgec.pipeline.mlperf.session import Session
from edgec.targets.profile import load_target
from edgec.targets.runners.base import find_runner
from edgec.targets.toolchain import Image
from tests.support import mlperf

M4 = load_target("cortex-m4")


@pytest.fixture(scope="module")
def kws(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return mlperf.mlperf_image(
        mlperf.task_model("kws01"), M4, tmp_path_factory.mktemp("mlperf") / "kws"
    )


@contextmanager
def official(image: Image) -> Iterator[mlperf.OfficialRunner]:
    """The benchmark's own runner at the serial port of an emulated board."""
    with (
        find_runner(M4.runner).start(image.elf, M4) as endpoint,
        serial.serial_for_url(endpoint.address, timeout=0.1) as port,
        mlperf.OfficialRunner(port) as runner,
    ):
        yield runner


def test_the_official_runner_gets_its_answers(kws: Image) -> None:
    task, rng = mlperf.TASK["kws01"], np.random.default_rng(2)
    reference = mlperf.Reference(mlperf.task_model("kws01"), task)
    with official(kws) as runner:
        boot = runner.boot()
        assert boot[0] == "m-timestamp-mode-performance"
        assert boot[-1] == "m-init-done"
        assert runner.name() == "edgec"
        assert runner.profile() == {
            "profile": "ULPMark for tinyML Firmware V0.0.1",
            "model": "kws01",
        }
        assert re.fullmatch(r"m-lap-us-\d+", runner.command("timestamp")[0])
        for count, warmup in ((1, 0), (70, 10)):
            data = mlperf.sent(task, rng)
            assert runner.load(data) == ["m-load-done", "m-ready"]
            results, elapsed_us = runner.infer(count, warmup)
            assert tuple(results) == mlperf.printed(reference.results(data))
            assert elapsed_us > 0


def test_the_official_runner_is_refused_what_would_overflow(kws: Image) -> None:
    with official(kws) as runner:
        runner.boot()
        refused = runner.command("db load 27649")[0]
        assert refused == "e-[Supplied buffer size 27649 exceeds maximum of 490]"
        assert runner.load(bytes(490)) == ["m-load-done", "m-ready"]
        assert runner.command("db 00")[0] == "e-[Command 'db' exceeds the 0 bytes expected]"
        assert runner.command("db " + "00" * 31)[0].startswith("e-[Command 'db' exceeds")
        assert runner.command("x" * 300)[0] == "e-[Command is longer than 80 characters]"
        results, _ = runner.infer(1, 0)
        assert len(results) == 12


@pytest.mark.parametrize("board", ["cortex-m0plus", "cortex-m55"])
def test_every_core_computes_the_reference_results(board: str, tmp_path: Path) -> None:
    target, task = load_target(board), mlperf.TASK["ad01"]
    model = mlperf.task_model("ad01")
    reference = mlperf.Reference(model, task)
    image = mlperf.mlperf_image(model, target, tmp_path)
    with open_mlperf(image, target, task) as (device, emulated):
        assert emulated == "QEMU"
        assert device.identity.timer == "virtual"
        for seed in range(3):
            data = mlperf.sent(task, np.random.default_rng(seed))
            device.load(data)
            inference = device.infer(2, 1)
            assert inference.results == mlperf.printed(reference.results(data))


def test_time_is_the_boards_own_and_repeats(kws: Image) -> None:
    with open_mlperf(kws, M4, mlperf.TASK["kws01"]) as (device, _):
        device.load(bytes(490))
        once, again, tenfold = (device.infer(n, 0).elapsed_us for n in (10, 10, 100))
        assert abs(once - again) <= 1
        assert 9 * once < tenfold < 11 * once


def test_a_refusal_is_named(kws: Image) -> None:
    with open_mlperf(kws, M4, mlperf.TASK["kws01"]) as (device, _):
        with pytest.raises(InfrastructureError, match=r"refused 'db load 491': e-\[Supplied"):
            device.command("db load 491")
        with pytest.raises(InfrastructureError, match=r"refused 'infer 1 0': e-\[Input db has 0"):
            device.infer(1, 0)


MODELS = {"kws01": "kws_dscnn_int8.tflite", "ad01": "ad_fc_autoencoder_int8.tflite"}


@pytest.mark.parametrize("name", MODELS)
def test_a_session_with_a_benchmark_model(
    name: str, benchmark_models: Path, tmp_path: Path
) -> None:
    """The session of `edgec bench --mlperf`, windows a fiftieth; `make mlperf` holds it whole."""
    model = (benchmark_models / MODELS[name]).read_bytes()
    task = mlperf.TASK[name]
    count = 6 if name == "kws01" else 3
    reference = mlperf.write_dataset(tmp_path / "data", model, name, count)
    data = open_dataset(tmp_path / "data", task)
    image = mlperf.mlperf_image(model, M4, tmp_path / "bundle")
    with open_mlperf(image, M4, task) as (device, emulated):
        files = SessionFiles(tmp_path / "sessions")
        session = Session(device, data, emulated, files.log, window_s=0.2)
        throughput = session.performance()
        assert len({one.iterations for one in session.measured}) == 1
        assert all(one.inference.elapsed_us >= 200_000 for one in session.measured)
        assert throughput == pytest.approx(session.measured[0].throughput, rel=0.01)
        session.measured.clear()
        scores = session.accuracy()
        assert (scores.files, scores.inferences) == (count, 6 if name == "kws01" else 9)
        assert scores == mlperf.expected_scores(data, reference)
        files.details(session, "accuracy")
    for one, (_, sent) in zip(session.measured, data.inputs(), strict=True):
        assert one.inference.results == mlperf.printed(reference.results(sent))
    facts = json.loads((files.folder / "results.json").read_text())
    assert facts[0]["emulated"] == "QEMU"
    assert facts[0]["infer"]["results"] == list(session.measured[0].inference.results)
