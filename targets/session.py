"""The one call that verification and measurement use to reach a device, whatever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Protocol, TypeVar

from edgec.pipeline.errors import DeviceError, InfrastructureError
from edgec.targets.device_protocol import Device, Timeouts
from edgec.targets.flash_failures import failed
from edgec.targets.links.base import Endpoint, Link, open_link
from edgec.targets.profile import Target
from edgec.targets.runners.base import find_runner, find_script_runner
from edgec.targets.toolchain import Image

PYTHON_TIMEOUTS = Timeouts(reply_s=20.0)
"""A small computer takes its time to import what a model needs."""
EMULATED_INFERENCE_S = 1800.0
"""An emulator takes minutes for one inference of a large network."""

Answering = TypeVar("Answering")


class Identified(Protocol):
    """What an image and the firmware on a device can be compared by."""

    @property
    def model_sha256(self) -> str:
        """Of the model file."""

    @property
    def build(self) -> str:
        """Of all that the image was compiled from."""

    @property
    def profile(self) -> bool:
        """Whether it times each layer."""


@contextmanager
def open_device(image: Image, target: Target, timeouts: Timeouts | None = None) -> Iterator[Device]:
    """Put the image on the target's device, open the link, check that this image answers.

    Leaving the context stops the device. Raises ToolMissingError, InfrastructureError or
    DeviceError.
    """
    waits = timeouts or (Timeouts() if image.script is None else PYTHON_TIMEOUTS)
    with (
        _started(image, target) as endpoint,
        connected(image, target.link, endpoint, waits) as device,
    ):
        yield device


@contextmanager
def connected(
    image: Identified, link_kind: str, endpoint: Endpoint, timeouts: Timeouts | None = None
) -> Iterator[Device]:
    """Open the link to where a runner left the device, and check that this image answers.

    A board that does not is reset once, if its probe can.
    """
    waits = timeouts or Timeouts()

    def greet(link: Link) -> Device:
        device = _device(link, endpoint, waits)
        device.expect(image.model_sha256, image.profile, image.build)
        return device

    with answering(link_kind, endpoint, greet) as device:
        yield device


@contextmanager
def answering(
    link_kind: str, endpoint: Endpoint, greet: Callable[[Link], Answering]
) -> Iterator[Answering]:
    """Open the link to where a runner left the device and yield what `greet` makes of it.

    Where that raises DeviceError or InfrastructureError, the board is reset once, if its probe can.
    """
    link = open_link(link_kind, endpoint)
    try:
        try:
            device = greet(link)
        except (DeviceError, InfrastructureError):
            if endpoint.reset is None:
                raise
            # A console that is the chip's own goes away with a reset.
            link.close()
            endpoint.reset()
            link = open_link(link_kind, endpoint)
            try:
                device = greet(link)
            except (DeviceError, InfrastructureError) as error:
                raise failed("not-running", endpoint.name, said=error.message) from error
        yield device
    finally:
        link.close()


def _device(link: Link, endpoint: Endpoint, timeouts: Timeouts) -> Device:
    if endpoint.emulator:
        longest = max(timeouts.inference_s, EMULATED_INFERENCE_S)
        timeouts = replace(timeouts, inference_s=longest)
    return Device(
        link,
        endpoint.instruction_ns,
        timeouts,
        emulator=endpoint.emulator,
        observe=endpoint.observe,
        timer_hz=endpoint.timer_hz,
    )


def takes_images(target: Target) -> bool:
    """Return whether an image can be put on a target's device: over a mere port it cannot."""
    return target.runner != "port"


def _started(image: Image, target: Target) -> AbstractContextManager[Endpoint]:
    if image.script is not None:
        return find_script_runner(target).start_script(image.script, target)
    return find_runner(target.runner).start(image.elf, target)
