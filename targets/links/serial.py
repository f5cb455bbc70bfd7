"""The serial link: a port, a pseudo-terminal or a socket, whatever pyserial can open."""

from __future__ import annotations

import serial

from edgec.pipeline.errors import InfrastructureError
from edgec.targets.links.base import Endpoint, Link

BAUD = 115200


class SerialLink:
    """A pyserial port."""

    def __init__(self, address: str) -> None:
        try:
            self._port = serial.serial_for_url(address, baudrate=BAUD, timeout=0)
        except (serial.SerialException, OSError) as error:
            raise InfrastructureError(f"cannot open serial link {address}: {error}") from error
        self._address = address

    def read(self, timeout_s: float) -> bytes:
        """Return whatever has arrived within the timeout."""
        try:
            self._port.timeout = timeout_s
            first: bytes = self._port.read(1)
            if not first:
                return b""
            self._port.timeout = 0
            rest: bytes = self._port.read(4096)
        except (serial.SerialException, OSError) as error:
            raise InfrastructureError(f"serial link {self._address} broke: {error}") from error
        return first + rest

    def write(self, data: bytes) -> None:
        """Send all of `data`."""
        try:
            self._port.write(data)
        except (serial.SerialException, OSError) as error:
            raise InfrastructureError(f"serial link {self._address} broke: {error}") from error

    def close(self) -> None:
        """Close the port."""
        self._port.close()


def connect(endpoint: Endpoint) -> Link:
    """Open the port the runner named."""
    return SerialLink(endpoint.address)
