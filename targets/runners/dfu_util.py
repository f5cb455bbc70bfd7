"""dfu-util 0.11, for the USB boot loader in the ROM of STM32; facts from its manual and binary.

It takes raw images only: an ELF would be written as it lies in the file.
"""

from __future__ import annotations

from edgec.targets.flash_tool import Command, FlashTool, Job, symptoms

DEVICE = "0483:df11"


def _run(job: Job, where: str) -> tuple[Command, ...]:
    serial = ("-S", job.serial) if job.serial else ()
    which = ("-d", job.text("device", DEVICE), *serial, "-a", job.text("alt", "0"))
    return (Command(("dfu-util", *which, "-s", where, "-D", job.images["bin"])),)


def flash(job: Job) -> tuple[Command, ...]:
    """Write the image and leave the boot loader for it."""
    wipe = ":mass-erase:force" if job.erase else ""
    return _run(job, f"{job.start()}{wipe}:leave")


TOOL = FlashTool(
    name="dfu_util",
    bootloader=True,
    program="dfu-util",
    image="bin",
    can=frozenset({"erase", "serial"}),
    options={"address": False, "device": False, "alt": False},
    flash=flash,
    install="sudo apt install dfu-util",
    vendors=("0483",),
    proof=r"File downloaded successfully",
    # A chip that leaves the boot loader at once does not answer whether it did.
    forgives=r"File downloaded successfully\s+Submitting leave request[\s\S]*get_status",
    symptoms=symptoms(
        (r"More than one DFU capable USB device", "probe-ambiguous"),
        (r"LIBUSB_ERROR_ACCESS|Cannot open (DFU )?device", "permission"),
        (r"LIBUSB_ERROR_BUSY|Cannot claim interface", "probe-busy"),
        (r"No DFU capable USB device", "not-in-bootloader"),
        (r"errVENDOR|vendor specific error|read.?protect|unprotect", "locked"),
        (
            r"failed verification|errVERIFY|Memory erase check failed|errCHECK_ERASED",
            "verify-mismatch",
        ),
        (r"does not match device|errTARGET", "wrong-chip"),
        (
            r"Could not open file|out of range|not writeable|Page at .* can not be|errADDRESS|"
            r"errFILE|No valid DfuSe|Last page at",
            "bad-image",
        ),
        (r"unrecognized option|invalid option|Invalid argument", "tool-usage"),
        (
            r"LIBUSB|Error during (download|upload|special command)|error get_status|"
            r"USB communication error",
            "usb",
        ),
    ),
)
