"""Imports go one way, and heavy libraries stay out until they are needed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.modules import modules

LAYERS = ("errors and graph", "targets", "codegen", "pipeline", "pipeline.cli")

HEAVY = {
    "PIL", "ai_edge_litert", "h5py", "keras", "onnx", "onnxruntime", "scipy", "serial",
    "tensorflow", "tensorflow_model_optimization", "tf_keras", "tf2onnx", "tvm",
}  # fmt: skip

# Modules that may import a heavy library at their top: nothing imports them at its own top.
TRAINING = {"tensorflow", "tensorflow_model_optimization", "tf_keras"}
MAY_IMPORT = {
    "edgec.pipeline.compress.best_epoch": TRAINING,
    "edgec.pipeline.compress.observing": TRAINING,
    "edgec.pipeline.compress.quantizers": TRAINING,
    "edgec.pipeline.load.onnx": {"onnx", "tensorflow", "tf_keras"},
    "edgec.targets.links.serial": {"serial"},
}


def layer(name: str) -> int:
    if name in ("edgec.pipeline.errors", "edgec.pipeline.graph"):
        return 0
    for depth, prefix in ((4, "edgec.pipeline.cli"), (3, "edgec.pipeline"), (2, "edgec.codegen")):
        if f"{name}.".startswith(f"{prefix}."):
            return depth
    return 1


def allowed(name: str) -> set[str]:
    return {
        library
        for prefix, libraries in MAY_IMPORT.items()
        if f"{name}.".startswith(f"{prefix}.")
        for library in libraries
    }


def eager(start: str) -> set[str]:
    """Every edgec module that importing `start` imports, its packages included."""
    known = modules()
    seen: set[str] = set()
    pending = [start]
    while pending:
        name = pending.pop()
        if name in seen or name not in known:
            continue
        seen.add(name)
        pending.append(name.rpartition(".")[0])
        pending += [found.module for found in known[name].imports() if found.eager]
    return seen


def test_imports_go_one_way() -> None:
    facade = {"edgec", "edgec.__main__"}
    upward = [
        f"{module.where}:{found.line}: {LAYERS[layer(module.name)]} must not import {found.module}"
        for module in modules().values()
        for found in module.imports()
        if module.name not in facade
        and found.module.startswith("edgec.")
        and layer(found.module) > layer(module.name)
    ]
    assert not upward, "\n".join(upward)


def test_imports_are_absolute() -> None:
    relative = [
        f"{module.where}:{found.line}"
        for module in modules().values()
        for found in module.imports()
        if found.relative
    ]
    assert not relative, "\n".join(relative)


def test_heavy_libraries_are_imported_only_where_they_are_used() -> None:
    too_early = [
        f"{module.where}:{found.line}: import {found.module} inside the function that needs it"
        for module in modules().values()
        for found in module.imports()
        if found.eager and found.module.partition(".")[0] in HEAVY - allowed(module.name)
    ]
    assert not too_early, "\n".join(too_early)


def test_no_command_reaches_a_module_with_a_heavy_import() -> None:
    starts = [name for name in modules() if name.startswith("edgec.pipeline.cli")]
    starts += ["edgec", "edgec.pipeline.driver"]
    reached = {start: sorted(filter(allowed, eager(start))) for start in starts}
    assert not {start: names for start, names in reached.items() if names}


def imported_by(code: str) -> set[str]:
    """Run code in a fresh interpreter and return the top-level packages it imported."""
    probe = (
        "import json, sys\n"
        f"try:\n    {code}\nexcept SystemExit as stop:\n    assert not stop.code, stop.code\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def called(*arguments: str) -> set[str]:
    """What the command line imported by the time it had answered."""
    return imported_by(f"from edgec.pipeline.cli import main; main({list(arguments)!r})")


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_imports_nothing_that_is_slow(argument: str) -> None:
    loaded = called(argument)
    assert "click" in loaded
    assert not loaded & (HEAVY | {"numpy", "rich"})


def test_the_help_of_a_command_imports_no_heavy_library() -> None:
    assert not called("build", "--help") & (HEAVY | {"numpy"})


def test_importing_edgec_imports_nothing_else() -> None:
    assert not imported_by("import edgec") & (HEAVY | {"numpy", "rich", "click"})
