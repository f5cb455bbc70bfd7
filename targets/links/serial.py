"""The serial link: a port, a pseudo-terminal or a socket, whatever pyserial can open."""

from __future__ import annotations

import errno

import serial

from edgec.pipeline.errors import EdgecError, InfrastructureError
from edgec.targets.flash_failures import failed
from edgec.targets.links.base import BAUD, Endpoint, Link


class SerialLink:
    """A pyserial port, ours alone while it is open."""

    def __init__(self, address: str, baud: int = BAUD) -> None:
        try:
            self._port = serial.serial_for_url(address, baudrate=baud, timeout=0, do_not_open=True)
            # An Arduino or ESP32 resets, or stays in its boot loader, when these lines move.
            self._port.dtr = False
            self._port.rts = False
            if "://" not in address:
                self._port.exclusive = True
            self._port.open()
        except (serial.SerialException, OSError, ValueError) as error:
            raise _refused(address, error) from error
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
    return SerialLink(endpoint.address, endpoint.baud)


def _refused(address: str, error: Exception) -> EdgecError:
    """Return the named failure of a port that cannot be opened."""
    number = getattr(error, "errno", None)
    names = {
        errno.ENOENT: "port-not-found",
        errno.ENODEV: "port-not-found",
        errno.ENXIO: "port-not-found",
        errno.EACCES: "port-permission",
        errno.EPERM: "port-permission",
        errno.EBUSY: "port-busy",
        # What pyserial leaves of a lock that another process has.
        errno.EAGAIN: "port-busy",
    }
    if number in names and "://" not in address:
        return failed(names[number], address)
    return InfrastructureError(f"cannot open serial link {address}: {error}")
