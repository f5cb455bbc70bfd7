"""The one call that verification and measurement use to reach a device, whatever it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from edgec.targets.device_protocol import Device, Timeouts
from edgec.targets.links.base import open_link
from edgec.targets.profile import Target
from edgec.targets.runners.base import find_runner
from edgec.targets.toolchain import Image


@contextmanager
def open_device(image: Image, target: Target, timeouts: Timeouts | None = None) -> Iterator[Device]:
    """Put the image on the target's device, open the link, check that this image answers.

    Leaving the context stops the device. Raises ToolMissingError, InfrastructureError or
    DeviceError.
    """
    runner = find_runner(target.runner)
    with runner.start(image.elf, target) as endpoint:
        link = open_link(target.link, endpoint)
        try:
            device = Device(
                link,
                endpoint.instruction_ns,
                timeouts or Timeouts(),
                emulator=endpoint.emulator,
                observe=endpoint.observe,
                timer_hz=endpoint.timer_hz,
            )
            device.expect(image.model_sha256, image.profile)
            yield device
        finally:
            link.close()
