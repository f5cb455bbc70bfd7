"""A computer with boards plugged in that are not there: a sysfs folder and a list of ports."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from serial.tools import list_ports

from edgec.targets import usb


class FakeUsb:
    """What is plugged in, as edgec sees it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sysfs = folder / "sysfs"
        self.by_id = folder / "by-id"
        self.sysfs.mkdir()
        self.by_id.mkdir()
        self.ports: list[Any] = []
        monkeypatch.setattr(usb, "SYSFS", self.sysfs)
        monkeypatch.setattr(usb, "BY_ID", self.by_id)
        monkeypatch.setattr(list_ports, "comports", lambda: self.ports)
        monkeypatch.setenv("EDGEC_LOCKS_DIR", str(folder / "locks"))

    def device(self, location: str, usb_id: str, serial: str = "", product: str = "") -> None:
        """Plug a USB device in."""
        folder = self.sysfs / location
        folder.mkdir()
        vid, pid = usb_id.split(":")
        facts = {"idVendor": vid, "idProduct": pid, "serial": serial, "product": product}
        for name, text in {**facts, "bDeviceClass": "ef"}.items():
            if text:
                (folder / name).write_bytes(text.encode("latin-1") + b"\n")
        # Interfaces lie beside their device, with a colon in the name.
        (self.sysfs / f"{location}:1.0").mkdir()

    def port(
        self, device: str, usb_id: str, serial: str, location: str, lasting: str = "",
        product: str = "",
    ) -> None:  # fmt: skip
        """Plug a serial port in; `lasting` is its name by id."""
        vid, pid = (int(part, 16) for part in usb_id.split(":"))
        self.ports.append(
            SimpleNamespace(
                device=device,
                vid=vid,
                pid=pid,
                serial_number=serial or None,
                product=product,
                location=f"{location}:1.2",
                hwid=f"USB VID:PID={usb_id}",
            )
        )  # fmt: skip
        if lasting:
            (self.by_id / lasting).symlink_to(device)

    def nucleo(self, serial: str, location: str, device: str, usb_id: str = "0483:374b") -> None:
        """Plug an ST-LINK in, with its console."""
        self.device(location, usb_id, serial, "STM32 STLink")
        self.port(device, usb_id, serial, location, f"usb-STM_STLINK_{serial}-if02")
