from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from edgec.codegen.model_info import TensorInfo
from edgec.codegen.project import hot_sources, render_project
from edgec.targets.profile import load_target, target_names
from tests.tiny_model import MODEL, SHA256, write_tiny


def render(tmp_path: Path, target: str = "cortex-m33") -> Path:
    return render_project(write_tiny(tmp_path / "lib"), load_target(target), tmp_path / "fw", MODEL)


@pytest.mark.parametrize("target", target_names())
def test_two_renderings_are_the_same_files(target: str, tmp_path: Path) -> None:
    one, two = render(tmp_path / "one", target), render(tmp_path / "two", target)
    files = sorted(p.relative_to(one) for p in one.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(two) for p in two.rglob("*") if p.is_file())
    for path in files:
        text = (one / path).read_bytes()
        assert text == (two / path).read_bytes()
        assert str(tmp_path).encode() not in text


def test_the_linker_script_has_the_targets_memories(tmp_path: Path) -> None:
    script = (render(tmp_path) / "firmware" / "memory.ld").read_text()
    assert "FLASH (rx) : ORIGIN = 0x10000000, LENGTH = 4194304" in script
    assert "RAM (rwx) : ORIGIN = 0x38000000, LENGTH = 4194304" in script
    assert "edgec_stack_bytes = 16384;" in script


def test_a_native_target_has_no_linker_script(tmp_path: Path) -> None:
    project = render(tmp_path, "x86")
    assert not list(project.rglob("*.ld"))
    assert "LINKER_SCRIPT :=\n" in (project / "project.mk").read_text()


def test_the_facts_are_there_for_tools(tmp_path: Path) -> None:
    facts = json.loads((render(tmp_path) / "firmware.json").read_text())
    build = facts.pop("build")
    assert re.fullmatch(r"[0-9a-f]{16}", build)
    glue = (tmp_path / "fw" / "firmware" / "edgec_glue.c").read_text()
    assert f'.build = "{build}"' in glue
    assert facts == {
        "model": "tiny",
        "model_sha256": SHA256,
        "target": "cortex-m33",
        "arena_bytes": 2000,
        "io_bytes": 4004,
        "mlperf": None,
    }


def test_a_tensor_name_cannot_leave_its_comment(tmp_path: Path) -> None:
    nasty = TensorInfo('*/ int x; /* "\\\n#error é', "int8_t", 4, 4)
    model = replace(MODEL, inputs=(nasty,))
    target = load_target("x86")
    project = render_project(write_tiny(tmp_path / "lib"), target, tmp_path / "fw", model)
    line = next(
        text
        for text in (project / "firmware" / "edgec_glue.c").read_text().splitlines()
        if "int x" in text
    )
    assert line.startswith("/* ")
    assert line.count("*/") == 1
    assert line.endswith("*/")


def test_only_a_mark_in_the_first_lines_makes_a_kernel_hot(tmp_path: Path) -> None:
    (tmp_path / "edgec_a.c").write_text("/* What it does. */\n/* edgec: hot */\n")
    (tmp_path / "edgec_b.c").write_text("\n" * 20 + "/* edgec: hot */\n")
    (tmp_path / "edgec_c.h").write_text("/* edgec: hot */\n")
    assert hot_sources(tmp_path) == ["edgec_a.c"]
