"""A lab of emulated boards: what speaks against the firmware and against the lab is told apart."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import junitparser
import pytest

from edgec.pipeline.cli import main
from edgec.pipeline.hil import packed
from edgec.pipeline.hil.manifest import digest
from edgec.pipeline.report.schema import schema
from tests.support.hil_pack import PackWriter, bent, built_small, silenced

BOARDS = ("steady", "mute", "liar", "slow")


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> PackWriter:
    folder = tmp_path_factory.mktemp("packs")
    good = built_small(folder / "good")
    packs = PackWriter(folder)
    packs.add("steady", good)
    packs.add("mute", good, silenced)
    packs.add("liar", good, bent)
    kernel = next(
        row.kernel for row in good.built.planned().layers if row.op == "DEPTHWISE_CONV_2D"
    )
    packs.add("slow", built_small(folder / "slow", kernel, 200))
    return packs


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEC_LOCKS_DIR", str(tmp_path / "locks"))
    monkeypatch.setenv("EDGEC_CONFIG_DIR", str(tmp_path / "config"))


def write_lab(folder: Path, *boards: str, head: str = "", kind: str = "cortex-m4") -> Path:
    folder.mkdir(exist_ok=True)
    rows = [f'[[board]]\nname = "{name}"\ntype = "{kind}"\n' for name in boards]
    path = folder / "lab.toml"
    path.write_text("\n".join([head, *rows]))
    return path


def edgec(*words: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(word) for word in words])
    return int(stop.value.code or 0)


def run(manifest: Path, lab: Path, *words: object) -> tuple[int, dict[str, Any]]:
    """Run a pack and return exit code and report, which follows its schema."""
    out = lab.parent / "report.json"
    code = edgec("hil", "run", "-q", manifest, "--lab", lab, "-o", out, *words)
    report = json.loads(out.read_text())
    jsonschema.validate(report, schema("hil-report"))
    assert report["exit_code"] == code
    for job in report["jobs"]:
        if job["result"] is not None:
            jsonschema.validate(job["result"], schema("bench"))
    return code, report


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {job["board"] or job["job"]: job["outcome"] for job in report["jobs"]}


@pytest.fixture(scope="module")
def baseline(packs: PackWriter, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEC_LOCKS_DIR", str(folder / "locks"))
        code, report = run(
            packs.write("only", [("steady", "")]), write_lab(folder / "lab", "steady")
        )
    assert code == 0 and outcomes(report) == {"steady": "passed"}
    result = folder / "result.json"
    result.write_text(json.dumps(report["jobs"][0]["result"]))
    assert edgec("baseline", "save", "--to", folder / "kept", result) == 0
    return folder / "kept"


def test_four_boards_at_once_are_told_apart(
    packs: PackWriter, baseline: Path, tmp_path: Path
) -> None:
    lab = write_lab(tmp_path / "lab", *BOARDS)
    manifest = packs.write("four", [(name, name) for name in BOARDS])
    code, report = run(manifest, lab, "--baseline", baseline)
    assert outcomes(report) == {
        "steady": "passed",
        "mute": "infrastructure",
        "liar": "wrong output",
        "slow": "regression",
    }
    assert code == 1, "a wrong output comes before all else"
    jobs = {job["board"]: job for job in report["jobs"]}
    assert "did not answer HELLO" in jobs["mute"]["message"]
    assert "differs from LiteRT, reference kernels on sample 0" in jobs["liar"]["message"]
    assert "DEPTHWISE_CONV_2D" in jobs["slow"]["message"]
    assert jobs["slow"]["comparison"]["regressions"]
    assert [jobs[name]["result"] is None for name in BOARDS] == [False, True, True, False]
    states = {board["name"]: board["state"] for board in report["boards"]}
    assert states == {"steady": "ok", "mute": "sick", "liar": "ok", "slow": "ok"}
    # At once: the others were through while the mute board was still given time.
    others = [jobs[name]["seconds"] for name in BOARDS if name != "mute"]
    assert jobs["mute"]["seconds"] > max(others)

    path = tmp_path / "junit.xml"
    assert edgec("report", "--format", "junit", "-o", path, lab.parent / "report.json") == 0
    suites = junitparser.JUnitXml.fromfile(str(path))
    kinds = {s.name: [(type(r).__name__, r.type) for c in s for r in c.result] for s in suites}
    assert kinds == {
        "steady": [],
        "mute": [("Error", "infrastructure")],
        "liar": [("Failure", "wrong-output")],
        "slow": [("Failure", "regression")],
    }


def test_a_regression_comes_before_the_lab(
    packs: PackWriter, baseline: Path, tmp_path: Path
) -> None:
    lab = write_lab(tmp_path / "lab", "steady", "slow")
    jobs = [("steady", "steady"), ("slow", "slow"), ("steady", "gone")]
    code, report = run(packs.write("regression", jobs), lab, "--baseline", baseline)
    assert (code, [job["outcome"] for job in report["jobs"]]) == (
        6,
        ["passed", "regression", "no board"],
    )


def broken_lab(folder: Path, *well: str) -> Path:
    """A lab whose first board's emulator does not start."""
    lab = write_lab(folder, *well)
    (folder / "cortex-m4.toml").write_text(
        'extends = "cortex-m4"\n[runner_options]\nmachine = "mps2-an999"\n'
    )
    text = lab.read_text()
    lab.write_text(f'[[board]]\nname = "broken"\ntype = "cortex-m4.toml"\n{text}')
    return lab


