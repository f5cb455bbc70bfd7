"""What a build writes: the same bytes every time, and C that stands alone."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest

from edgec.codegen.vector_image import has_vectors
from edgec.pipeline.driver import bench, build, verify
from edgec.pipeline.report.document import read_document
from edgec.targets.profile import load_target
from tests.support.hostc import WARNINGS
from tests.support.models import small_cnn


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "small.tflite"
    path.write_bytes(small_cnn())
    return path


def digest(root: Path) -> dict[str, str]:
    return {
        str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(root.rglob("*"))
        if p.is_file()
    }


def test_two_builds_in_two_places_are_byte_identical(model: Path, tmp_path: Path) -> None:
    """Objects and images too; only what a clock measured may differ, so nothing is measured."""
    first, second = tmp_path / "a", tmp_path / "deep" / "er" / "b"
    for out in (first, second):
        build(model, target="x86", verify=False, out=out)
    left, right = digest(first), digest(second)
    maps = [name for name in left if name.endswith((".map", ".d"))]
    for name in maps:  # they name the folder they were made in
        left.pop(name), right.pop(name)
    assert left == right
    assert any(name.endswith("image.elf") for name in left)


def test_generated_files_name_no_path_and_no_date(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(model, target="cortex-m4", emit_only=True, out=out)
    for path in (p for p in out.rglob("*") if p.is_file()):
        text = path.read_text(errors="replace")
        assert str(tmp_path) not in text, path
        assert not re.search(r"20\d\d-\d\d|\d\d:\d\d:\d\d", text), path


def test_the_library_is_only_the_model_and_the_kernels_it_uses(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(model, target="cortex-m4", emit_only=True, out=out)
    names = {p.name for p in (out / "src").iterdir()}
    own = {"small.h", "small.c", "small_weights.c"}
    assert own <= names
    assert all(n.startswith("edgec_") for n in names - own)
    assert not any("float32" in n for n in names)
    for compiler in ("gcc", "clang"):
        done = subprocess.run(
            [compiler, *WARNINGS, "-fsyntax-only", *sorted(n for n in names if n.endswith(".c"))],
            cwd=out / "src", capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    text = "".join((out / "src" / n).read_text() for n in names)
    assert not any(word in text for word in ("malloc", "stdio.h", "math.h", "printf"))


def test_the_library_is_callable_from_cpp(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(model, target="cortex-m4", emit_only=True, out=out)
    source = tmp_path / "use.cpp"
    source.write_text(
        '#include "small.h"\nint main() { static signed char in[SMALL_INPUT_0_SIZE], '
        "out[SMALL_OUTPUT_0_SIZE];\n  alignas(SMALL_ARENA_ALIGN) static unsigned char "
        "arena[SMALL_ARENA_BYTES];\n  return small_run(in, out, arena) + small_run(in, 0, arena) "
        "+ 1; }\n"
    )
    src = out / "src"
    objects = []
    for path in sorted(src.glob("*.c")):
        objects.append(str(tmp_path / f"{path.stem}.o"))
        subprocess.run(["gcc", "-c", str(path), "-o", objects[-1]], check=True)
    command = ["g++", "-Wall", "-Werror", f"-I{src}", str(source), *objects, "-o", "use"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "use"], check=False).returncode == 0


def test_flag_files_and_the_tflm_sources_lie_beside(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(model, target="cortex-m4", emit_only=True, out=out)
    assert "-mcpu=cortex-m4" in (out / "flags.mk").read_text()
    assert "-mcpu=cortex-m4" in (out / "flags.cmake").read_text()
    array = (out / "tflm" / "small_tflite.c").read_text()
    numbers = array[array.index("{") + 1 : array.rindex("}")].replace("\n", " ").split(",")
    assert bytes(int(n) for n in numbers) == model.read_bytes()
    resolver = (out / "tflm" / "small_ops.h").read_text()
    assert "AddDepthwiseConv2D" in resolver and "AddFullyConnected" in resolver


def test_a_bundle_can_be_verified_and_measured_again(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = build(model, target="x86", out=out, samples=3)
    # where the CPU has vectors, their portable twins are verified first
    names = ["host C", "x86"] if has_vectors(load_target("x86").features) else ["x86"]
    checked = [(v.device, v.samples, v.exact) for v in done.result.verified]
    assert checked == [(name, 3, True) for name in names]
    before = digest(out)
    assert [v.samples for v in verify(out, samples=4)] == [4] * len(names)
    measured = bench(out)
    assert measured.unit == "ns" and measured.total and measured.total > 0
    assert digest(out) == before
    assert read_document(out)["latency"]["unit"] == "ns"


def test_tflm_rounding_is_verified_too(model: Path, tmp_path: Path) -> None:
    from edgec.pipeline.graph import Rounding

    done = build(model, target="x86", rounding=Rounding.TFLM, out=tmp_path / "out")
    assert {v.oracle for v in done.result.verified} == {"numpy references"}
