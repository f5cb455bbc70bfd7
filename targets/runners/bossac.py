"""bossac, for the Arduino boot loader of the Nano 33 BLE; facts from Arduino's platform and Zephyr.

The boot loader shows after two quick presses of the reset button, as a serial port of its own.
"""

from __future__ import annotations

from edgec.targets.flash_tool import Command, FlashTool, Job, symptoms


def flash(job: Job) -> tuple[Command, ...]:
    """Erase, write the image behind the boot loader, read it back, and reset into it."""
    port = (f"--port={job.port}",) if job.port else ()
    offset = f"--offset={job.text('offset', '0x0')}"
    how = ("--erase", "--write", "--verify", "--reset")
    return (Command(("bossac", *port, offset, *how, job.images["bin"])),)


TOOL = FlashTool(
    name="bossac",
    program="bossac",
    image="bin",
    can=frozenset({"port", "verify"}),
    options={"offset": False},
    flash=flash,
    install="sudo apt install bossa-cli (the Nano 33 BLE needs Arduino's 1.9.1-arduino2)",
    vendors=("2341",),
    proof=r"Verify successful",
    asks=("--help",),
    symptoms=symptoms(
        (r"[Pp]ermission denied", "port-permission"),
        (r"No device found|Auto scan.*fail|Unable to connect", "not-in-bootloader"),
        (r"Device unsupported|unsupported device", "unknown-target"),
        (r"Verify failed|[Pp]age errors|byte errors", "verify-mismatch"),
        (r"[Rr]esource busy", "port-busy"),
        (r"[Uu]nknown option|unrecognized option|invalid option|Try 'bossac", "tool-usage"),
        (
            r"Failed to open file|Unable to open file|[Ff]ile operation exceeds flash|offset",
            "bad-image",
        ),
        (r"SAM-BA operation failed|Timeout|I/O", "usb"),
    ),
)
