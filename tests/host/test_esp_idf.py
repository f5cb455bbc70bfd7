"""The ESP-IDF project, configured by CMake and run on this computer with a stand-in for ESP-IDF.

ESP-IDF itself is not here: what it would say of the project is not tested.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from edgec.codegen.project import render_project
from edgec.pipeline.errors import MeasurementError, ToolMissingError
from edgec.targets.clock_check import check_clock
from edgec.targets.device_protocol import Device, Timeouts
from edgec.targets.links.process import ProcessLink
from edgec.targets.profile import load_target
from edgec.targets.runners.native import running
from edgec.targets.toolchain import build_image
from tests.conftest import lack
from tests.support.modules import ROOT
from tests.tiny_model import MODEL, SHA256, expected, write_tiny

FAKE_IDF = ROOT / "tests" / "support" / "fake_idf"
CHIPS = {"esp32-s3": 240, "esp32-c3": 160}


def render(folder: Path, name: str) -> Path:
    return render_project(write_tiny(folder / "lib"), load_target(name), folder / "fw", MODEL)


def build_id(project: Path) -> str:
    return str(json.loads((project / "firmware.json").read_text(encoding="utf-8"))["build"])


def settings(project: Path) -> dict[str, str]:
    """Return what sdkconfig.defaults sets."""
    lines = (project / "sdkconfig.defaults").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if not line.startswith("#"))
    return {key: value.strip('"') for key, value in pairs}


def sdkconfig(project: Path, console: str) -> str:
    """Return the header that ESP-IDF would make, as far as the firmware looks at it."""
    chosen = [key for key, value in settings(project).items() if value == "y"]
    mhz = next(m[1] for key in chosen if (m := re.fullmatch(r".*CPU_FREQ_MHZ_(\d+)", key)))
    facts = [*(f"{key} 1" for key in chosen), f"CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ {mhz}"]
    facts.append(f"CONFIG_EDGEC_CONSOLE_{console} 1")
    return "".join(f"#define {fact}\n" for fact in facts)


def build(project: Path, console: str, *options: str) -> Path:
    if shutil.which("cmake") is None:
        lack("host", "no cmake: apt-get install cmake")
    (project / "build" / "config").mkdir(parents=True)
    header = project / "build" / "config" / "sdkconfig.h"
    header.write_text(sdkconfig(project, console), encoding="utf-8")
    environment = {**os.environ, "IDF_PATH": str(FAKE_IDF)}
    for argv in (["cmake", "-B", "build", "-S", ".", *options], ["cmake", "--build", "build"]):
        done = subprocess.run(argv, cwd=project, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "warning" not in done.stderr.lower(), done.stderr
    return project / "build" / "edgec_tiny"


@pytest.mark.parametrize(
    ("name", "console"), [("esp32-s3", "UART0"), ("esp32-c3", "USB_SERIAL_JTAG")]
)
def test_the_exported_firmware_answers_over_the_drivers_it_calls(
    name: str, console: str, tmp_path: Path
) -> None:
    project = render(tmp_path, name)
    program = build(project, console)
    rng = np.random.default_rng(1)
    a = rng.integers(-128, 128, 2000, dtype=np.int8)
    b = np.array([3, 0, 0, -7], np.int8)
    with running([str(program)]) as process:
        device = Device(ProcessLink(process), timeouts=Timeouts(reply_s=2, inference_s=20))
        hello = device.expect(SHA256, False, build_id(project))
        assert (hello.target, hello.timer, hello.unit) == (name, "cpu", "cycles")
        assert hello.timer_hz == CHIPS[name] * 10**6
        device.write_input(0, a.tobytes())
        device.write_input(1, b.tobytes())
        device.run(1)
        assert device.read_output(0) == expected(a, b)[1].tobytes()
        assert device.measure_stack() > 0
        assert device.retries == 0


def test_a_cycle_counter_that_wraps_in_a_run_is_counted_through(tmp_path: Path) -> None:
    project = render(tmp_path, "esp32-s3")
    spin = project / "src" / "edgec_spin.c"
    slow = spin.read_text(encoding="utf-8").replace("i < turns;", "i < turns * 400u;")
    spin.write_text(slow, encoding="utf-8")
    with running([str(build(project, "UART0"))]) as process:
        device = Device(ProcessLink(process), timeouts=Timeouts(reply_s=2, inference_s=60))
        device.expect(SHA256, False, build_id(project))
        device.write_input(1, bytes([255, 0, 0, 0]))
        started = time.monotonic()
        (count,) = device.run(1).counts
        elapsed_s = time.monotonic() - started
    # The stand-in's clock is 2000 times as fast as it says.
    assert 2**33 < count <= elapsed_s * 2000 * 240e6
    assert count > 0.5 * elapsed_s * 2000 * 240e6


def test_a_clock_that_is_not_what_the_firmware_says_is_noticed(tmp_path: Path) -> None:
    project = render(tmp_path, "esp32-s3")
    with running([str(build(project, "UART0"))]) as process:
        device = Device(ProcessLink(process), timeouts=Timeouts(reply_s=2, inference_s=60))
        with pytest.raises(MeasurementError, match="says that its clock runs at 240,000,000 Hz"):
            check_clock(device)


def test_a_profile_build_is_one_option_away(tmp_path: Path) -> None:
    project = render(tmp_path, "esp32-c3")
    program = build(project, "UART0", "-DEDGEC_PROFILE=1")
    with running([str(program)]) as process:
        device = Device(ProcessLink(process), timeouts=Timeouts(reply_s=2, inference_s=20))
        device.expect(SHA256, True, build_id(project))
        device.run(1)
        assert [layer.layer for layer in device.layers()] == [0, 1]


@pytest.mark.parametrize("name", CHIPS)
def test_the_project_names_chip_clock_and_version(name: str, tmp_path: Path) -> None:
    project = render(tmp_path, name)
    set_to = settings(project)
    assert set_to["CONFIG_IDF_TARGET"] == name.replace("-", "")
    assert set_to[f"CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_{CHIPS[name]}"] == "y"
    assert set_to["CONFIG_ESP_CONSOLE_NONE"] == "y"
    component = yaml.safe_load((project / "main" / "idf_component.yml").read_text("utf-8"))
    assert component == {"dependencies": {"idf": ">=5.1"}}
    for path in project.rglob("*"):
        if path.is_file() and path.parent.name != "src":
            assert not re.search(r"@[A-Z_]+@", path.read_text("utf-8")), path


def test_only_espressifs_builder_compiles_it(tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError, match=r"compiled by idf\.py") as error:
        build_image(render(tmp_path, "esp32-s3"), load_target("esp32-s3"))
    assert "idf.py build" in error.value.hint
