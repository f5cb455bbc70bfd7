"""esptool 5, for Espressif chips over their serial port; facts from 5.6.0.

ESP-IDF writes `flash_args`: options, offsets and files of an image; esptool reads it in its folder.
"""

from __future__ import annotations

from edgec.targets.flash_tool import Command, FlashTool, Job, symptoms

BAUD = "460800"
SLOW_BAUD = "115200"


def _run(job: Job, *words: str, folder: str = "") -> tuple[Command, ...]:
    port = ("--port", job.port) if job.port else ()
    baud = SLOW_BAUD if job.gentle else job.text("baud", BAUD)
    chip = ("--chip", job.text("chip"))
    resets = ("--before", "default-reset", "--after", "hard-reset")
    argv = ("esptool", *chip, *port, "--baud", baud, *resets, *words)
    return (Command(argv, folder=folder),)


def flash(job: Job) -> tuple[Command, ...]:
    """Write the image; its hash is compared, and the chip reset."""
    wipe = ("--erase-all",) if job.erase else ()
    if "flash_args" in job.options:
        # Its paths are relative to where it lies, the build folder.
        folder = job.images["bin"].rpartition("/")[0]
        return _run(job, "write-flash", *wipe, f"@{job.text('flash_args')}", folder=folder)
    return _run(job, "write-flash", *wipe, job.start(), job.images["bin"])


def reset(job: Job) -> tuple[Command, ...]:
    """Reset the chip and let it run."""
    return _run(job, "read-mac")


def erase(job: Job) -> tuple[Command, ...]:
    """Erase all of flash."""
    return _run(job, "erase-flash")


TOOL = FlashTool(
    name="esptool",
    program="esptool",
    image="bin",
    can=frozenset({"erase", "reset", "port", "gentle", "verify"}),
    options={"chip": True, "address": False, "baud": False, "flash_args": False},
    flash=flash,
    reset=reset,
    erase=erase,
    install="pip install esptool",
    vendors=("303a", "10c4", "1a86", "0403"),
    proof=r"Hash of data verified",
    asks=("version",),
    symptoms=symptoms(
        (r"[Pp]ermission denied|Errno 13", "port-permission"),
        (
            r"No such file or directory: '/dev|could not open port .*No such file|"
            r"FileNotFoundError|Found 0 serial ports",
            "port-not-found",
        ),
        (r"Secure Download Mode|[Ff]lash encryption|[Ss]ecure [Bb]oot detected", "locked"),
        (r"This chip is .*, not |doesn't appear to be an", "wrong-chip"),
        (
            r"port is busy|Errno 16|Resource busy|multiple access on port|"
            r"Could not exclusively lock",
            "port-busy",
        ),
        (r"MD5 of file does not match|Verif(y|ication) failed", "verify-mismatch"),
        (
            r"Wrong boot mode|needs to be in download mode|No serial data received|"
            r"Failed to connect to|Timed out waiting for packet",
            "not-in-bootloader",
        ),
        (r"Invalid value for '--chip'|invalid choice", "unknown-target"),
        (
            r"Invalid value for '<address>|will not fit|Invalid (firmware )?image|"
            r"not suitable for|exceeds",
            "bad-image",
        ),
        (r"No such option|no such command|Usage: esptool", "tool-usage"),
        (r"Serial data stream stopped|device disconnected|Invalid head of packet", "usb"),
    ),
)
