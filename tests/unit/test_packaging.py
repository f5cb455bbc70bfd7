"""The wheel is whole, and enough for a `.tflite` with the light dependencies alone."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as schema
from packaging.requirements import Requirement

from tests.support.flatmodel import FlatModel
from tests.support.modules import ROOT, pyproject

SETUPTOOLS = pyproject()["tool"]["setuptools"]
DATA = {
    "codegen/kernels": "edgec/codegen/kernels",
    "firmware_templates": "edgec/firmware_templates",
    "pipeline/hil/ci": "edgec/pipeline/hil/ci",
    "pipeline/report/schemas": "edgec/pipeline/report/schemas",
    "targets/profiles": "edgec/targets/profiles",
}


def run(*argv: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command with nothing of this checkout on its import path."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "EDGEC_"))}
    return subprocess.run(
        [str(arg) for arg in argv],
        cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def sources(folder: str) -> set[str]:
    """Files under a folder of the repository, without what tools leave there."""
    root = ROOT / folder
    return {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made from the sdist, made from a copy: builds leave files in their folder."""
    copy = tmp_path_factory.mktemp("source") / "edgec"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for folder in SETUPTOOLS["package-dir"].values():
        shutil.copytree(
            ROOT / folder, copy / folder, symlinks=True, dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("__pycache__"),
        )  # fmt: skip
    out = tmp_path_factory.mktemp("dist")
    done = run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, copy)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = out.glob("*.whl")
    return made


def light_distributions() -> dict[str, importlib.metadata.Distribution]:
    """The distributions that `pip install edgec` brings, by name."""
    found: dict[str, importlib.metadata.Distribution] = {}
    pending = [Requirement(text) for text in pyproject()["project"]["dependencies"]]
    while pending:
        wanted = pending.pop()
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        if name in found or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        found[name] = importlib.metadata.distribution(wanted.name)
        pending += [Requirement(text) for text in found[name].requires or []]
    return found


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment's bin folder: the wheel, and links to the light dependencies."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for distribution in light_distributions().values():
        for name in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            if not (site / name).exists():
                (site / name).symlink_to(Path(str(distribution.locate_file(name))).resolve())
    python = folder / "bin" / "python"
    done = run(
        sys.executable, "-m", "pip", "--python", python,
        "install", "--no-deps", "--no-index", "--quiet", wheel,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "bin"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    flat = FlatModel()
    x = flat.input((1, 4), "int8", 0.1)
    weights = flat.tensor((3, 4), "int8", 0.05, data=[[1, -2, 3, 4], [5, 6, -7, 8], [9, 1, 2, -3]])
    bias = flat.tensor((3,), "int32", 0.005, data=[10, -20, 30])
    y = flat.output((1, 3), "int8", 0.2)
    flat.op("FULLY_CONNECTED", [x, weights, bias], [y], schema.FullyConnectedOptionsT())
    path = tmp_path_factory.mktemp("model") / "dense.tflite"
    path.write_bytes(flat.bytes())
    return path


def test_every_package_is_listed() -> None:
    packages = set()
    for package, folder in SETUPTOOLS["package-dir"].items():
        root = ROOT / folder
        found = root.glob("__init__.py") if package == "edgec" else root.rglob("__init__.py")
        packages |= {".".join((package, *init.parent.relative_to(root).parts)) for init in found}
    assert sorted(packages) == SETUPTOOLS["packages"]


def test_every_module_is_in_a_package() -> None:
    lost = [
        str(path.relative_to(ROOT))
        for package, folder in SETUPTOOLS["package-dir"].items()
        if package != "edgec"
        for path in (ROOT / folder).rglob("*.py")
        if not (path.parent / "__init__.py").is_file()
        # What a firmware folder is given is a file to copy, not a module to import.
        and path.parent.parent != ROOT / "firmware_templates"
    ]
    assert not lost


def test_the_wheel_holds_every_kernel_template_and_profile(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = {f"{to}/{name}" for folder, to in DATA.items() for name in sources(folder)}
    wanted |= {"edgec/py.typed", "edgec/pipeline/cli/__init__.py"}
    assert not wanted - names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"edgec"}


def test_the_installed_command_runs(environment: Path) -> None:
    for argument in ("--help", "--version"):
        done = run(environment / "edgec", argument)
        assert done.returncode == 0 and "edgec" in done.stdout, done.stderr


def test_a_tflite_builds_with_the_light_dependencies_alone(
    environment: Path, model: Path, tmp_path: Path
) -> None:
    probe = "import importlib.util as u; print([n for n in {} if u.find_spec(n)])"
    absent = ["tensorflow", "tf_keras", "onnx", "h5py", "pytest"]
    assert run(environment / "python", "-c", probe.format(absent)).stdout == "[]\n"
    done = run(
        environment / "edgec", "build", "--emit-only", "--json", "-o", tmp_path / "out", model
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["result"]["target"]["name"] == "cortex-m4"
    made = {path.name for path in (tmp_path / "out" / "src").iterdir()}
    assert {"dense.c", "dense.h", "dense_weights.c", "edgec_fully_connected_int8.c"} <= made


def test_an_onnx_model_asks_for_the_extra_that_it_needs(environment: Path, tmp_path: Path) -> None:
    done = run(
        environment / "edgec", "build", "--emit-only", "-o", tmp_path / "out",
        ROOT / "examples" / "digits" / "digits.onnx",
    )  # fmt: skip
    assert done.returncode == 4, done.stdout + done.stderr
    assert "pip install 'edgec[tensorflow]'" in done.stderr
    assert not (tmp_path / "out").exists()


def test_every_dependency_is_pinned_to_a_version_that_it_admits() -> None:
    pins = dict(re.findall(r"^([a-z0-9.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.M))
    project = pyproject()["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(r for extra in extras.values() for r in extra)]
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(pins[requirement.name.lower()]), requirement
