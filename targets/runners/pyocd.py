"""pyOCD: ST-LINK, CMSIS-DAP, J-Link and Picoprobe; facts from 0.46.0, its options.md and source.

By default it mass-erases a locked chip, waits for ever for a probe, and takes part of a serial
number for the whole: each is told otherwise on every command line.
"""

from __future__ import annotations

from edgec.targets.flash_tool import Command, FlashTool, Job, symptoms

SLOW_HZ = 1_000_000


def _probe(job: Job) -> list[str]:
    """Return what chooses the probe and keeps pyOCD's hands off a locked chip."""
    words = ["--no-wait"]
    if job.serial:
        words += ["-u", job.serial]
    words += ["-t", job.text("target")]
    if "pack" in job.options:
        words += ["--pack", job.text("pack")]
    if job.gentle:
        words += ["-M", "under-reset", "-f", str(SLOW_HZ)]
    elif "frequency" in job.options:
        words += ["-f", job.text("frequency")]
    unlock = "true" if job.unlock else "false"
    # Resuming on disconnect clears DEMCR, and the cycle counter with it.
    return [*words, "-O", f"auto_unlock={unlock}", "-O", "resume_on_disconnect=false"]


def flash(job: Job) -> tuple[Command, ...]:
    """Write the image; the board runs it then."""
    erase = ("-e", "chip" if job.erase else "sector")
    return (Command(("pyocd", "load", *_probe(job), *erase, job.images["elf"])),)


def reset(job: Job) -> tuple[Command, ...]:
    """Reset the board and let it run."""
    return (Command(("pyocd", "reset", *_probe(job))),)


def erase(job: Job) -> tuple[Command, ...]:
    """Erase all of flash."""
    return (Command(("pyocd", "erase", *_probe(job), "--chip")),)


TOOL = FlashTool(
    name="pyocd",
    program="pyocd",
    image="elf",
    can=frozenset({"erase", "reset", "serial", "unlock", "gentle"}),
    options={"target": True, "pack": False, "frequency": False},
    flash=flash,
    reset=reset,
    erase=erase,
    install="pip install pyocd",
    vendors=("0483", "0d28", "1366", "2e8a", "04b4"),
    symptoms=symptoms(
        (r"udev rule|\[Errno 13\]|Access denied|insufficient permissions", "permission"),
        (
            r"more than one|Multiple (debug )?probes|Enter the number of the debug",
            "probe-ambiguous",
        ),
        (r"Unable to claim interface|Resource busy|\[Errno 16\]|already opened", "probe-busy"),
        (
            r"No connected debug probe|No available debug probe|Probe .* not found",
            "probe-not-found",
        ),
        (r"unsupported, older firmware|firmware (version )?does not support", "probe-firmware"),
        (r"APPROTECT enabled|in secure state|secure state: not auto|[Dd]evice is locked", "locked"),
        (
            r"Target type \S+ not recognized|no flash memory",
            "unknown-target",
        ),
        (r"USB Error|\[Errno (5|19|32|110)\]|disconnected", "usb"),
        (r"No ACK|STLink error \(\d+\): (No device connected|Get IDCODE error)", "no-answer"),
        (r"Unexpected ACK|WAIT ACK|timed out|Timed out|Debug power error", "no-answer"),
        (r"verif(y|ication) (error|fail)|Write verification error", "verify-mismatch"),
        (r"unrecognized arguments|invalid choice", "tool-usage"),
        (r"no memory region|outside.*flash|no such file|Unknown file|not writable", "bad-image"),
    ),
)
