"""The work that needs TVM, in a worker process: tune, schedule and assemble a model's layers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgec.pipeline.graph import Graph, Rounding
from edgec.pipeline.load import tflite
from edgec.pipeline.passes import run_passes
from edgec.pipeline.tvm.assembly import assembled, lowered
from edgec.pipeline.tvm.functions import loops_of
from edgec.pipeline.tvm.fusion import Fused, fuse
from edgec.pipeline.tvm.schedules import default_schedule
from edgec.pipeline.tvm.tuning import Limits, Records, held, tune
from edgec.pipeline.worker import Progress, Report
from edgec.targets.llvm import NATIVE
from edgec.targets.profile import load_target


def compile_layers(request: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Write the assembly of a model's fused ops to a file, and return the kernel of each.

    Of each there is the `symbol`, `scratch_bytes` (0: it takes none), and the `seconds` of its
    schedule as measured, None where nobody tuned it.
    """
    report(Progress("tvm", 0, 0, "importing TVM"))
    graph = _graph(request)
    ops = [op for op in graph.ops if isinstance(op, Fused)]
    target = _target(request["llvm"], request["fast"] or not request["overlap"])
    lanes = int(request["llvm"]["lanes"])
    functions = _Distinct()
    numbers = [functions.number(loops_of(op)) for op in ops]
    folder = Path(request["cache"]) / _key(target)
    done = 0
    if request["tune"] is not None and ops:
        limits = Limits(int(request["tune"]["trials"]), float(request["tune"]["minutes"]))
        with held(folder / "tuning"):
            done = _tuned(functions, numbers, Records(folder), target, lanes, limits, report)
    own = request["overlap"]
    records = Records(folder)
    found = [None if own else records.best(function) for function in functions.all]
    report(Progress("tvm", 0, 0, "compiling layers"))
    kernels, code = [], {}
    for number, function in enumerate(functions.all):
        best = found[number]
        symbol = f"{graph.name}_tvm_{number}"
        loops = default_schedule(function, lanes).mod["main"] if best is None else best[0]
        flat = lowered(loops, symbol, target, apart=not own)
        code[symbol] = flat.function
        kernels.append(
            {
                "symbol": symbol,
                "scratch_bytes": flat.scratch_bytes,
                "seconds": None if best is None else best[1],
            }
        )
    text = assembled(code, target) if code else ""
    Path(request["out"]).write_text(text, encoding="utf-8", newline="\n")
    return {
        "kernels": [kernels[number] for number in numbers],
        "trials": done,
        "versions": {name: version(name) for name in ("apache-tvm", "apache-tvm-ffi")},
    }


def _graph(request: Mapping[str, Any]) -> Graph:
    """Read and rewrite the model as the process that asks does."""
    path = Path(request["model"])
    source = tflite.parse(
        path.read_bytes(), request["name"], Rounding(request["rounding"]), where=path.name
    )
    rewritten, _ = run_passes(source, load_target(request["target"]), shrink=request["shrink"])
    return fuse(rewritten)


def _target(facts: Mapping[str, Any], fast: bool) -> Any:
    import tvm
    from tvm.target import codegen

    cpu = facts["cpu"]
    options: dict[str, Any] = {
        "kind": "llvm",
        "mtriple": facts["triple"],
        "mcpu": codegen.llvm_get_system_cpu() if cpu == NATIVE else cpu,
        "num-cores": 1,
    }
    if not fast:
        options["opt-level"] = 2  # 3 unrolls loops, for twice the code and a few per cent
    if facts["float_abi"]:
        options["mfloat-abi"] = facts["float_abi"]
    if facts["attributes"]:
        options["mattr"] = list(facts["attributes"])
    return tvm.target.Target(options)


def _key(target: Any) -> str:
    """Return the name of a target's folder of records: they are good for one TVM and one CPU."""
    text = f"{target} {version('apache-tvm')}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class _Distinct:
    """Functions without repetition: layers of one shape share one."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def number(self, function: Any) -> int:
        """Return the number of a function, entered if it is new."""
        import tvm_ffi

        key = tvm_ffi.StructuralKey(function)
        if key not in self._numbers:
            self._numbers[key] = len(self.all)
            self.all.append(function)
        return self._numbers[key]


def _tuned(
    functions: _Distinct,
    numbers: list[int],
    records: Records,
    target: Any,
    lanes: int,
    limits: Limits,
    report: Report,
) -> int:
    def told(done: int, of: int) -> None:
        report(Progress("tune", done, of, "schedules measured"))

    told(0, limits.trials)
    pairs = [(function, numbers.count(n)) for n, function in enumerate(functions.all)]
    return tune(pairs, records, target, lanes, limits, told)
