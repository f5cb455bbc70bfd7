"""Programs for computers that the wheel `ziglang` compiles, with nothing of apt's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from elftools.elf.elffile import ELFFile

from edgec.pipeline.backends.aot import host_target
from edgec.pipeline.bundle import read_bundle
from edgec.pipeline.driver import build, verify
from edgec.pipeline.errors import ToolMissingError, UsageError
from edgec.pipeline.report.tables import facts
from edgec.targets import zig
from edgec.targets.linkmap import FLASH, RAM
from edgec.targets.lldmap import read_lld_map
from edgec.targets.profile import load_target, target_names
from edgec.targets.toolchain import build_image, compiler_flags, equipped, run
from tests.conftest import required
from tests.support.flatmodel import FlatModel
from tests.support.models import small_cnn

KERNELS = Path(__file__).parent.parent.parent / "codegen" / "kernels"
COMPUTERS = [name for name in target_names() if zig.builds_for(load_target(name))]
MACHINES = {"rpi-armv7": "EM_ARM"} | {name: "EM_X86_64" for name in COMPUTERS if "x86" in name}


def float_layers() -> bytes:
    """Return a float32 network of kernels for vectors, and of functions that musl computes."""
    rng = np.random.default_rng(5)
    model = FlatModel()
    x = model.input((1, 9, 9, 5), "float32")
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = 1
    shape = (19, 3, 3, 5)
    weights = model.tensor(shape, "float32", data=rng.uniform(-1, 1, shape).astype(np.float32))
    bias = model.tensor((19,), "float32", data=rng.uniform(-1, 1, 19).astype(np.float32))
    a, b, c = (model.tensor((1, 9, 9, 19), "float32") for _ in range(3))
    model.op("CONV_2D", [x, weights, bias], [a], options)
    model.op("TANH", [a], [b])
    model.op("EXP", [b], [c])
    model.op("LOGISTIC", [c], [model.output((1, 9, 9, 19), "float32")])
    return model.bytes()


@pytest.fixture(autouse=True, scope="session")
def wheel() -> None:
    """Skip where the wheel is not; what Zig builds for itself stays in edgec's own cache."""
    if zig.missing():
        message = f"no {zig.missing()}: {zig.INSTALL}"
        if required("zig"):
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture
def without_gcc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave make and the emulators on PATH, and no compiler."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("make", "mkdir", "sh", "qemu-aarch64", "setpriv"):
        found = next(Path(p) / name for p in os.defpath.split(":") if (Path(p) / name).exists())
        (folder / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(folder))


@pytest.mark.parametrize("name", COMPUTERS)
def test_every_computer_has_flags_that_zig_takes(name: str, tmp_path: Path) -> None:
    target = zig.with_zig(load_target(name))
    out = tmp_path / "kernel.o"
    source = KERNELS / "edgec_vector_products.c"
    flags = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-O2"]
    argv = [sys.executable, "-m", "ziglang", "cc", *flags, *compiler_flags(target)]
    run([*argv, "-c", "-o", str(out), str(source)], timeout_s=120, variables=zig.environment())
    with out.open("rb") as file:
        elf = ELFFile(file)
        assert elf["e_machine"] == MACHINES.get(name, "EM_AARCH64")
        code = {section.name for section in elf.iter_sections() if section["sh_size"]}
    assert ".text" in code and ".eh_frame" not in code


def test_a_program_answers_right_and_is_measured_whole(tmp_path: Path) -> None:
    model = tmp_path / "small.tflite"
    model.write_bytes(small_cnn())
    done = build(
        model, target="rpi4", backend="aot", toolchain="zig", samples=20, out=tmp_path / "out"
    )
    last = done.result.verified[-1]
    assert (last.device, last.exact, last.samples) == ("rpi4 under qemu-aarch64", True, 20)
    assert done.result.compiler == f"zig {zig.version()}"
    assert ("compiler", f"zig {zig.version()}, in the place of GCC") in facts(done.result)
    memory = done.result.memory
    image = tmp_path / "out" / "firmware" / "build" / "image.elf"
    assert memory.binary_bytes == image.stat().st_size < 100_000
    with image.open("rb") as file:
        sizes = {section.name: section["sh_size"] for section in ELFFile(file).iter_sections()}
    size = read_lld_map(image.with_suffix(".map"), memory.arena_bytes or 0, memory.io_bytes)
    assert sum(p.flash_bytes for p in size.pieces) == sum(sizes.get(name, 0) for name in FLASH)
    assert sum(p.ram_bytes for p in size.pieces) == sum(sizes.get(name, 0) for name in RAM)
    assert memory.flash_bytes == size.flash_bytes
    assert (memory.weight_bytes or 0) < size.flash_bytes < sizes[".text"] + sizes[".rodata"]
    # What is verified again is compiled by the same, though the GCC is here.
    assert read_bundle(tmp_path / "out").options["toolchain"] == "zig"
    assert verify(tmp_path / "out", samples=1)[-1].exact
    kept = {path.name for path in (tmp_path / "out" / "firmware").iterdir()}
    assert kept == {
        "Makefile", "build", "firmware", "firmware.json", "flags.cmake", "flags.mk", "flash.json",
        "flash.mk", "host", "project.mk", "src",
    }  # fmt: skip


