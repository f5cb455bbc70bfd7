"""The one call that verification and measurement use to reach a device, whatever it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from edgec.pipeline.errors import DeviceError, InfrastructureError
from edgec.targets.device_protocol import Device, Timeouts
from edgec.targets.flash_failures import failed
from edgec.targets.links.base import Endpoint, open_link
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
            _expect(device, image, endpoint)
            yield device
        finally:
            link.close()


def _expect(device: Device, image: Image, endpoint: Endpoint) -> None:
    """Check that the image answers; a board that does not is reset once, if its probe can."""
    try:
        device.expect(image.model_sha256, image.profile)
        return
    except (DeviceError, InfrastructureError):
        if endpoint.reset is None:
            raise
    endpoint.reset()
    try:
        device.expect(image.model_sha256, image.profile)
    except (DeviceError, InfrastructureError) as error:
        raise failed("not-running", endpoint.name, said=error.message) from error