def test_a_job_moves_on_when_its_board_is_sick(packs: PackWriter, tmp_path: Path) -> None:
    manifest = packs.write("two", [("steady", ""), ("steady", "")])
    code, report = run(manifest, broken_lab(tmp_path / "lab", "well"))
    assert (code, set(outcomes(report))) == (0, {"well"})
    tried = [a["board"] for job in report["jobs"] for a in job["attempts"]]
    assert tried.count("broken") == 1, "a sick board is set aside"
    sick = {b["name"]: b["why"] for b in report["boards"] if b["state"] == "sick"}
    assert list(sick) == ["broken"] and "qemu-system-arm did not start" in sick["broken"]


def test_known_firmware_tells_a_silent_firmware_from_a_sick_board(
    packs: PackWriter, tmp_path: Path
) -> None:
    lab = write_lab(tmp_path / "lab", "well", head='golden = "golden"')
    packs.write("known", [("steady", "")]).parent.rename(lab.parent / "golden")
    manifest = packs.write("hang", [("mute", ""), ("steady", "")])
    code, report = run(manifest, lab)
    assert code == 1
    assert {j["job"]: j["outcome"] for j in report["jobs"]} == {
        "mute-0": "no answer",
        "steady-1": "passed",
    }
    assert "the board is well" in report["jobs"][0]["message"]
    assert [board["state"] for board in report["boards"]] == ["ok"]


def test_a_lab_of_sick_boards_is_infrastructure(packs: PackWriter, tmp_path: Path) -> None:
    code, report = run(packs.write("sick", [("steady", "")]), broken_lab(tmp_path / "lab"))
    assert code == 8 and outcomes(report) == {"broken": "infrastructure"}


def test_a_board_that_is_missing_or_in_quarantine_is_skipped(
    packs: PackWriter, tmp_path: Path
) -> None:
    manifest = packs.write("none", [("steady", "")])
    lab = write_lab(tmp_path / "lab", "other", kind="cortex-m33")
    code, report = run(manifest, lab)
    assert code == 3 and report["jobs"][0]["outcome"] == "no board"

    lab = write_lab(tmp_path / "lab", "steady")
    assert edgec("hil", "quarantine", "steady", "--lab", lab, "--why", "loose cable") == 0
    code, report = run(manifest, lab)
    assert code == 3 and report["jobs"][0]["outcome"] == "quarantined"
    assert "steady: loose cable" in report["jobs"][0]["message"]
    assert edgec("hil", "quarantine", "steady", "--lab", lab, "--lift") == 0
    assert run(manifest, lab)[0] == 0
    assert edgec("hil", "quarantine", "nobody", "--lab", lab) == 2


