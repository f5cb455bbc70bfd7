"""picotool 2, for RP2040 and RP2350 in their boot loader; facts from its help and source.

The bench firmware has no USB of its own, so the chip enters the boot loader by its button only.
"""

from __future__ import annotations

from edgec.targets.flash_tool import Command, FlashTool, Job, symptoms


def _probe(job: Job) -> tuple[str, ...]:
    return ("--ser", job.serial) if job.serial else ()


def flash(job: Job) -> tuple[Command, ...]:
    """Write the image, read it back, and start it."""
    wipe = erase(job) if job.erase else ()
    load = ("picotool", "load", "-v", "-x", job.images["elf"], "-t", "elf", *_probe(job))
    return (*wipe, Command(load))


def erase(job: Job) -> tuple[Command, ...]:
    """Erase all of flash."""
    return (Command(("picotool", "erase", "-a", *_probe(job))),)


TOOL = FlashTool(
    name="picotool",
    bootloader=True,
    program="picotool",
    image="elf",
    can=frozenset({"erase", "serial", "verify"}),
    flash=flash,
    erase=erase,
    install="from github.com/raspberrypi/picotool, or with the Pico SDK",
    vendors=("2e8a",),
    asks=("version",),
    symptoms=symptoms(
        (
            r"picotool was unable to connect|check your permissions|LIBUSB_ERROR_ACCESS|"
            r"Failed to initialise libUSB",
            "permission",
        ),
        (r"[Mm]ultiple .*devices in BOOTSEL mode found|more than one", "probe-ambiguous"),
        (r"[Nn]o accessible .*devices? in BOOTSEL mode", "not-in-bootloader"),
        (r"secure|not permitted|write.?protect|is locked", "locked"),
        (r"did not match|[Vv]erif.*(fail|FAIL)|contents? differ", "verify-mismatch"),
        (
            r"family .*(not|cannot)|incompatible|not a valid (ELF|UF2)|is not .*binary|"
            r"could not be (opened|read)|No such file|outside of flash|invalid",
            "bad-image",
        ),
        (r"unexpected (argument|option)|unknown (command|option)|SYNOPSIS", "tool-usage"),
        (r"LIBUSB|disconnect|communicat", "usb"),
    ),
)
