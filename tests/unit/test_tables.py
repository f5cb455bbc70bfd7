"""The generated tables in the documentation are those of the code."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from edgec.codegen.registry import kernel_ops, sentence
from edgec.targets.profile import target_names
from tests.support.modules import ROOT

TOOL = ROOT / "tools" / "gen_tables.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gen_tables", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(TOOL), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_manual_holds_every_table(tool: ModuleType) -> None:
    text = "".join(page.read_text("utf-8") for page in tool.pages())
    assert not [name for name in tool.TABLES if f"<!-- generated: {name} -->" not in text]


def test_a_stale_page_is_made_anew(tool: ModuleType) -> None:
    page = "# Title\n<!-- generated: targets -->\nold\n<!-- /generated -->\n"
    page += "<!-- generated: boards -->\nold\n<!-- /generated -->\nend\n"
    fresh = tool.regenerated(page)
    assert "old" not in fresh and fresh.startswith("# Title\n") and fresh.endswith("\nend\n")
    assert all(f"`{name}`" in fresh for name in target_names())
    assert tool.regenerated(fresh) == fresh


def test_every_op_is_documented() -> None:
    undocumented = [
        f"{name}: {what.__name__}"
        for name, op in kernel_ops().items()
        for what in (op, *op.constraints)
        if not sentence(what).endswith(".")
    ]
    assert not undocumented, "\n".join(undocumented)


def test_onnx_operators_are_read_without_importing_them(tool: ModuleType, tmp_path: Path) -> None:
    source = tmp_path / "x.py"
    source.write_text('import missing\n@importer("Relu", "Elu")\ndef f(b, n): ...\n')
    assert list(tool._imported_operators(source)) == ["Relu", "Elu"]
