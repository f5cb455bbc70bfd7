"""The program that runs a model file on a device: its half of the protocol, and where it runs."""

from __future__ import annotations

import ast
import struct
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from edgec.pipeline.errors import InfrastructureError
from edgec.targets.agent.server import Server
from edgec.targets.archive import HERE, PARTS, pack_agent
from edgec.targets.device_protocol import Device
from edgec.targets.frames import Decoder, Frame, Kind, encode


class Doubler:
    """A model that adds each byte to itself; it may fail, and may tell its layers."""

    input_bytes = [3000]
    output_bytes = [3000]
    has_state = False

    def __init__(self, fails: bool = False, profile: bool = False) -> None:
        self.fails = fails
        self.profile = profile
        self.value = b""

    def load(self, inputs: list[bytearray]) -> None:
        self.value = bytes(inputs[0])

    def run(self) -> None:
        if self.fails:
            raise ValueError("out of luck")

    def outputs(self) -> list[bytes]:
        return [bytes(2 * byte & 255 for byte in self.value)]

    def reset(self) -> None:
        self.value = b""

    def layers(self) -> list[object]:
        return [type("L", (), {"name": f"op {i}", "bytes": i, "ns": 10 * i}) for i in range(120)]


class AgentLink:
    """A link to an agent in this process."""

    def __init__(self, model: Doubler, file: Path) -> None:
        self.sent = b""
        self.server = Server(model, file, ("double", "here", "b"), self._take)  # type: ignore[arg-type]

    def _take(self, data: bytes) -> None:
        self.sent += data

    def read(self, timeout_s: float) -> bytes:
        data, self.sent = self.sent, b""
        return data

    def write(self, data: bytes) -> None:
        self.server.feed(data)

    def close(self) -> None: ...


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    path.write_bytes(b"the model")
    return path


def test_it_answers_as_firmware_does(file: Path) -> None:
    device = Device(AgentLink(Doubler(), file))
    hello = device.hello()
    assert (hello.model, hello.target, hello.build) == ("double", "here", "b")
    assert hello.unit == "ns"
    data = bytes(range(250)) * 12
    device.write_input(0, data)
    assert len(device.run(130, warmup=2).counts) == 130
    assert device.read_output(0) == bytes(2 * byte & 255 for byte in data)
    assert device.stats().peak_kib > 1000


def test_layers_come_with_their_names(file: Path) -> None:
    device = Device(AgentLink(Doubler(profile=True), file))
    device.hello()
    rows = device.layers()
    assert [row.count for row in rows] == [10 * i for i in range(120)]
    assert device.layer_names() == [f"op {i}" for i in range(120)]


@pytest.mark.parametrize(
    ("kind", "payload", "code"),
    [
        (Kind.WRITE, struct.pack("<BI", 0, 2999) + b"ab", 3),
        (Kind.WRITE, struct.pack("<BI", 1, 0) + b"a", 3),
        (Kind.WRITE, b"\0", 2),
        (Kind.READ, struct.pack("<BIH", 1, 2999, 2), 3),
        (Kind.RUN, struct.pack("<HHB", 1000, 0, 0), 3),
        (Kind.RUN, b"", 2),
        (Kind.LAYERS, struct.pack("<H", 0), 5),
        (0x55, b"", 1),
    ],
)
def test_what_it_cannot_do_is_refused(file: Path, kind: int, payload: bytes, code: int) -> None:
    link = AgentLink(Doubler(), file)
    link.write(encode(Frame(kind, 1, payload)))
    link.write(encode(Frame(Kind.HELLO, 2, b"nonce")))
    link.write(encode(Frame(kind, 3, payload)))
    early, _, refused = Decoder().feed(link.read(0))
    assert (early.kind, early.payload[0]) == (Kind.ERROR, 8)
    assert (refused.kind, refused.seq, refused.payload[0]) == (Kind.ERROR, 3, code)


def test_a_model_that_fails_is_an_error(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    device = Device(AgentLink(Doubler(fails=True), file))
    with pytest.raises(InfrastructureError, match="the model returned an error"):
        device.run()
    assert "out of luck" in capsys.readouterr().err


def test_a_repeated_request_is_not_run_again(file: Path) -> None:
    link = AgentLink(Doubler(), file)
    link.write(encode(Frame(Kind.HELLO, 1)))
    run = encode(Frame(Kind.RUN, 2, struct.pack("<HHB", 3, 0, 0)))
    link.write(run + run)
    frames = Decoder().feed(link.read(0))
    assert [f.kind for f in frames].count(Kind.PROGRESS) == 4
    assert frames[-1] == frames[-2]
    crcs = struct.unpack("<2I", frames[-1].payload[-8:])
    assert crcs == (zlib.crc32(bytes(3000)),) * 2


def test_the_archive_is_whole_and_always_the_same(tmp_path: Path) -> None:
    first, second = pack_agent(tmp_path / "a"), pack_agent(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    names = set(zipfile.ZipFile(first).namelist())
    assert {f"edgec/targets/{part}" for part in PARTS} <= names


@pytest.mark.parametrize("part", [*PARTS, "agent/__main__.py"])
def test_every_part_is_for_old_pythons_and_stands_alone(part: str) -> None:
    """A Raspberry Pi may have Python 3.9, and has neither edgec nor what it needs."""
    tree = ast.parse((HERE / part).read_text(encoding="utf-8"), feature_version=(3, 9))
    allowed = {*sys.stdlib_module_names, "numpy", "onnxruntime", "ai_edge_litert", "tflite_runtime"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("edgec."):
            path = f"{str(node.module).removeprefix('edgec.targets.').replace('.', '/')}.py"
            assert path in PARTS
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
            assert {str(name).partition(".")[0] for name in names} <= allowed
        if isinstance(node, ast.keyword):
            assert node.arg not in ("slots", "kw_only", "strict")
