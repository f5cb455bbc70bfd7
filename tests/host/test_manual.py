"""The C that the manual shows compiles against a generated library, and every macro is there."""

from __future__ import annotations

import re
import subprocess
import textwrap
from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as schema

from edgec.pipeline.compile import compile_model, write_sources
from edgec.pipeline.graph import Rounding
from edgec.targets.profile import load_target
from tests.support.flatmodel import FlatModel
from tests.support.modules import ROOT

MANUAL = (ROOT / "docs" / "c-api.md").read_text("utf-8")
FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `src/` of an int8 model of two dense layers, called digits."""
    folder = tmp_path_factory.mktemp("digits")
    flat = FlatModel()
    x, hidden = flat.input((1, 4), "int8", 0.1), flat.tensor((1, 2), "int8", 0.2)
    y = flat.output((1, 2), "int8", 0.4)
    options = schema.FullyConnectedOptionsT()
    for source, result, depth in ((x, hidden, 4), (hidden, y, 2)):
        weights = flat.tensor((2, depth), "int8", 0.05, data=range(2 * depth))
        bias = flat.tensor((2,), "int32", 0.01, data=[10, -20])
        flat.op("FULLY_CONNECTED", [source, weights, bias], [result], options)
    model = folder / "digits.tflite"
    model.write_bytes(flat.bytes())
    target = load_target("x86")
    write_sources(compile_model(model, "digits", Rounding.TFLITE, target), target, folder)
    return folder / "src"


def test_the_example_of_the_manual_compiles(library: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"(?:^ {4}.*\n|^\n)+", MANUAL.partition("## Using it")[2], re.M)
    example = next(block for block in blocks if "#include" in block)
    source = tmp_path / "example.c"
    source.write_text("int classify(void);\n" + textwrap.dedent(example))
    done = subprocess.run(
        ["gcc", *FLAGS, f"-I{library}", "-c", source, "-o", tmp_path / "example.o"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_manual_names_every_macro_of_the_header(library: Path) -> None:
    header = (library / "digits.h").read_text("utf-8")
    macros = set(re.findall(r"#define (DIGITS_\w+) ", header))
    named = set(re.findall(r"`(DIGITS_\w+)`", MANUAL))
    described = named | {name.replace("INPUT", "OUTPUT") for name in named}
    assert macros <= described
    by_rows = {"DIGITS_INPUT_0_ROWS", "DIGITS_INPUT_0_ROW_BYTES"}
    assert named - macros == {"DIGITS_HAS_STATE", *by_rows}


def test_the_manual_shows_the_signature_of_the_header(library: Path) -> None:
    header = " ".join((library / "digits.h").read_text("utf-8").split()).replace("( ", "(")
    signature = re.search(r"^ {4}(int digits_run\(.*\);)$", MANUAL, re.M)
    assert signature is not None and signature[1] in header
