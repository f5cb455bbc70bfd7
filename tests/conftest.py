"""What the tests need, by folder: a missing need skips with how to get it, or fails when required.

`EDGEC_REQUIRE=host,cross,tf,tvm,sbc,zig,labgrid,flash` (set in CI) makes such a skip a failure.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis.internal.conjecture import providers

ROOT = Path(__file__).resolve().parent.parent


# Hypothesis draws constants that it finds in our modules: a seed would draw other layers whenever a
# line changed, and tests that hold how many of a kind there are would fail by chance.
if not hasattr(providers, "_get_local_constants"):
    raise RuntimeError("this Hypothesis finds constants elsewhere: see tests/conftest.py")
providers._get_local_constants = providers.Constants


def _missing_host() -> str:
    return "" if shutil.which("gcc") else "no gcc: apt-get install gcc"


def _missing_cross() -> str:
    for tool, package in (
        ("arm-none-eabi-gcc", "gcc-arm-none-eabi libnewlib-arm-none-eabi"),
        ("qemu-system-arm", "qemu-system-arm"),
    ):
        if not shutil.which(tool):
            return f"no {tool}: apt-get install {package}"
    return ""


def _missing_tf() -> str:
    for module in ("tensorflow", "tf_keras", "onnx", "onnxruntime"):
        if importlib.util.find_spec(module) is None:
            return f"no {module}: pip install 'edgec[tensorflow,dev]'"
    return ""


def _missing_tvm() -> str:
    for module in ("tvm", "xgboost"):
        if importlib.util.find_spec(module) is None:
            return f"no {module}: pip install 'edgec[tvm]'"
    return ""


def _missing_sbc() -> str:
    for tool, package in (
        ("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross"),
        ("arm-linux-gnueabihf-gcc", "gcc-arm-linux-gnueabihf libc6-dev-armhf-cross"),
        ("qemu-aarch64", "qemu-user"),
        ("qemu-arm", "qemu-user"),
        ("ssh", "openssh-client"),
        ("sshd", "openssh-server"),
    ):
        if not shutil.which(tool) and not Path("/usr/sbin", tool).exists():
            return f"no {tool}: apt-get install {package}"
    return ""


NEEDS: dict[str, Callable[[], str]] = {
    "host": _missing_host,
    "cross": _missing_cross,
    "tf": _missing_tf,
    "sbc": _missing_sbc,
    "tvm": _missing_tvm,
}


def required(need: str) -> bool:
    return need in os.environ.get("EDGEC_REQUIRE", "").split(",")


def lack(need: str, message: str) -> NoReturn:
    """Skip the test that runs for want of something, or fail it where that is required."""
    if required(need):
        pytest.fail(message)
    pytest.skip(message)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    why = {need: find() for need, find in NEEDS.items()}
    for item in items:
        need = item.path.relative_to(ROOT / "tests").parts[0]
        if why.get(need) and not required(need):
            item.add_marker(pytest.mark.skip(reason=why[need]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many random layers and graphs the tests ran, and under which kernels."""
    counts: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name.startswith(("random ", "kernel ")):
                counts[name] += int(str(value))
    kernels = {n.removeprefix("kernel "): c for n, c in counts.items() if n.startswith("kernel ")}
    for name in sorted(set(counts) - {f"kernel {kernel}" for kernel in kernels}):
        terminalreporter.write_line(f"{name}: {counts[name]:,}")
    if kernels:
        runs = sum(kernels.values())
        terminalreporter.write_line(f"layers run, by {len(kernels)} kernels: {runs:,}")
        if terminalreporter.verbosity > 0:
            for name, count in sorted(kernels.items()):
                terminalreporter.write_line(f"  {count:6,} {name}")


def models_dir() -> Path:
    """Folder of the benchmark models, which the repository does not carry."""
    return Path(os.environ.get("EDGEC_MODELS", ROOT.parent / "shared" / "models")) / "mlperf-tiny"


@pytest.fixture(scope="session")
def labgrid_python() -> Path:
    """The Python of labgrid's own environment, or a skip that says how to get it."""
    path = Path(os.environ.get("EDGEC_LABGRID", ROOT / ".venv-labgrid" / "bin" / "python"))
    if not path.is_file():
        where = f"no labgrid in {path.parent}"
        lack("labgrid", f"{where}: tools/setup.sh labgrid, or set EDGEC_LABGRID")
    return path


@pytest.fixture(scope="session")
def benchmark_models() -> Path:
    """The MLPerf Tiny models, or a skip that says how to get them."""
    folder = models_dir()
    if not folder.is_dir():
        lack(
            "models",
            f"no benchmark models in {folder}: set EDGEC_MODELS to a folder that holds "
            "mlperf-tiny/ (from github.com/mlcommons/tiny, benchmark/training/*/trained_models)",
        )
    return folder
