from __future__ import annotations

from pathlib import Path

import pytest

from edgec.pipeline.errors import UsageError
from edgec.targets.bench import run_bench
from edgec.targets.device_protocol import Device
from edgec.targets.linkmap import ImageSize, Usage
from edgec.targets.toolchain import Image
from tests.fake_device import BUILD, SHA256, FakeDevice, FakeLink

HERE = Path()
SIZE = ImageSize(Usage(5000, 8), Usage(3000, 2000), arena_bytes=64, io_bytes=6000, pieces=())
IMAGE = Image(HERE, None, None, HERE, "cortex-m4", "fake", SHA256, BUILD, profile=False, size=SIZE)


def test_right_outputs_give_numbers() -> None:
    inputs = [[bytes([i]) * 2999 + b"\0"] for i in range(3)]
    wanted = [[sample[0][::-1]] for sample in inputs]
    device = Device(FakeLink(FakeDevice()), instruction_ns=128)
    result = run_bench(device, IMAGE, inputs, wanted)
    assert result.valid
    assert result.samples == (45, 45, 45)
    assert (result.median, result.minimum, result.maximum, result.mad) == (45, 45, 45, 0)
    assert (result.stack_bytes, result.ram_bytes) == (64, 64 + 6000 + 8 + 64)
    assert (result.flash_bytes, result.firmware_flash_bytes) == (5000, 3000)


def test_a_wrong_output_withholds_every_number() -> None:
    inputs = [[bytes(3000)], [bytes(2999) + b"\1"]]
    wanted = [[bytes(3000)], [bytes(3000)]]
    device = Device(FakeLink(FakeDevice()), instruction_ns=128)
    result = run_bench(device, IMAGE, inputs, wanted)
    assert not result.valid
    assert result.samples == ()
    assert result.why == "sample 1: output 0 differs from the reference at byte 0"


def test_samples_without_expected_outputs_are_refused() -> None:
    device = Device(FakeLink(FakeDevice()), instruction_ns=128)
    with pytest.raises(UsageError, match="1 samples with 0 expected"):
        run_bench(device, IMAGE, [[bytes(3000)]], [])