def test_floats_are_within_the_contract_and_images_repeat_themselves(tmp_path: Path) -> None:
    model = tmp_path / "floats.tflite"
    model.write_bytes(float_layers())
    images = []
    for name in ("one", "another"):
        done = build(
            model, target="rpi4", backend="aot", toolchain="zig", quantize="float32",
            out=tmp_path / name, verify=name == "one", samples=2,
        )  # fmt: skip
        images.append((tmp_path / name / "firmware" / "build" / "image.elf").read_bytes())
        if done.result.verified:
            assert done.result.verified[-1].device == "rpi4 under qemu-aarch64"
    assert images[0] == images[1]


def test_zig_stands_in_only_where_gcc_is_missing(without_gcc: None, tmp_path: Path) -> None:
    pi, board = load_target("rpi4"), load_target("cortex-m4")
    assert equipped(pi, "auto").toolchain.compiler == "zig"
    assert equipped(pi, "gcc") == pi
    assert equipped(board, "auto") == board
    assert host_target().toolchain.compiler == "zig"
    model = tmp_path / "small.tflite"
    model.write_bytes(small_cnn())
    done = build(model, target="rpi4", backend="aot", verify=False, out=tmp_path / "out")
    assert done.result.compiler == f"zig {zig.version()}"
    assert "EDGEC_CC = $(PYTHON) -m ziglang cc\n" in (tmp_path / "out" / "flags.mk").read_text()
    with pytest.raises(ToolMissingError, match="aarch64-linux-gnu-gcc is not installed") as error:
        build_image(tmp_path / "out" / "firmware", pi)
    assert error.value.hint == (
        f"sudo apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross, or {zig.INSTALL}"
    )


def test_gcc_is_kept_where_it_is() -> None:
    pi = load_target("rpi4")
    assert equipped(pi, "auto") == pi
    assert host_target().toolchain.compiler == "gcc"


def test_boards_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cortex-m4: zig compiles for computers"):
        build(tmp_path / "none.tflite", target="cortex-m4", toolchain="zig")


def test_merged_constants_are_counted_to_the_model_that_needs_them(tmp_path: Path) -> None:
    """The model alone has two constants of 16 bytes and a string; the firmware shares some."""
    vector = "typedef double v __attribute__((vector_size(16)));"
    texts = {
        "src/net.c": f"{vector} v one(v x) {{ return x * (v){{1.5, 2.5}} + (v){{3.5, 4.5}}; }}"
        'const char *name(void) { return "net"; }',
        "firmware/main.c": f"{vector} v one(v); const char *name(void);"
        "v other(v x) { return x - (v){1.5, 2.5} + (v){5.5, 6.5}; }"
        'int start(void) { return (int)one(other((v){0.5, 7.5}))[1] + name()["a"[0]] + "b"[0]; }',
    }
    flags = [*compiler_flags(zig.with_zig(load_target("rpi4"))), "-Os", "-ffunction-sections"]
    compiler = [sys.executable, "-m", "ziglang", "cc", *flags]
    objects = []
    for name, text in texts.items():
        source = tmp_path / name
        out = Path("build") / Path(name).with_suffix(".o")
        (tmp_path / out).parent.mkdir(parents=True)
        source.parent.mkdir()
        source.write_text(text)
        run([*compiler, "-c", "-o", str(out), name], timeout_s=120, cwd=tmp_path,
            variables=zig.environment())  # fmt: skip
        objects.append(str(out))
    link = [*compiler, "-nostdlib", "-Wl,-e,start", "-Wl,--print-map", "-o", "build/image.elf"]
    done = run([*link, *objects], timeout_s=120, cwd=tmp_path, variables=zig.environment())
    (tmp_path / "build" / "image.map").write_text(done.stdout)
    size = read_lld_map(tmp_path / "build" / "image.map", 0, 0)
    constants = {p.section: p.flash_bytes for p in size.pieces if p.object == "constants"}
    assert constants == {".rodata.cst16": 32, ".rodata.str1.1": 4}
