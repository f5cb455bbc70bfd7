"""What goes wrong ends in one clear error, the right exit code, and nothing left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from edgec.pipeline.compile import Compiled
from edgec.pipeline.driver import build
from edgec.pipeline.errors import VerificationError
from tests.support.models import small_cnn

EDGEC = [sys.executable, "-m", "edgec"]


def run(*args: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*EDGEC, *map(str, args)], capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, **(env or {})},
    )  # fmt: skip


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.tflite"
    path.write_bytes(small_cnn())
    return path


def assert_refused(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, done.stderr
    assert done.stderr.count("error:") == 1
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize("cut", [0, 1, 30, 200])
def test_truncated_tflite_is_refused(model: Path, cut: int, tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(model.read_bytes()[:cut])
    done = run("build", "-q", broken, "-o", tmp_path / "out")
    assert_refused(done, 7, "broken.tflite")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("suffix", [".onnx", ".keras", ".h5"])
def test_a_wrong_extension_is_named(model: Path, suffix: str, tmp_path: Path) -> None:
    wrong = tmp_path / f"model{suffix}"
    wrong.write_bytes(model.read_bytes())
    assert_refused(run("build", "-q", wrong, "-o", tmp_path / "out"), 7, f"model{suffix}")


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    assert_refused(run("build", "-q", tmp_path / "no.onnx"), 2, "no.onnx")


def test_an_unknown_target_suggests_the_nearest(model: Path, tmp_path: Path) -> None:
    done = run("build", "-q", "--target", "cortex-m44", model, "-o", tmp_path / "out")
    assert_refused(done, 2, "cortex-m44", "cortex-m4")


def test_an_unknown_command_suggests_the_nearest() -> None:
    done = run("biuld")
    assert done.returncode == 2
    assert "Did you mean 'build'?" in done.stderr


def test_errors_are_json_where_json_was_asked_for(tmp_path: Path) -> None:
    done = run("build", "--json", tmp_path / "no.onnx")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == 2


def test_over_budget_names_what_is_largest(model: Path, tmp_path: Path) -> None:
    done = run("build", "-q", "--target", "x86", "--flash", "1K", model, "-o", tmp_path / "out")
    assert_refused(done, 6, "bytes of flash, 1024 allowed", "small_weights")
    assert not (tmp_path / "out").exists()


def test_too_little_ram_names_the_layer_that_needs_it(model: Path, tmp_path: Path) -> None:
    done = run("build", "-q", "--ram", "200", model, "-o", tmp_path / "out")
    assert_refused(done, 6, "200 bytes of RAM allowed", "DEPTHWISE_CONV_2D", "handles", "--ram to")
    assert not (tmp_path / "out").exists()


def test_a_missing_compiler_says_how_to_get_it(model: Path, tmp_path: Path) -> None:
    done = run("build", "-q", model, "-o", tmp_path / "out", env={"PATH": str(tmp_path)})
    assert_refused(done, 4, "arm-none-eabi-gcc is not installed", "apt install")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_bundle_is_left_alone(model: Path, tmp_path: Path) -> None:
    precious = tmp_path / "thesis" / "chapter1.txt"
    precious.parent.mkdir()
    precious.write_text("words")
    done = run("build", "-q", "--emit-only", model, "-o", precious.parent)
    assert_refused(done, 2, "is not a bundle")
    assert precious.read_text() == "words"


def test_an_output_folder_that_cannot_be_made_is_named(model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("build", "-q", "--emit-only", model, "-o", tmp_path / "file" / "out")
    assert_refused(done, 2, "cannot write")


def test_calibration_for_a_quantised_file_is_refused(model: Path, tmp_path: Path) -> None:
    data = tmp_path / "x.npy"
    np.save(data, np.zeros((3, 8, 8, 1), np.float32))
    assert_refused(run("build", "-q", model, "--calibration", data), 2, "quantised already")


def test_interrupted_builds_leave_the_old_bundle(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("build", "-q", "--emit-only", model, "-o", out).returncode == 0
    before = (out / "manifest.json").read_bytes()
    command = [*EDGEC, "build", "--target", "x86", "--samples", "5000", str(model), "-o", str(out)]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell that runs the suite in the background has it ignore interrupts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(("build", "verify")):
            break
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert (out / "manifest.json").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "small.tflite"]


def test_a_changed_bundle_is_not_measured(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("build", "-q", "--emit-only", model, "-o", out).returncode == 0
    (out / "model.tflite").write_bytes(b"something else")
    assert_refused(run("bench", "-q", out), 2, "changed since it was built")


def test_a_wrong_answer_names_the_first_wrong_layer(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A weight is broken on purpose; no count may come out."""
    from edgec.pipeline.backends import aot

    write = aot.write_sources

    def sabotage(compiled: Compiled, target: object, root: Path) -> None:
        write(compiled, target, root)
        weights = root / "firmware" / "src" / "small_weights.c"
        text, count = re.subn(
            r"(small_1_weights\[\d+\] = \{\s+)(-?\d+)",
            lambda found: f"{found[1]}{-int(found[2])}",
            weights.read_text(),
        )
        assert count == 1
        weights.write_text(text)

    monkeypatch.setattr(aot, "write_sources", sabotage)
    with pytest.raises(VerificationError) as caught:
        build(model, target="cortex-m4", out=tmp_path / "out")
    message = caught.value.message
    assert "host C differs from LiteRT" in message
    assert "layer 1 (DEPTHWISE_CONV_2D" in message
    assert "got" in message and "wanted" in message
    assert not (tmp_path / "out").exists()
