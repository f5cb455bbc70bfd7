from __future__ import annotations

import time

import pytest

from edgec.pipeline.errors import DeviceError, InfrastructureError, MeasurementError, UsageError
from edgec.targets.device_messages import Kind
from edgec.targets.device_protocol import Device, DeviceResetError, Timeouts
from edgec.targets.frames import Decoder, Frame, encode
from tests.fake_device import BUILD, SHA256, FakeDevice, FakeLink

QUICK = Timeouts(reply_s=0.002, inference_s=0.05)


def device_on(link: FakeLink) -> Device:
    return Device(link, instruction_ns=128, timeouts=QUICK)


def test_inputs_reach_the_device_and_outputs_come_back() -> None:
    fake = FakeDevice()
    device = device_on(FakeLink(fake))
    data = bytes(i % 251 for i in range(3000))
    device.write_input(0, data)
    assert device.run(2, warmup=1).counts == (45, 45)
    assert device.read_output(0) == data[::-1]
    assert fake.runs == 3


def test_more_runs_than_a_frame_holds_are_split() -> None:
    fake = FakeDevice()
    assert len(device_on(FakeLink(fake)).run(300, warmup=2).counts) == 300
    assert fake.runs == 302


@pytest.mark.parametrize("seed", range(8))
def test_damaged_frames_cost_retries_and_nothing_else(seed: int) -> None:
    fake = FakeDevice()
    device = device_on(FakeLink(fake, damage=0.2, seed=seed))
    data = bytes((i * seed) % 256 for i in range(3000))
    for _ in range(3):
        try:
            device.write_input(0, data)
            device.run(1)
            output = device.read_output(0)
        except InfrastructureError as error:
            # Six damaged frames in a row do happen; then it says so instead of answering wrongly.
            assert "did not answer" in error.message
        else:
            assert output == data[::-1]
    assert device.retries > 0


def test_a_repeated_request_does_not_run_the_model_again() -> None:
    fake = FakeDevice()
    link = FakeLink(fake)
    device = device_on(link)
    device.hello()
    lost = iter([True, False, False, False])
    whole = link.read
    link.read = lambda timeout_s: (
        b"" if next(lost, False) and whole(timeout_s) else whole(timeout_s)
    )  # type: ignore[method-assign]
    device.run(1)
    assert device.retries == 1
    assert fake.runs == 1


def test_a_silent_device_is_an_error_after_three_tries() -> None:
    link = FakeLink(FakeDevice())
    link.silent = True
    with pytest.raises(InfrastructureError, match="did not answer HELLO after 3 tries"):
        device_on(link).hello()


def test_other_firmware_is_refused() -> None:
    device = device_on(FakeLink(FakeDevice()))
    assert device.expect(SHA256, False, BUILD).model == "fake"
    with pytest.raises(DeviceError, match="wrong firmware on board"):
        device.expect("cd" * 32, False, BUILD)
    with pytest.raises(DeviceError, match="wrong firmware on board"):
        device.expect(SHA256, True, BUILD)


def test_a_refusal_says_what_was_refused() -> None:
    with pytest.raises(InfrastructureError, match="refused RESET: no such request"):
        device_on(FakeLink(FakeDevice())).reset()


def test_an_input_of_another_size_is_refused() -> None:
    with pytest.raises(UsageError, match="got 5 bytes, 3000 wanted"):
        device_on(FakeLink(FakeDevice())).write_input(0, b"12345")
    with pytest.raises(UsageError, match="no such input"):
        device_on(FakeLink(FakeDevice())).write_input(1, b"")


def test_a_timer_that_stands_still_is_no_measurement() -> None:
    with pytest.raises(MeasurementError, match="took no time"):
        device_on(FakeLink(FakeDevice(ticks=0))).run(1)


def test_nanoseconds_are_not_converted() -> None:
    result = device_on(FakeLink(FakeDevice(timer=2))).run(1)
    assert (result.unit, result.counts) == ("ns", (144,))


def test_a_fault_in_the_firmware_ends_the_wait() -> None:
    link = FakeLink(FakeDevice())
    link._arrived = encode(Frame(0xF0, 0, b"hard fault: bad memory access"))
    with pytest.raises(InfrastructureError, match="the device stopped: hard fault"):
        device_on(link).hello()


def test_a_reset_device_is_named_at_once() -> None:
    fake = FakeDevice()
    link = FakeLink(fake)
    device = device_on(link)
    device.hello()
    fake.restart()
    with pytest.raises(DeviceResetError, match="the device was reset before or during RUN"):
        device.run(1)
    assert device.retries == 0


def test_a_start_message_ends_the_wait_for_an_inference() -> None:
    fake = FakeDevice()
    link = FakeLink(fake)
    device = Device(link, timeouts=Timeouts(reply_s=0.5, inference_s=300))
    device.hello()
    whole = link.write

    def reset_in_the_middle(data: bytes) -> None:
        link.write = whole  # type: ignore[method-assign]
        link._arrived += encode(Frame(Kind.PROGRESS, data_seq(data), bytes(4)))
        link._arrived += fake.restart()

    link.write = reset_in_the_middle  # type: ignore[method-assign]
    with pytest.raises(DeviceResetError):
        device.run(1)


def test_an_old_start_message_is_no_reset() -> None:
    fake = FakeDevice()
    link = FakeLink(fake)
    device = device_on(link)
    device.hello()
    link._arrived += encode(Frame(Kind.BOOT, 0, b"\2"))
    assert device.run(2).counts == (45, 45)
    assert fake.runs == 2


def test_repeated_progress_does_not_buy_time() -> None:
    fake = FakeDevice()
    link = FakeLink(fake)
    device = device_on(link)
    device.hello()
    link.write = lambda data: None  # type: ignore[method-assign]
    link.read = lambda timeout_s: encode(Frame(Kind.PROGRESS, 2, bytes(4)))  # type: ignore
    start = time.monotonic()
    with pytest.raises(InfrastructureError, match="did not answer RUN"):
        device.run(1)
    assert time.monotonic() - start < 1


def test_a_run_on_other_inputs_is_refused() -> None:
    fake = FakeDevice()
    device = device_on(FakeLink(fake))
    device.write_input(0, bytes(3000))
    fake.input[7] = 1
    with pytest.raises(InfrastructureError, match="ran on another input 0 than was sent"):
        device.run(1)


def test_an_output_that_the_run_did_not_leave_is_refused() -> None:
    fake = FakeDevice()
    device = device_on(FakeLink(fake))
    device.write_input(0, bytes(3000))
    device.run(1)
    fake.output = b"\1" * 3000
    with pytest.raises(InfrastructureError, match="output 0 is not what the run left there"):
        device.read_output(0)


def data_seq(wire: bytes) -> int:
    return Decoder().feed(wire)[0].seq
