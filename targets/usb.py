"""What is plugged in: USB devices from sysfs, and serial ports by the names that last."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SYSFS = Path("/sys/bus/usb/devices")
BY_ID = Path("/dev/serial/by-id")

PROBES = {
    "0483": {"3748", "374a", "374b", "374e", "374f", "3752", "3753", "3754", "3755", "3757"},
    "0d28": {"0204"},
    "1366": None,
    "2e8a": {"000c"},
    "303a": {"1001"},
    "04b4": {"f155"},
}
"""VID:PID of debug probes; None stands for every product of a vendor."""

BOOTLOADERS = {"0483:df11": "STM32 in its boot loader", "2e8a:0003": "RP2040 in its boot loader"}
BOOTLOADERS["2e8a:000f"] = "RP2350 in its boot loader"


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """One USB device; `location` is the chain of ports to it, as 1-4.2. Serials may be empty."""

    vid: str
    pid: str
    serial: str
    location: str
    product: str = ""

    @property
    def usb_id(self) -> str:
        """VID:PID in lower-case hex."""
        return f"{self.vid}:{self.pid}"

    @property
    def is_probe(self) -> bool:
        """Whether this is a debug probe."""
        products = PROBES.get(self.vid, set())
        return products is None or self.pid in products


@dataclass(frozen=True, slots=True)
class SerialPort:
    """One serial port; `path` is its lasting name where there is one. All but that may be empty."""

    path: str
    device: str
    vid: str = ""
    pid: str = ""
    serial: str = ""
    location: str = ""
    product: str = ""

    @property
    def usb_id(self) -> str:
        """VID:PID in lower-case hex, empty for a port that is not on USB."""
        return f"{self.vid}:{self.pid}" if self.vid else ""


def usb_is_listed() -> bool:
    """Return whether this system says what is on USB; where it does not, the user must know."""
    return SYSFS.is_dir()


def usb_devices() -> list[UsbDevice]:
    """Return every USB device but hubs, by location; nothing where there is no sysfs."""
    found = []
    for folder in sorted(SYSFS.glob("*")) if SYSFS.is_dir() else []:
        if ":" in folder.name or not (folder / "idVendor").exists():
            continue
        if _fact(folder, "bDeviceClass") == "09":
            continue
        found.append(
            UsbDevice(
                vid=_fact(folder, "idVendor").lower(),
                pid=_fact(folder, "idProduct").lower(),
                serial=_fact(folder, "serial"),
                location=folder.name,
                product=_fact(folder, "product"),
            )
        )
    return found


def serial_ports() -> list[SerialPort]:
    """Return the serial ports that pyserial finds, those without hardware behind them left out."""
    from serial.tools import list_ports

    lasting = _lasting_names()
    found = []
    for port in list_ports.comports():
        if port.vid is None and port.hwid == "n/a":
            continue
        found.append(
            SerialPort(
                path=lasting.get(str(Path(port.device).resolve()), port.device),
                device=port.device,
                vid=f"{port.vid:04x}" if port.vid is not None else "",
                pid=f"{port.pid:04x}" if port.pid is not None else "",
                serial=port.serial_number or "",
                # A device with several interfaces has their number behind its own.
                location=re.sub(r":.*", "", port.location or ""),
                product=port.product or "",
            )
        )
    return sorted(found, key=lambda port: port.path)


def _lasting_names() -> dict[str, str]:
    """Return the names by id of the ports: a port keeps it when it is plugged in again."""
    if not BY_ID.is_dir():
        return {}
    return {str(link.resolve()): str(link) for link in sorted(BY_ID.iterdir())}


def _fact(folder: Path, name: str) -> str:
    try:
        text = (folder / name).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
    # Clones have serial numbers of unprintable bytes, which name nothing.
    return text if text.isprintable() else ""
