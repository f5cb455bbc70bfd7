"""A lab's computers are reached over SSH, against a real server; one that is not there is sick."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgec.pipeline.cli import main
from tests.support.models import small_cnn
from tests.support.sshd import SshServer


def edgec(*words: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(word) for word in words])
    return int(stop.value.code or 0)


def test_a_computer_is_measured_and_one_that_is_gone_is_not_its_fault(
    server: SshServer, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEC_LOCKS_DIR", str(tmp_path / "locks"))
    server.keep(config)
    model = tmp_path / "small.tflite"
    model.write_bytes(small_cnn())
    bundle, pack, report = tmp_path / "bundle", tmp_path / "pack", tmp_path / "report.json"
    assert edgec("build", "-q", "--no-verify", "--target", "x86", model, "-o", bundle) == 0
    assert edgec("hil", "pack", "-q", bundle, "-o", pack) == 0
    lab = tmp_path / "lab.toml"
    boards = [f'[[board]]\nname = "{n}"\ntype = "x86"\nssh = "{n}"\n' for n in ("gone", "pi")]
    lab.write_text("\n".join(boards))

    assert edgec("hil", "run", "-q", pack, "--lab", lab, "-o", report) == 0
    (job,) = json.loads(report.read_text())["jobs"]
    assert [a["board"] for a in job["attempts"]] == ["gone", "pi"]
    assert "there is no device 'gone'" in job["attempts"][0]["message"]
    result = job["result"]
    assert result["latency"]["unit"] == "ns" and len(result["latency"]["samples"]) >= 50
    assert len(result["env"]["states"]) == 2 and result["target"]["board"] == "pi"

    lab.write_text(boards[0])
    assert edgec("hil", "run", "-q", pack, "--lab", lab, "-o", report) == 8
    assert server.left() == {}