def test_a_board_that_another_process_holds_is_waited_for(
    packs: PackWriter, tmp_path: Path
) -> None:
    manifest = packs.write("held", [("steady", "")])
    lab = write_lab(tmp_path / "lab", "steady")
    script = (
        "from edgec.targets.locks import held\n"
        "with held('lab-steady'):\n    print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline() == "held\n"
        code, report = run(manifest, lab, "--wait", 0)
        assert code == 8 and "others have steady" in report["jobs"][0]["message"]
        other.stdin.close()
    assert run(manifest, lab, "--wait", 0)[0] == 0


def test_no_board_is_touched_for_a_pack_that_was_changed(
    packs: PackWriter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab = write_lab(tmp_path / "lab", "steady")
    manifest = packs.write("changed", [("steady", ""), ("steady", "")])
    assert edgec("hil", "run", manifest, "--lab", lab, "--sha256", "0" * 64) == 2
    assert edgec("hil", "run", manifest, "--lab", lab, "--baseline", tmp_path / "no") == 2
    packs.rewrite(manifest, lambda data: data["jobs"][0].update(name="../steady-0"))
    assert edgec("hil", "run", manifest, "--lab", lab) == 2
    packs.rewrite(manifest, lambda data: data["jobs"][0].update(name="steady-0"))
    packs.rewrite(manifest, lambda data: data["jobs"][0]["ports"]["inputs"][0]["shape"].pop())
    assert edgec("hil", "run", manifest, "--lab", lab) == 2
    manifest = packs.write("flipped", [("steady", "")])
    image = manifest.parent / "steady-0" / "image.elf"
    image.write_bytes(image.read_bytes() + b"\0")
    capsys.readouterr()
    assert edgec("hil", "run", manifest, "--lab", lab) == 2
    said = capsys.readouterr()
    assert "not the file that was packed" in said.err and "steady:" not in said.err


def test_a_pack_with_too_many_samples_is_refused(
    packs: PackWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    manifest, lab = packs.write("large", [("steady", "")]), write_lab(tmp_path / "lab", "steady")
    monkeypatch.setattr(packed, "MAX_SAMPLES_BYTES", 100)
    assert edgec("hil", "run", manifest, "--lab", lab) == 2
    assert "over 100 bytes" in capsys.readouterr().err
    (manifest.parent / "steady-0" / "samples.npz").write_bytes(b"PK")
    packs.rehash(manifest)
    assert edgec("hil", "run", manifest, "--lab", lab) == 2
    assert "not the samples of steady-0" in capsys.readouterr().err


def test_a_selftest_finds_the_board_that_counts_wrongly(
    packs: PackWriter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab = write_lab(tmp_path / "lab", "one", "two", head='golden = "golden"')
    manifest = packs.write("golden", [("steady", "")])
    manifest.parent.rename(lab.parent / "golden")
    assert edgec("hil", "selftest", "-q", "--lab", lab) == 8, "nothing is golden yet"
    assert edgec("hil", "selftest", "-q", "--save", "--lab", lab) == 0
    assert edgec("hil", "selftest", "-q", "--lab", lab) == 0
    (counts,) = (lab.parent / "golden" / "counts").rglob("*.json")
    data = json.loads(counts.read_text())
    data["latency"]["stats"]["median"] *= 0.98
    counts.write_text(json.dumps(data))
    capsys.readouterr()
    assert edgec("hil", "selftest", "-q", "--json", "--quarantine", "--lab", lab) == 8
    found = json.loads(capsys.readouterr().out)
    assert [(one["board"], one["well"]) for one in found] == [("one", False), ("two", False)]
    assert "+2.04% from golden" in found[0]["why"]
    assert edgec("hil", "boards", "--json", "--lab", lab) == 0
    rows = json.loads(capsys.readouterr().out)
    assert all(row["quarantined"].startswith("selftest: ") for row in rows)


def test_the_hash_of_a_pack_is_that_of_its_manifest(packs: PackWriter, tmp_path: Path) -> None:
    manifest = packs.write("hashed", [("steady", "")])
    lab = write_lab(tmp_path / "lab", "steady")
    code, report = run(manifest, lab, "--sha256", digest(manifest))
    result = report["jobs"][0]["result"]
    assert code == 0
    assert (result["target"]["board"], result["target"]["uid_hash"]) == ("steady", None)
    assert result["latency"]["unit"] == "instructions" and result["verified"][0]["exact"]


def test_ctrl_c_ends_a_run_and_its_emulators(packs: PackWriter, tmp_path: Path) -> None:
    lab = write_lab(tmp_path / "lab", "mute")
    manifest = packs.write("stuck", [("mute", "")])
    words = ["-m", "edgec", "hil", "run", str(manifest), "--lab", str(lab)]
    with subprocess.Popen([sys.executable, *words], stderr=subprocess.PIPE, text=True) as client:
        assert client.stderr is not None
        assert client.stderr.readline() == "mute: mute-0\n"
        image = str(manifest.parent / "mute-0" / "image.elf")
        wait_until(lambda: image in running())
        client.send_signal(signal.SIGINT)
        assert "interrupted" in client.stderr.read()
    assert client.returncode == 130
    wait_until(lambda: image not in running())


def running() -> str:
    """The command lines of all processes."""
    listed = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True)
    return listed.stdout


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
