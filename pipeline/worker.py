"""Runs a framework stage in a process of its own: limited, quiet, and killed when it must be.

TensorFlow takes seconds to import, gigabytes to run, writes to stderr as it likes, and reads
files that strangers made. So whatever needs it is a *stage*, a function named in `STAGES`, and
runs in `python -m edgec.pipeline.worker`: the request comes as JSON on stdin, and JSON lines go
to stdout: `{"progress": …}`, `{"log": …}`, and last `{"result": …}` or `{"error": …}`.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.util
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from edgec.pipeline import errors
from edgec.pipeline.errors import EdgecError, ToolMissingError, UnsupportedModelError

_PACKAGES = ("h5py", "onnx", "tensorflow", "tf_keras")
_TRAINING = (*_PACKAGES, "sklearn", "tensorflow_model_optimization")

_TVM = ("tvm", "xgboost")

STAGES: Mapping[str, tuple[str, ...]] = {
    "edgec.pipeline.compress.stage:as_float_file": _TRAINING,
    "edgec.pipeline.compress.stage:begin": _TRAINING,
    "edgec.pipeline.compress.stage:run_step": _TRAINING,
    "edgec.pipeline.lower.converter:convert": _PACKAGES,
    "edgec.pipeline.lower.converter:float_outputs": _PACKAGES,
    "edgec.pipeline.lower.converter:summarize": _PACKAGES,
    "edgec.pipeline.tvm.stage:compile_layers": _TVM,
}
"""Every function a worker may run, and the packages it needs."""

MEMORY_BYTES = 16 << 30
FILE_BYTES = 4 << 30
OPEN_FILES = 1024
TIMEOUT_S = 900.0

_INHERITED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")
_SIGNAL_CAUSES: Mapping[int, str] = {
    signal.SIGKILL: " (out of memory?)",
    signal.SIGALRM: " (reading the file did not end; is it damaged?)",
    signal.SIGSEGV: " (is the file damaged?)",
    signal.SIGXCPU: " (out of processor time)",
}
_TAIL_CHARS = 1500
_NOISE = re.compile(r"[IW]\d{4} |WARNING: All log messages")
_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage is: `done` of `total` steps (0 of 0 where that is unknown)."""

    stage: str
    done: int
    total: int
    message: str


Report = Callable[[Progress], None]
Stage = Callable[[Mapping[str, Any], Report], Mapping[str, Any]]


def run_stage(
    function: str,
    request: Mapping[str, Any],
    *,
    progress: Report | None = None,
    timeout_s: float = TIMEOUT_S,
) -> dict[str, Any]:
    """Run a stage of `STAGES` in a worker process and return its result.

    `request` and result are JSON objects. Raises ToolMissingError where a package is missing,
    the worker's own EdgecError where it refuses, and UnsupportedModelError where it crashes, runs
    out of memory or takes longer than `timeout_s`. The worker and its children are gone when this
    returns or raises, on Ctrl-C too.
    """
    _require_packages(function)
    with tempfile.TemporaryDirectory(prefix="edgec-worker-") as home:
        log = Path(home) / "stderr.log"
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "edgec.pipeline.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=home,
                env=_environment(home),
                start_new_session=True,
            )
        try:
            answer = _converse(process, function, request, progress, timeout_s)
        finally:
            _kill(process)
        if "result" in answer:
            return dict(answer["result"])
        if "error" in answer:
            raise _revive(answer["error"])
        raise _crash(function, process.returncode, answer, _tail(log), timeout_s)


def _require_packages(function: str) -> None:
    missing = [name for name in STAGES[function] if importlib.util.find_spec(name) is None]
    if missing:
        tvm = STAGES[function] == _TVM
        purpose = "compiling with TVM" if tvm else "reading a float model"
        raise ToolMissingError(
            f"{purpose} needs {', '.join(missing)}, not installed in {sys.prefix}",
            f"pip install 'edgec[{'tvm' if tvm else 'tensorflow'}]'",
        )


def _environment(home: str) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    if "PYTHONPATH" in inherited:
        entries = inherited["PYTHONPATH"].split(os.pathsep)
        inherited["PYTHONPATH"] = os.pathsep.join(str(Path(e).absolute()) for e in entries if e)
    return inherited | {
        "HOME": home,
        "TMPDIR": home,
        "PYTHONHASHSEED": "0",
        "TF_USE_LEGACY_KERAS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "CUDA_VISIBLE_DEVICES": "-1",
        # Each arena reserves address space, which on many cores would reach the limit.
        "MALLOC_ARENA_MAX": "4",
        # HDF5 must not load a filter plug-in that a file names.
        "HDF5_PLUGIN_PATH": "::",
    }


