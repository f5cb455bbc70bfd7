"""The CI files are valid by their schemas, and their steps run as they are printed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import junitparser
import pytest
import yaml

from edgec.pipeline.cli import main
from edgec.pipeline.errors import UsageError
from edgec.pipeline.hil.ci_files import CiOptions, ci_text
from edgec.targets.profile import load_target
from tests.support.models import small_cnn

SCHEMAS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}
PLAIN = CiOptions(("models/small.tflite",), ("cortex-m4",))
OPTIONS = (
    PLAIN,
    CiOptions(("a b/k w s.onnx", "ad.tflite"), ("cortex-m4", "rpi4"), "bench/base lines", "my-lab"),
)


@pytest.mark.parametrize("kind", SCHEMAS)
@pytest.mark.parametrize("options", OPTIONS, ids=["plain", "full"])
def test_the_file_is_valid_by_its_schema(kind: str, options: CiOptions, tmp_path: Path) -> None:
    """The schemas are those of SchemaStore and GitLab, as check-jsonschema carries them."""
    path = tmp_path / "ci.yml"
    path.write_text(ci_text(kind, options))
    argv = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[kind], str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    path.write_text(path.read_text().replace("stage: lab", "stages: 7").replace("runs-on:", "run:"))
    assert subprocess.run(argv, capture_output=True, check=False).returncode == 1


def test_the_lab_job_is_never_for_forks_and_has_no_rights() -> None:
    workflow = yaml.safe_load(ci_text("github", PLAIN))
    build, lab = workflow["jobs"]["build"], workflow["jobs"]["lab"]
    assert workflow["permissions"] == {"contents": "read"} and lab["permissions"] == {}
    assert "github.event.pull_request.head.repo.full_name == github.repository" in lab["if"]
    assert lab["runs-on"] == ["self-hosted", "edgec-lab"] and lab["needs"] == "build"
    assert "self-hosted" not in build["runs-on"]
    used = [step["uses"] for job in (build, lab) for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action) for action in used)
    assert not any("checkout" in step.get("uses", "") for step in lab["steps"])
    assert "${{" not in "".join(step.get("run", "") for step in (*build["steps"], *lab["steps"]))
    rules = yaml.safe_load(ci_text("gitlab", PLAIN))["edgec-lab"]["rules"]
    assert rules[0]["when"] == "never" and "SOURCE_PROJECT_ID != $CI_PROJECT_ID" in rules[0]["if"]


def test_what_the_build_job_installs_follows_from_the_targets() -> None:
    text = ci_text("github", OPTIONS[1])
    for target in map(load_target, OPTIONS[1].targets):
        assert all(package in text for package in target.toolchain.package.split())
    assert "'edgec[tensorflow]==" in text and "edgec[tensorflow]" not in ci_text("github", PLAIN)


@pytest.mark.parametrize(
    "options",
    [
        CiOptions(("a$(id).tflite",), ("cortex-m4",)),
        CiOptions(("${{ secrets.X }}",), ("cortex-m4",)),
        CiOptions(("../a.tflite",), ("cortex-m4",)),
        CiOptions(("/a.tflite",), ("cortex-m4",)),
        CiOptions(("a.tflite", "b/a.tflite"), ("cortex-m4",)),
        CiOptions(("a.tflite",), ("cortex-m",)),
        CiOptions(("a.tflite",), ("cortex-m4",), label="a]"),
        CiOptions(("a.tflite",), ("cortex-m4",), install="x\n- run: y"),
    ],
)
def test_what_would_have_to_be_escaped_is_refused(options: CiOptions) -> None:
    with pytest.raises(UsageError):
        ci_text("github", options)


class Runner:
    """Runs the `run:` steps of a GitHub job as its runner does: bash, its options, its files."""

    def __init__(self, folder: Path, lab: Path) -> None:
        self.folder = folder
        self.output, self.summary = lab.parent / "output", lab.parent / "summary"
        self.output.touch()
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "EDGEC_LAB": str(lab),
        }

    def run(self, script: str, **environment: str) -> int:
        """Run one step; return its exit code."""
        bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        done = subprocess.run(
            bash, cwd=self.folder, env={**self.environment, **environment},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        print(done.stdout, done.stderr)
        return done.returncode

    def outputs(self) -> dict[str, str]:
        """What steps have left for other jobs."""
        return dict(line.split("=", 1) for line in self.output.read_text().splitlines())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a model, and a lab of two emulated boards beside it."""
    folder = tmp_path_factory.mktemp("ci")
    (folder / "repository" / "models").mkdir(parents=True)
    (folder / "repository" / "models" / "small.tflite").write_bytes(small_cnn())
    boards = [f'[[board]]\nname = "{t}-1"\ntype = "{t}"\n' for t in ("cortex-m4", "x86")]
    (folder / "lab.toml").write_text("\n".join(boards))
    return folder


@pytest.fixture(scope="module")
def workflow(place: Path) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place / "repository")
        words = ["hil", "init", "--model", "models/small.tflite", "--target", "cortex-m4"]
        for code in (0, 2):  # a second time the file is there
            with pytest.raises(SystemExit) as stop:
                main([*words, "--target", "x86"])
            assert int(stop.value.code or 0) == code
    text = (place / "repository" / ".github" / "workflows" / "edgec.yml").read_text()
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def test_the_steps_run_as_printed(
    place: Path, workflow: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEC_LOCKS_DIR", str(tmp_path / "locks"))
    build, lab = workflow["jobs"]["build"], workflow["jobs"]["lab"]
    hosted = Runner(place / "repository", place / "lab.toml")
    for step in build["steps"]:
        if "run" in step and "sudo" not in step["run"]:
            assert hosted.run(step["run"]) == 0, step["name"]

    uploaded = next(s["with"]["path"] for s in build["steps"] if "upload" in s.get("uses", ""))
    there = place / "runner"
    there.mkdir()
    mine = Runner(there, place / "lab.toml")
    for step in lab["steps"]:
        if "download-artifact" in step.get("uses", ""):
            shutil.copytree(place / "repository" / uploaded, there / step["with"]["path"])
            for image in there.rglob("*.elf"):
                image.chmod(0o644)  # as an artifact has it
        elif "run" in step:
            given = {
                name: value.replace("${{ needs.build.outputs.sha256 }}", hosted.outputs()["sha256"])
                for name, value in step.get("env", {}).items()
            }
            assert mine.run(step["run"], **given) == 0, step["name"]
    report = json.loads((there / "report.json").read_text())
    assert [(job["board"], job["outcome"]) for job in report["jobs"]] == [
        ("cortex-m4-1", "passed"), ("x86-1", "passed"),
    ]  # fmt: skip
    suites = junitparser.JUnitXml.fromfile(str(there / "junit.xml"))
    assert [[case.result for case in suite] for suite in suites] == [[[]], [[]]]
    assert "| ✅ | small | cortex-m4 | cortex-m4-1 | passed |" in mine.summary.read_text()

    # The same pack under another hash, and by the steps of GitLab.
    measure = next(s["run"] for s in lab["steps"] if "SHA256" in s.get("env", {}))
    assert mine.run(measure, SHA256="0" * 64) == 2
    gitlab = yaml.safe_load(ci_text("gitlab", PLAIN))["edgec-lab"]
    for line in (*gitlab["script"], *gitlab["after_script"]):
        assert mine.run(line, SHA256=hosted.outputs()["sha256"]) == 0, line
