"""The firmware's MLPerf Tiny protocol under sanitizers: every command, and what goes wrong."""

from __future__ import annotations

import json
import math
import os
import shutil
import struct
import subprocess
import sys
import tty
import zlib
from pathlib import Path

import numpy as np
import pytest

from edgec.codegen.project import TEMPLATES
from edgec.pipeline.errors import BuildError
from edgec.targets.profile import load_target
from edgec.targets.toolchain import build_image
from tests.conftest import lack
from tests.support import mlperf
from tests.support.models import small_cnn

X86 = load_target("x86")
BOOT = ["m-timestamp-mode-performance", "m-lap-us-", "m-xid-[", "m-init-done", "m-ready"]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Firmware of each task, with sanitizers."""
    built = {}
    flags = "-fsanitize=address,undefined -fno-sanitize-recover=all -g"
    for name in ("kws01", "ic01", "ad01"):
        project = mlperf.project_of(
            mlperf.task_model(name), X86, tmp_path_factory.mktemp("mlperf") / name
        )
        subprocess.run(
            ["make", "-s", "-C", str(project), "-j2", "MLPERF=1", "BUILD=asan"],
            check=True,
            env={"PATH": "/usr/bin:/bin", "CFLAGS": flags, "LDFLAGS": flags},
        )
        built[name] = project / "asan" / "image.elf"
    return built


def said(image: Path, wire: bytes) -> list[str]:
    """Send bytes, close, and return the lines that come after the first ready."""
    done = subprocess.run([str(image)], input=wire, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    text = done.stdout.decode("ascii")
    assert text.endswith("m-ready\r\n")
    lines = text.split("\r\n")[:-1]
    assert all(line.startswith(start) for line, start in zip(lines, BOOT, strict=False))
    return lines[5:]


def loaded(data: bytes) -> bytes:
    chunks = (data[at : at + 31] for at in range(0, len(data), 31))
    return f"db load {len(data)}%".encode() + b"".join(f"db {c.hex()}%".encode() for c in chunks)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("name", ["m-name-dut-[edgec]"]),
        ("profile", ["m-profile-[ULPMark for tinyML Firmware V0.0.1]", "m-model-[kws01]"]),
        ("db load 490", ["m-[Expecting 490 bytes]"]),
        ("db load 1", ["m-[Expecting 1 bytes]"]),
        ("db load", ["e-[Command 'db load' requires the # of bytes]"]),
        ("db load 0", ["e-[Command 'db load' must be >0 bytes]"]),
        ("db load 491", ["e-[Supplied buffer size 491 exceeds maximum of 490]"]),
        ("db load 27649", ["e-[Supplied buffer size 27649 exceeds maximum of 490]"]),
        ("db load -1", ["e-[Supplied buffer size -1 exceeds maximum of 490]"]),
        (
            "db load 4294967297",
            ["e-[Supplied buffer size 4294967297 exceeds maximum of 490]"],
        ),
        ("db", ["e-[Command 'db' requires a subcommand]"]),
        ("db 123", ["e-[Insufficent number of hex digits]"]),
        ("db 1g", ["e-[Invalid hex digit '1g']"]),
        ("db 00", ["e-[Command 'db' exceeds the 0 bytes expected]"]),
        ("db print", []),
        ("infer 0 0", ["e-[Inference iterations must be >0]"]),
        ("infer -1 0", ["e-[Inference iterations must be >0]"]),
        ("infer x", ["e-[Inference iterations must be >0]"]),
        ("infer 1 -1", ["e-[Inference warmup must be >=0]"]),
        ("infer 1 0", ["e-[Input db has 0 bytes, expected 490]"]),
        ("results", ["e-[No results: 'infer' comes first]"]),
        ("start", ["e-[Unknown command: start]"]),
        ("NAME", ["e-[Unknown command: NAME]"]),
        ("", ["e-[Unknown command: ]"]),
        ("   name", ["m-name-dut-[edgec]"]),
        ("x" * 80, [f"e-[Unknown command: {'x' * 80}]"]),
        ("x" * 81, ["e-[Command is longer than 80 characters]"]),
        ("db " + "00" * 2000, ["e-[Command is longer than 80 characters]"]),
    ],
)
def test_each_command_answers_as_the_protocol_says(
    images: dict[str, Path], command: str, answer: list[str]
) -> None:
    lines = said(images["kws01"], f"{command}%name%".encode())
    assert lines == [*answer, "m-ready", "m-name-dut-[edgec]", "m-ready"]


def test_help_and_timestamp_answer_in_their_form(images: dict[str, Path]) -> None:
    lines = said(images["kws01"], b"help%timestamp%timestamp%")
    assert lines[0] == "ULPMark for tinyML Firmware V0.0.1"
    first, ready, second, last = lines[-4:]
    assert ready == last == "m-ready"
    assert 0 <= int(first.removeprefix("m-lap-us-")) <= int(second.removeprefix("m-lap-us-"))


def test_the_buffer_is_printed_eight_bytes_a_line(images: dict[str, Path]) -> None:
    lines = said(images["kws01"], b"db load 10%db 000102030405060708%db 9F%db print%")
    assert lines == [
        "m-[Expecting 10 bytes]", "m-ready", "m-ready", "m-load-done", "m-ready",
        "m-buffer-00-01-02-03-04-05-06-07", "m-buffer-08-9f", "m-ready",
    ]  # fmt: skip


def test_a_db_that_says_more_than_was_announced_stores_nothing(images: dict[str, Path]) -> None:
    wire = b"db load 3%db 0102%db 030405%db print%db 03%db 04%xcrc%"
    lines = said(images["kws01"], wire)
    assert lines == [
        "m-[Expecting 3 bytes]", "m-ready", "m-ready",
        "e-[Command 'db' exceeds the 1 bytes expected]", "m-ready",
        "m-buffer-01-02-00", "m-ready",
        "m-load-done", "m-ready",
        "e-[Command 'db' exceeds the 0 bytes expected]", "m-ready",
        f"m-xcrc-[{zlib.crc32(bytes([1, 2, 3])):08x}]", "m-ready",
    ]  # fmt: skip


def test_a_refused_load_leaves_what_was_loaded(images: dict[str, Path]) -> None:
    data = mlperf.sent(mlperf.TASK["kws01"], np.random.default_rng(1))
    lines = said(images["kws01"], loaded(data) + b"db load 491%infer 1 0%")
    assert lines[-1] == "m-ready"
    assert lines[-2].startswith("m-results-[")


def test_an_inference_says_what_it_does(images: dict[str, Path]) -> None:
    data = mlperf.sent(mlperf.TASK["kws01"], np.random.default_rng(1))
    lines = said(images["kws01"], loaded(data) + b"infer 3 2%results%")
    lines = lines[lines.index("m-warmup-start-2") :]
    laps = [int(x.removeprefix("m-lap-us-")) for x in lines if x.startswith("m-lap")]
    shape = [line for line in lines if not line.startswith(("m-lap", "m-results"))]
    assert shape == [
        "m-warmup-start-2", "m-warmup-done", "m-infer-start-3", "m-infer-done", "m-ready",
        "m-ready",
    ]  # fmt: skip
    assert len(laps) == 2
    assert laps[0] <= laps[1]
    first, second = (line for line in lines if line.startswith("m-results"))
    assert first == second


def test_by_default_ten_inferences_warm_up_one_that_is_timed(images: dict[str, Path]) -> None:
    data = mlperf.sent(mlperf.TASK["kws01"], np.random.default_rng(1))
    lines = said(images["kws01"], loaded(data) + b"infer%infer 2%")
    assert [x for x in lines if "start" in x] == [
        "m-warmup-start-10", "m-infer-start-1", "m-warmup-start-10", "m-infer-start-2",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["kws01", "ic01", "ad01"])
def test_results_are_the_reference_interpreters(images: dict[str, Path], name: str) -> None:
    task, rng = mlperf.TASK[name], np.random.default_rng(7)
    reference = mlperf.Reference(mlperf.task_model(name), task)
    for _ in range(3):
        data = mlperf.sent(task, rng)
        lines = said(images[name], loaded(data) + b"infer 2 1%")
        text = lines[-2].removeprefix("m-results-[").removesuffix("]")
        assert text.split(",") == [f"{value:.3f}" for value in reference.results(data)]


def test_wild_floats_are_quantised_and_printed(images: dict[str, Path]) -> None:
    wild = np.zeros(640, np.float32)
    wild[:6] = (1e30, -1e30, 3e38, -3e38, 1e-45, -0.0)
    lines = said(images["ad01"], loaded(wild.astype("<f4").tobytes()) + b"infer 1 0%")
    assert lines[-2] == "m-results-[inf]"
    wild[0] = np.nan
    lines = said(images["ad01"], loaded(wild.astype("<f4").tobytes()) + b"infer 1 0%")
    assert lines[-2] == "m-results-[nan]"


def test_noise_between_commands_is_survived(images: dict[str, Path]) -> None:
    rng = np.random.default_rng(3)
    for _ in range(5):
        noise = rng.bytes(3000)
        assert said(images["kws01"], noise + b"%name%")[-2:] == ["m-name-dut-[edgec]", "m-ready"]


def test_control_characters_are_no_part_of_a_command(images: dict[str, Path]) -> None:
    assert said(images["kws01"], b"\0\r\nna\xffme\r%") == ["m-name-dut-[edgec]", "m-ready"]


def test_another_quantisation_than_the_reference_models_is_mapped(tmp_path: Path) -> None:
    from edgec.codegen.mlperf import Port, input_map

    payload = mlperf.TASK["kws01"].payload
    assert payload is not None
    same = input_map(payload, Port(490, 0.5847029089927673, 83))
    assert same == [*range(128), *range(-128, 0)]
    half = input_map(payload, Port(490, 2 * 0.5847029089927673, 0))
    assert half[83] == 0
    assert half[85] == 1
    assert half[0x80] == round((-128 - 83) / 2)


def test_a_model_of_other_shapes_does_not_build(tmp_path: Path) -> None:
    project = mlperf.project_of(small_cnn(), X86, tmp_path)
    with pytest.raises(BuildError, match="this model is none of MLPerf Tiny"):
        build_image(project, X86, mlperf=True)
    assert build_image(project, X86).elf.exists()


def test_it_compiles_without_a_warning_under_clang(tmp_path: Path) -> None:
    if shutil.which("clang") is None:
        lack("host", "no clang: apt-get install clang")
    project = mlperf.project_of(mlperf.task_model("ad01"), X86, tmp_path)
    subprocess.run(
        ["make", "-s", "-C", str(project), "-j2", "MLPERF=1", "BUILD=clang", "CC=clang"], check=True
    )


def test_floats_are_printed_as_printf_does(tmp_path: Path) -> None:
    """Every exponent with random fractions, ties, and the ends of the range."""
    source = tmp_path / "main.c"
    source.write_text(
        """#include <stdio.h>