def _converse(
    process: subprocess.Popen[bytes],
    function: str,
    request: Mapping[str, Any],
    progress: Report | None,
    timeout_s: float,
) -> dict[str, Any]:
    """Send the request and read lines until the answer; `{}` if the process ends without one."""
    assert process.stdin is not None and process.stdout is not None
    call = {"function": function, "request": dict(request), "timeout_s": timeout_s}
    with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
        stdin.write(json.dumps(call).encode())
    try:
        for line in _lines(process.stdout, timeout_s):
            message = json.loads(line)
            if "progress" in message:
                if progress is not None:
                    progress(Progress(**message["progress"]))
            elif "log" not in message:
                return dict(message)
    except TimeoutError:
        return {"timeout": True}
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=5)
    return {}


def _lines(stream: IO[bytes], timeout_s: float) -> Iterator[bytes]:
    deadline = time.monotonic() + timeout_s
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            if not selector.select(timeout=max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            chunk = os.read(stream.fileno(), 65536)
            if not chunk:
                return
            *complete, pending = (pending + chunk).split(b"\n")
            yield from complete


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        # The worker leads its own session, so the group is it and whatever it started.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.stdout is not None:
        process.stdout.close()
    process.wait()


def _revive(error: Mapping[str, str]) -> EdgecError:
    kind = getattr(errors, error["class"], None)
    if not (isinstance(kind, type) and issubclass(kind, EdgecError)):
        kind = UnsupportedModelError
    return kind(error["message"], error["hint"])


def _crash(
    function: str, code: int, answer: Mapping[str, Any], tail: str, timeout_s: float
) -> EdgecError:
    stage = function.rpartition(":")[2]
    if "timeout" in answer:
        return UnsupportedModelError(
            f"{stage} did not end within {timeout_s:.0f} s and was stopped",
            "the model may be too large for this machine",
        )
    if code < 0:
        why = f"was killed by {signal.Signals(-code).name}"
        why += _SIGNAL_CAUSES.get(-code, "")
    else:
        why = f"ended with status {code} and no answer"
    return UnsupportedModelError(
        f"{stage} {why} while working on the model", f"its last words: {tail}" if tail else ""
    )


def _tail(log: Path) -> str:
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - _TAIL_CHARS))
        lines = stream.read().decode(errors="replace").splitlines()
    return "\n".join(line for line in lines if not _NOISE.match(line)).strip()


def main() -> int:
    """Run the one stage that stdin asks for; stdout carries only the protocol."""
    protocol = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    # Frameworks print; what they print must not end up between the protocol's lines.
    os.dup2(2, 1)
    call = json.loads(sys.stdin.buffer.read())
    _confine(float(call["timeout_s"]))

    def send(**message: Any) -> None:
        protocol.write(json.dumps(message) + "\n")

    def report(progress: Progress) -> None:
        send(progress=asdict(progress))

    try:
        stage = _stage(call["function"])
        result = stage(call["request"], report)
    except EdgecError as error:
        send(error=_described(error))
    except MemoryError:
        send(error=_described(_out_of_memory(call["function"])))
    except Exception as error:
        traceback.print_exc()
        send(error=_described(_unexpected(call["function"], error)))
    else:
        send(result=dict(result))
    protocol.flush()
    # Interpreter shutdown under TensorFlow is slow and may crash; the answer is already out.
    os._exit(0)


def _stage(function: str) -> Stage:
    if function not in STAGES:
        raise errors.UsageError(f"unknown worker stage {function!r}")
    module, _, name = function.partition(":")
    stage: Stage = getattr(importlib.import_module(module), name)
    return stage


def _described(error: EdgecError) -> dict[str, str]:
    return {"class": type(error).__name__, "message": error.message, "hint": error.hint}


def _out_of_memory(function: str) -> EdgecError:
    return UnsupportedModelError(
        f"{function.rpartition(':')[2]} needs more than {MEMORY_BYTES >> 30} GiB for this model",
        "the file may be corrupt; a microcontroller model takes far less",
    )


def _unexpected(function: str, error: Exception) -> EdgecError:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    text = " ".join(str(error).split())[:_TAIL_CHARS]
    return UnsupportedModelError(
        f"{function.rpartition(':')[2]} failed on this model: {type(error).__name__} at {place}: "
        f"{text}",
        "if the model works in its own framework, please report this with the model",
    )


def _confine(timeout_s: float) -> None:
    """Bound memory, processor time, files and, where the system allows, the network."""
    import resource

    cpu_s = int(timeout_s * (os.cpu_count() or 1)) + 1
    wanted = (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    )
    for limit, value in wanted:
        _, hard = resource.getrlimit(limit)
        capped = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (capped, capped))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # Root may leave the network at once, others through a user namespace; where neither is
        # allowed the worker keeps it, but nothing in it has reason to use it.
        if libc.unshare(_CLONE_NEWNET) != 0:
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


if __name__ == "__main__":
    sys.exit(main())
