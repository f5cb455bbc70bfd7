"""The portable firmware under sanitizers, both compilers, and hostile bytes."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import zlib
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from edgec.codegen.project import flags_cmake, flags_mk, render_project
from edgec.pipeline.errors import BuildError, InfrastructureError
from edgec.targets.device_messages import Kind
from edgec.targets.device_protocol import Device, Timeouts
from edgec.targets.frames import Decoder, Frame, encode
from edgec.targets.links.base import Endpoint
from edgec.targets.links.process import ProcessLink
from edgec.targets.profile import load_target
from edgec.targets.runners import native
from edgec.targets.toolchain import build_image
from tests.conftest import lack
from tests.fake_device import spoiled
from tests.tiny_model import MODEL, expected, write_tiny

X86 = load_target("x86")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("firmware")
    return render_project(write_tiny(folder / "lib"), X86, folder / "fw", MODEL)


@pytest.fixture(scope="module")
def sanitized(project: Path) -> Path:
    flags = "-fsanitize=address,undefined -fno-sanitize-recover=all -g"
    make(project, "BUILD=asan", "PROFILE=1", f"CFLAGS={flags}", f"LDFLAGS={flags}", "elf")
    return project / "asan" / "image.elf"


def make(project: Path, *options: str) -> str:
    arguments = [option for option in options if option != "elf"]
    # Variables of the environment are appended to, those of the command line would replace.
    settings = dict(a.split("=", 1) for a in arguments if a.startswith(("CFLAGS", "LDFLAGS")))
    plain = [a for a in arguments if a.split("=", 1)[0] not in settings]
    done = subprocess.run(
        ["make", "-C", str(project), "-j2", *plain],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", **settings},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("profile", (0, 1))
def test_the_firmware_compiles_without_a_warning_under_clang(project: Path, profile: int) -> None:
    if shutil.which("clang") is None:
        lack("host", "no clang: apt-get install clang")
    make(project, f"BUILD=clang{profile}", f"PROFILE={profile}", "CC=clang")


def converse(image: Path, wire: bytes) -> list[Frame]:
    """Open a session, send bytes, close, and return what was answered; it must end cleanly."""
    hello, *frames = greeted(image, encode(Frame(Kind.HELLO, 0)) + wire)
    assert hello.kind == Kind.HELLO | 0x80
    return frames


def greeted(image: Path, wire: bytes) -> list[Frame]:
    done = subprocess.run([str(image)], input=wire, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    boot, *frames = Decoder().feed(done.stdout)
    assert boot == Frame(Kind.BOOT, 0, b"\x02")
    return frames


def answer(image: Path, kind: int, payload: bytes) -> Frame:
    frames = converse(image, encode(Frame(kind, 9, payload)))
    return next(f for f in frames if f.kind != Kind.PROGRESS)


@pytest.mark.parametrize(
    ("kind", "payload", "error"),
    [
        (0x40, b"", 1),
        (Kind.WRITE, b"\0\0\0", 2),
        (Kind.WRITE, struct.pack("<BI", 9, 0) + b"x", 3),
        (Kind.WRITE, struct.pack("<BI", 2, 0) + b"an output", 3),
        (Kind.WRITE, struct.pack("<BI", 0, 1999) + b"xx", 3),
        (Kind.WRITE, struct.pack("<BI", 0, 2**32 - 1) + b"xx", 3),
        (Kind.READ, struct.pack("<BI", 0, 0), 2),
        (Kind.READ, struct.pack("<BIH", 2, 0, 1025), 3),
        (Kind.READ, struct.pack("<BIH", 2, 1990, 11), 3),
        (Kind.READ, struct.pack("<BIH", 2, 2**32 - 4, 8), 3),
        (Kind.RUN, b"", 2),
        (Kind.RUN, struct.pack("<HHB", 121, 0, 0), 3),
        (Kind.CLOCK, b"\0", 2),
        (Kind.CLOCK, struct.pack("<H", 5001), 3),
        (Kind.LAYERS, b"", 2),
        (Kind.LAYER_READ, struct.pack("<HHIH", 5, 0, 0, 10), 6),
        (Kind.LAYER_READ, struct.pack("<HHIH", 0, 0, 1995, 10), 6),
        (Kind.LAYER_READ, struct.pack("<HHIH", 0, 0, 2**32 - 1, 10), 6),
        (Kind.LAYER_READ, struct.pack("<HHIH", 0, 0, 0, 2000), 3),
    ],
)
def test_a_request_out_of_bounds_is_refused(
    sanitized: Path, kind: int, payload: bytes, error: int
) -> None:
    reply = answer(sanitized, kind, payload)
    assert (reply.kind, reply.payload) == (Kind.ERROR, bytes([error, kind]))


def test_the_largest_frames_pass(sanitized: Path) -> None:
    data = bytes(range(256)) * 4
    reply = answer(sanitized, Kind.WRITE, struct.pack("<BI", 0, 0) + data[:1019])
    assert (reply.kind, reply.seq) == (Kind.WRITE | 0x80, 9)
    wire = encode(Frame(Kind.WRITE, 1, struct.pack("<BI", 0, 0) + data[:1019]))
    wire += encode(Frame(Kind.RUN, 2, struct.pack("<HHB", 120, 0, 1)))
    wire += encode(Frame(Kind.READ, 3, struct.pack("<BIH", 0, 0, 1024)))
    frames = [f for f in converse(sanitized, wire) if f.kind != Kind.PROGRESS]
    assert [f.kind for f in frames] == [0x82, 0x84, 0x83]
    assert len(frames[1].payload) == 10 + 8 * 120 + 4 * 3
    assert frames[2].payload[:1019] == data[:1019]


def test_a_repeated_request_is_answered_again_but_not_done_again(sanitized: Path) -> None:
    run = encode(Frame(Kind.RUN, 7, struct.pack("<HHB", 2, 0, 0)))
    frames = converse(sanitized, run + run)
    assert [f.kind for f in frames].count(Kind.PROGRESS) == 3
    first, second = (f for f in frames if f.kind != Kind.PROGRESS)
    assert first == second


@pytest.mark.parametrize("seed", range(20))
def test_no_bytes_can_break_the_firmware(sanitized: Path, seed: int) -> None:
    rng = random.Random(seed)
    wire = b""
    for number in range(60):
        payload = rng.randbytes(rng.choice((0, 2, 5, 7, 10, 11, 1024)))
        body = bytes([rng.choice((*range(1, 10), rng.randrange(256))), number + 1]) + payload
        if rng.random() < 0.6 and body[0] != Kind.RUN:
            wire += encode(Frame(body[0], body[1], payload))
        else:
            wire += rng.randbytes(rng.randrange(3000)) + b"\0"
    wire += b"\0" + encode(Frame(Kind.HELLO, 1, rng.randbytes(4)))
    assert converse(sanitized, wire)[-1].kind == Kind.HELLO | 0x80


def test_checksum_and_stuffing_agree_with_the_host_on_every_length(sanitized: Path) -> None:
    wire, wanted = b"", []
    for turn, size in enumerate((0, 1, 252, 253, 254, 255, 256, 507, 508, 509, 1019), start=1):
        data = bytes((i * 7 + size) % 5 * 60 for i in range(size))
        wire += encode(Frame(Kind.WRITE, 2 * turn, struct.pack("<BI", 0, 0) + data))
        wire += encode(Frame(Kind.READ, 2 * turn + 1, struct.pack("<BIH", 0, 0, size)))
        wanted.append(data)
    frames = converse(sanitized, wire)
    assert [f.payload for f in frames if f.kind == Kind.READ | 0x80] == wanted


def test_stats_count_what_was_damaged(sanitized: Path) -> None:
    damaged = bytearray(encode(Frame(Kind.HELLO, 1)))
    damaged[3] ^= 4
    wire = bytes(damaged) + b"\1" * 3000 + b"\0" + encode(Frame(Kind.STATS, 2))
    bad, overflows, _, _, stale, _ = struct.unpack("<6I", converse(sanitized, wire)[-1].payload)
    assert (bad, overflows, stale) == (1, 1, 0)


def test_a_request_before_hello_is_refused(sanitized: Path) -> None:
    run = encode(Frame(Kind.RUN, 3, struct.pack("<HHB", 1, 0, 0)))
    first, second, hello, *ran = greeted(sanitized, run + run + encode(Frame(Kind.HELLO, 2)) + run)
    assert first == second == Frame(Kind.ERROR, 3, bytes([8, Kind.RUN]))
    assert hello.kind == Kind.HELLO | 0x80
    assert ran[-1].kind == Kind.RUN | 0x80


def test_a_frame_that_comes_after_its_turn_is_dropped(sanitized: Path) -> None:
    first = encode(Frame(Kind.WRITE, 1, struct.pack("<BI", 0, 0) + b"old"))
    second = encode(Frame(Kind.WRITE, 2, struct.pack("<BI", 0, 0) + b"new"))
    read = encode(Frame(Kind.READ, 3, struct.pack("<BIH", 0, 0, 3)))
    stats = encode(Frame(Kind.STATS, 4))
    frames = converse(sanitized, first + second + first + read + stats)
    assert [f.seq for f in frames] == [1, 2, 3, 4]
    assert frames[2].payload == b"new"
    assert struct.unpack("<6I", frames[3].payload)[4] == 1


def test_an_old_hello_does_not_open_a_session_anew(sanitized: Path) -> None:
    hello = encode(Frame(Kind.HELLO, 1, b"once"))
    stats = [encode(Frame(Kind.STATS, seq)) for seq in (2, 3)]
    frames = converse(sanitized, hello + stats[0] + hello + stats[0] + stats[1])
    assert [f.seq for f in frames] == [1, 2, 2, 3]
    assert struct.unpack("<6I", frames[-1].payload)[4] == 1


def test_a_run_says_by_crc_what_was_computed_from_what(sanitized: Path) -> None:
    a, b = bytes(range(200)) * 10, b"\1\0\0\x07"
    wire = encode(Frame(Kind.WRITE, 1, struct.pack("<BI", 0, 0) + a[:1000]))
    wire += encode(Frame(Kind.WRITE, 2, struct.pack("<BI", 0, 1000) + a[1000:]))
    wire += encode(Frame(Kind.WRITE, 3, struct.pack("<BI", 1, 0) + b))
    wire += encode(Frame(Kind.RUN, 4, struct.pack("<HHB", 0, 1, 0)))
    out = expected(np.frombuffer(a, np.int8), np.frombuffer(b, np.int8))[1].tobytes()
    crcs = struct.unpack("<3I", converse(sanitized, wire)[-1].payload[10:])
    assert crcs == (zlib.crc32(a), zlib.crc32(b), zlib.crc32(out))


def test_the_firmware_lets_as_much_time_pass_as_it_is_asked_to(sanitized: Path) -> None:
    (passed,) = struct.unpack("<Q", answer(sanitized, Kind.CLOCK, struct.pack("<H", 30)).payload)
    assert 30_000_000 <= passed < 3_000_000_000


def test_stack_painting_sees_what_a_function_uses(tmp_path: Path) -> None:
    lib = write_tiny(tmp_path / "lib")
    source = (lib / "edgec_spin.c").read_text()
    deep = source.replace(
        "#else\n", "#else\n    volatile uint8_t deep[5000];\n    deep[0] = 1;\n    (void)deep;\n"
    )
    (lib / "edgec_spin.c").write_text(deep)
    project = render_project(lib, X86, tmp_path / "fw", MODEL)
    with native.start(build_image(project, X86).elf, X86) as endpoint:
        used = device_at(endpoint).measure_stack()
    assert 5000 <= used < 5600


def device_at(endpoint: Endpoint) -> Device:
    assert endpoint.process is not None
    return Device(ProcessLink(endpoint.process), timeouts=Timeouts(reply_s=2, inference_s=20))


class NoisyLink(ProcessLink):
    """A link to a real device that damages a fifth of what passes, each way."""

    noise: ClassVar[random.Random] = random.Random(5)

    def read(self, timeout_s: float) -> bytes:
        return spoiled(super().read(timeout_s), self.noise, 0.2)

    def write(self, data: bytes) -> None:
        super().write(spoiled(data, self.noise, 0.2))


def test_transfers_survive_a_noisy_line(sanitized: Path) -> None:
    with native.start(sanitized, X86) as endpoint:
        assert endpoint.process is not None
        link = NoisyLink(endpoint.process)
        device = Device(link, timeouts=Timeouts(reply_s=0.1, inference_s=0.3))
        good = 0
        for round_ in range(12):
            data = bytes((i * 31 + round_) % 256 for i in range(2000))
            try:
                device.write_input(0, data)
                device.run(2)
                output = device.read_output(0)
            except InfrastructureError as error:
                assert "did not answer" in error.message
                continue
            wanted = expected(np.frombuffer(data, np.int8), np.zeros(4, np.int8))[1]
            assert output == wanted.tobytes()
            good += 1
    assert good > 3
    assert device.retries > 5


def test_a_device_that_dies_is_an_error_at_once(project: Path) -> None:
    image = build_image(project, X86)
    with native.start(image.elf, X86) as endpoint:
        device = device_at(endpoint)
        device.hello()
        assert endpoint.process is not None
        endpoint.process.kill()
        endpoint.process.wait()
        with pytest.raises(InfrastructureError, match="the device process ended"):
            device.hello()


def test_leaving_the_context_ends_the_process(project: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        native.start(build_image(project, X86).elf, X86) as endpoint,
    ):
        process = endpoint.process
        raise KeyboardInterrupt
    assert process is not None
    assert process.poll() is not None


def test_rendering_and_building_twice_in_two_folders_gives_the_same_bytes(tmp_path: Path) -> None:
    images = []
    for folder in (tmp_path / "one", tmp_path / "another place" / "here"):
        project = render_project(write_tiny(folder / "lib"), X86, folder / "fw", MODEL)
        images.append(build_image(project, X86).elf.read_bytes())
    assert zlib.crc32(images[0]) == zlib.crc32(images[1])
    assert images[0] == images[1]


def test_a_marked_kernel_is_compiled_for_speed_and_the_rest_for_size(project: Path) -> None:
    said = make(project, "BUILD=flags")
    lines = {line.split()[-1]: line for line in said.splitlines() if " -c " in line}
    assert " -O2 " in lines["src/edgec_spin.c"]
    assert " -Os " in lines["src/tiny.c"]


def test_recurrent_state_lasts_until_it_is_reset(tmp_path: Path) -> None:
    lib = write_tiny(tmp_path / "lib")
    header, source = (lib / "tiny.h").read_text(), (lib / "tiny.c").read_text()
    declared = "#define TINY_HAS_STATE 1\nvoid tiny_reset(void *arena);\n#endif\n"
    (lib / "tiny.h").write_text(header.removesuffix("#endif\n") + declared)
    (lib / "tiny.c").write_text(
        source.replace("output_0[0] = input_1[3];", "output_0[0] = ++mid[2000];")
        + "\nvoid tiny_reset(void *arena)\n{\n    ((int8_t *)arena)[2000] = 40;\n}\n"
    )
    (lib / "tiny.h").write_text((lib / "tiny.h").read_text().replace("BYTES 2000", "BYTES 2001"))
    model = replace(MODEL, arena_bytes=2001, has_state=True)
    image = build_image(render_project(lib, X86, tmp_path / "fw", model), X86)
    with native.start(image.elf, X86) as endpoint:
        device = device_at(endpoint)
        device.reset()
        outputs = []
        for reset in (False, False, True, True, False):
            device.run(1, reset=reset)
            outputs.append(device.read_output(0)[0])
    assert outputs == [41, 42, 41, 41, 42]


def test_rendering_again_leaves_nothing_of_the_last_time(tmp_path: Path) -> None:
    lib = write_tiny(tmp_path / "lib")
    (lib / "edgec_old.c").write_text("int old = 1;\n")
    project = render_project(lib, X86, tmp_path / "fw", MODEL)
    build_image(project, X86)
    (lib / "edgec_old.c").unlink()
    slow = replace(X86, toolchain=replace(X86.toolchain, hot=("-O1",)))
    render_project(lib, slow, tmp_path / "fw", MODEL)
    assert not (project / "src" / "edgec_old.c").exists()
    image = build_image(project, slow)
    fresh = build_image(render_project(lib, slow, tmp_path / "new", MODEL), slow)
    assert image.elf.read_bytes() == fresh.elf.read_bytes()


def test_a_compiler_error_reaches_the_user(tmp_path: Path) -> None:
    lib = write_tiny(tmp_path / "lib")
    (lib / "tiny_weights.c").write_text("int broken = ;\n")
    project = render_project(lib, X86, tmp_path / "fw", MODEL)
    with pytest.raises(BuildError, match=r"tiny_weights\.c:1"):
        build_image(project, X86)


def test_flag_files_carry_the_same_flags() -> None:
    target = load_target("cortex-m4")
    assert "EDGEC_HOT := -O2\n" in flags_mk(target)
    assert 'set(EDGEC_HOT "-O2")\n' in flags_cmake(target)
    for flag in target.toolchain.cflags:
        assert flag in flags_mk(target)
        assert flag in flags_cmake(target)
