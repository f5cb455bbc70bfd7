"""st-flash of stlink-tools, for ST-LINK probes; facts from its 1.7.0 and --help."""

from __future__ import annotations

from edgec.targets.flash_tool import Command, FlashTool, Job, symptoms

SLOW = ("--connect-under-reset", "--freq=1000k")


def _run(job: Job, *words: str) -> tuple[Command, ...]:
    probe = ("--serial", job.serial) if job.serial else ()
    return (Command(("st-flash", *probe, *words)),)


def flash(job: Job) -> tuple[Command, ...]:
    """Write the image, read it back, and reset into it."""
    how = SLOW if job.gentle else ()
    wipe = erase(job) if job.erase else ()
    write = _run(job, *how, "--reset", "write", job.images["bin"], job.start())
    return (*wipe, *write)


def reset(job: Job) -> tuple[Command, ...]:
    """Reset the board and let it run."""
    return _run(job, "reset")


def erase(job: Job) -> tuple[Command, ...]:
    """Erase all of flash."""
    return _run(job, *(SLOW if job.gentle else ()), "erase")


TOOL = FlashTool(
    name="st_flash",
    program="st-flash",
    image="bin",
    can=frozenset({"erase", "reset", "serial", "gentle", "verify"}),
    options={"address": False},
    flash=flash,
    reset=reset,
    erase=erase,
    install="sudo apt install stlink-tools",
    vendors=("0483",),
    proof=r"jolly good",
    symptoms=symptoms(
        (r"access error|LIBUSB_ERROR_ACCESS", "permission"),
        (r"LIBUSB_ERROR_BUSY|libusb_claim_interface\(\) failed", "probe-busy"),
        (r"Couldn't find (any|specified) ST-Link|Failed to find an stlink", "probe-not-found"),
        (r"firmware does not support", "probe-firmware"),
        (r"write protected|read.?out protect|Failed to unlock flash|Flash unlock failed", "locked"),
        (r"Verification of flash failed|Flash programming error|Write error", "verify-mismatch"),
        (r"unknown (chip id|coreid|core id)|unknown chip", "unknown-target"),
        (
            r"[Cc]an ?not connect to target|Failed to connect to target|Could not find chip id|"
            r"NRST is not connected|Soft reset failed|Failed to read core_id",
            "no-answer",
        ),
        (r"invalid command line|usage", "tool-usage"),
        (r"Cannot open file|Wrong file format|mmap\(\)|not a multiple|addr too", "bad-image"),
        (r"send_recv|libusb|USB", "usb"),
    ),
)