#include "edgec_hal.h"
#include "edgec_text.h"
void edgec_hal_write(const uint8_t *data, size_t bytes) { fwrite(data, 1, bytes, stdout); }
int main(void)
{
    float value;
    while (fread(&value, sizeof value, 1, stdin) == 1) {
        edgec_text_milli(value);
        edgec_text("\\n");
    }
    return 0;
}
"""
    )
    common = TEMPLATES / "common"
    program = tmp_path / "text"
    flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-std=c99", "-Wall"]
    files = [str(source), str(common / "edgec_text.c"), "-o", str(program)]
    subprocess.run(["gcc", *flags, f"-I{common}", *files], check=True)
    rng = np.random.default_rng(5)
    exponents = np.repeat(np.arange(256, dtype=np.uint32), 40) << 23
    bits = exponents | rng.integers(0, 2**23, len(exponents), dtype=np.uint32)
    bits = bits | (rng.integers(0, 2, len(bits), dtype=np.uint32) << 31)
    ties = np.arange(-2000, 2000, dtype=np.float32) / 16
    scores = np.arange(-300, 300, dtype=np.float32) / 256
    values = np.concatenate([bits.view(np.float32), ties, scores, np.float32([0.0, -0.0, 0.0005])])
    done = subprocess.run([str(program)], input=values.tobytes(), capture_output=True, check=True)
    wanted = [_printf(value) for value in values]
    assert done.stdout.decode().splitlines() == wanted


def _printf(value: np.float32) -> str:
    exact = struct.unpack("<f", struct.pack("<f", value))[0]
    if math.isnan(exact):
        return "nan"
    return f"{exact:.3f}"


def test_a_session_over_a_serial_port_needs_no_tensorflow(tmp_path: Path) -> None:
    """The whole command, at 921600 baud on a pseudo-terminal that firmware answers at."""
    model = tmp_path / "model.tflite"
    model.write_bytes(mlperf.task_model("kws01"))
    mlperf.write_dataset(tmp_path / "data", model.read_bytes(), "kws01", 4)
    bundle = tmp_path / "bundle"
    edgec("build", str(model), "--target", "x86", "-o", str(bundle), "--no-verify")
    image = build_image(bundle / "firmware", X86, mlperf=True)
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    with subprocess.Popen([str(image.elf)], stdin=ours, stdout=ours) as process:
        try:
            port = ("--port", os.ttyname(theirs), "--baud", "921600")
            where = ("--dataset", str(tmp_path / "data"), "--sessions", str(tmp_path / "sessions"))
            said = edgec("bench", str(bundle), "--mlperf", "accuracy", *where, *port, "--json")
        finally:
            process.kill()
            os.close(ours)
            os.close(theirs)
    result = json.loads(said)
    assert (result["model"], result["emulated"]) == ("kws01", "")
    assert result["scores"] == {"files": 4, "inferences": 4, "accuracy": 100.0, "auc": None}
    (folder,) = (tmp_path / "sessions").iterdir()
    assert {path.name for path in folder.iterdir()} == {"log.txt", "results.txt", "results.json"}
    assert "ulp-mlperf: Top 1% = 100.0\n" in (folder / "results.txt").read_text()


def edgec(*words: str) -> str:
    """Run the command line; it must not import TensorFlow."""
    script = (
        "import sys\nfrom edgec.pipeline.cli import cli\n"
        "cli(sys.argv[1:], standalone_mode=False)\n"
        "assert not {'tensorflow', 'tf_keras'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words, "-q"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
