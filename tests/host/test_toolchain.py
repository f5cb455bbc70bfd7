"""Finding and running tools, with real ones and with ones that are missing."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edgec.codegen.project import render_project
from edgec.pipeline.errors import BuildError, InfrastructureError, TargetError, ToolMissingError
from edgec.targets.links.base import Endpoint, open_link
from edgec.targets.profile import load_target
from edgec.targets.runners import native
from edgec.targets.runners.base import find_runner
from edgec.targets.toolchain import build_image, run, tool_versions
from tests.tiny_model import MODEL, write_tiny

X86 = load_target("x86")


def test_output_is_captured() -> None:
    output = run(["sh", "-c", "echo out; echo err >&2"], timeout_s=10)
    assert (output.stdout, output.stderr) == ("out\n", "err\n")


def test_a_failing_command_shows_its_last_words() -> None:
    with pytest.raises(BuildError, match=r"sh failed with exit code 3:\nbroken"):
        run(["sh", "-c", "echo broken; exit 3"], timeout_s=10)


def test_a_command_that_hangs_is_ended() -> None:
    with pytest.raises(InfrastructureError, match=r"sleep did not end within 0\.1 s"):
        run(["sleep", "5"], timeout_s=0.1, failure=InfrastructureError)


def test_a_missing_compiler_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = load_target("cortex-m4")
    project = render_project(write_tiny(tmp_path / "lib"), target, tmp_path / "fw", MODEL)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match="arm-none-eabi-gcc is not installed") as error:
        build_image(project, target)
    assert "apt install gcc-arm-none-eabi libnewlib-arm-none-eabi" in error.value.hint


def test_a_missing_c_library_is_told_from_a_broken_build(tmp_path: Path) -> None:
    tools = replace(X86.toolchain, ldflags=("--specs=no-such.specs",), package="some-libc")
    target = replace(X86, toolchain=tools)
    project = render_project(write_tiny(tmp_path / "lib"), target, tmp_path / "fw", MODEL)
    with pytest.raises(ToolMissingError, match="its C library is not installed") as error:
        build_image(project, target)
    assert error.value.hint == "sudo apt install some-libc"


def test_versions_are_found_and_missing_tools_named() -> None:
    gcc, none = tool_versions(["gcc", "no-such-tool"])
    assert gcc.path is not None
    assert gcc.version is not None
    assert gcc.version[0].isdigit()
    assert (none.path, none.version, none.hint) == (None, None, "sudo apt install no-such-tool")


def test_unknown_runners_links_and_templates_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="unknown runner 'jtag'"):
        find_runner("jtag")
    with pytest.raises(TargetError, match="unknown link 'radio'"):
        open_link("radio", Endpoint())
    for name in ("base", "../qemu", ""):
        with pytest.raises(TargetError):
            find_runner(name)
    with pytest.raises(TargetError, match="no firmware template 'none'"):
        lib = write_tiny(tmp_path / "lib")
        render_project(lib, replace(X86, template="none"), tmp_path / "fw", MODEL)


def test_a_link_that_cannot_be_opened_is_an_infrastructure_error() -> None:
    with pytest.raises(InfrastructureError, match="cannot open serial link socket://"):
        open_link("serial", Endpoint(address="socket://127.0.0.1:9"))
    with pytest.raises(InfrastructureError, match="needs a runner that starts a process"):
        open_link("process", Endpoint())


def test_an_image_that_cannot_start_is_an_infrastructure_error(tmp_path: Path) -> None:
    with (
        pytest.raises(InfrastructureError, match="cannot start"),
        native.start(tmp_path / "none.elf", X86),
    ):
        pass


def test_a_native_link_over_a_serial_port_reads_what_a_pseudo_terminal_sends() -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("pseudo-terminals as on Linux")
    import os
    import tty

    ours, theirs = os.openpty()
    tty.setraw(theirs)
    link = open_link("serial", Endpoint(address=os.ttyname(theirs)))
    try:
        os.write(ours, b"\0hello\0")
        assert link.read(1.0)[:1] == b"\0"
        link.write(b"\xff\x11\x13\r\n")
        assert os.read(ours, 100) == b"\xff\x11\x13\r\n"
        assert link.read(0.01) in (b"", b"hello\0")
    finally:
        link.close()
        os.close(ours)
        os.close(theirs)
