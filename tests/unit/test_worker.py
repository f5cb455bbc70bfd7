from __future__ import annotations

import importlib.util
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edgec.pipeline import worker
from edgec.pipeline.errors import DataError, ToolMissingError, UnsupportedModelError
from edgec.pipeline.worker import Progress, run_stage

Install = Callable[[str], None]

STAGE = "edgec.pipeline.lower.converter:convert"


@pytest.fixture
def fake_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a shell script in the worker's place."""

    def install(script: str) -> None:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\ncat >/dev/null\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(path))
        monkeypatch.setattr(worker, "_require_packages", lambda function: None)

    return install


def test_result_and_progress_come_back(fake_worker: Install) -> None:
    fake_worker(
        'echo \'{"progress": {"stage": "load", "done": 1, "total": 2, "message": "half"}}\'\n'
        'echo \'{"log": "hello"}\'\necho \'{"result": {"answer": 42}}\'; sleep 60'
    )
    seen: list[Progress] = []
    assert run_stage(STAGE, {}, progress=seen.append) == {"answer": 42}
    assert seen == [Progress("load", 1, 2, "half")]


def test_errors_keep_their_class_and_hint(fake_worker: Install) -> None:
    fake_worker('echo \'{"error": {"class": "DataError", "message": "m", "hint": "h"}}\'')
    with pytest.raises(DataError) as caught:
        run_stage(STAGE, {})
    assert (caught.value.message, caught.value.hint) == ("m", "h")


def test_crash_is_a_refusal_with_signal_and_last_words(fake_worker: Install) -> None:
    fake_worker("echo 'the end is near' >&2; kill -SEGV $$")
    with pytest.raises(UnsupportedModelError, match="convert was killed by SIGSEGV") as caught:
        run_stage(STAGE, {})
    assert "the end is near" in caught.value.hint


def test_exit_without_answer_is_a_refusal(fake_worker: Install) -> None:
    fake_worker("exit 3")
    with pytest.raises(UnsupportedModelError, match="ended with status 3 and no answer"):
        run_stage(STAGE, {})


def test_timeout_kills_the_whole_group(fake_worker: Install, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    fake_worker(f"sleep 60 & echo $! >{pid_file}; wait")
    with pytest.raises(UnsupportedModelError, match="did not end within 1 s"):
        run_stage(STAGE, {}, timeout_s=1.0)
    assert gone(int(pid_file.read_text()))


def test_interrupt_kills_the_whole_group(fake_worker: Install, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    fake_worker(f"sleep 60 & echo $! >{pid_file}; wait")

    def interrupt() -> None:
        while not (pid_file.exists() and pid_file.read_text().strip()):
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        run_stage(STAGE, {})
    assert gone(int(pid_file.read_text()))


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_missing_tensorflow_asks_for_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "tensorflow" else real(name)
    )
    with pytest.raises(ToolMissingError, match="needs tensorflow") as caught:
        run_stage(STAGE, {})
    assert caught.value.hint == "pip install 'edgec[tensorflow]'"


def test_worker_inherits_no_secrets_and_its_own_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "secret")
    environment = worker._environment("/somewhere")
    assert "SOME_TOKEN" not in environment
    assert environment["HOME"] == "/somewhere"
    assert environment["TF_USE_LEGACY_KERAS"] == "1"
