"""SEGGER's J-Link Commander: facts from SEGGER's wiki and Zephyr's runner; the tool is not free.

What it does about a locked chip is its own affair: edgec gives it no command that opens one.
"""

from __future__ import annotations

from edgec.targets.flash_tool import Command, FlashTool, Job, symptoms

SPEED_KHZ = "4000"
SLOW_KHZ = "1000"


def _run(job: Job, *lines: str) -> tuple[Command, ...]:
    words = ["JLinkExe", "-NoGui", "1", "-ExitOnError", "1"]
    if job.serial:
        words += ["-SelectEmuBySN", job.serial]
    words += ["-Device", job.text("device"), "-If", job.text("interface", "SWD")]
    words += ["-Speed", SLOW_KHZ if job.gentle else job.text("speed", SPEED_KHZ)]
    words += ["-AutoConnect", "1", "-CommandFile", "{script}"]
    # Reset strategy 2 of Cortex-M holds the reset pin while it connects.
    start = ["RSetType 2"] if job.gentle else []
    return (Command(tuple(words), "\n".join((*start, *lines, "qc")) + "\n"),)


def flash(job: Job) -> tuple[Command, ...]:
    """Write the image, and reset into it; J-Link compares what it wrote."""
    wipe = ["erase"] if job.erase else []
    return _run(job, "r", *wipe, f'loadfile "{job.images["hex"]}"', "r", "g")


def reset(job: Job) -> tuple[Command, ...]:
    """Reset the board and let it run."""
    return _run(job, "r", "g")


def erase(job: Job) -> tuple[Command, ...]:
    """Erase all of flash."""
    return _run(job, "r", "erase")


TOOL = FlashTool(
    name="jlink",
    program="JLinkExe",
    image="hex",
    can=frozenset({"erase", "reset", "serial", "gentle", "verify"}),
    options={"device": True, "interface": False, "speed": False},
    flash=flash,
    reset=reset,
    erase=erase,
    install="from segger.com (J-Link software pack)",
    vendors=("1366",),
    proof=r"(?m)^O\.K\.|Contents already match|Skipped\. Contents",
    asks=("-?",),
    symptoms=symptoms(
        (
            r"[Rr]eadback protection|is secured|[Aa]ccess protection|APPROTECT|protected against",
            "locked",
        ),
        (r"[Pp]ermission denied|udev", "permission"),
        (r"already (in use|open)|in use by another|used by another", "probe-busy"),
        (
            r"Cannot connect to (J-Link|the probe)|Connecting to J-Link.*FAILED|"
            r"No emulators? connected|Failed to open .*J-Link",
            "probe-not-found",
        ),
        (r"[Uu]nknown device|is unknown to this|Failed to get index for device", "unknown-target"),
        (r"[Vv]erif(y|ication) failed|[Pp]rogramming failed|contents mismatch", "verify-mismatch"),
        (
            r"Cannot connect to (the )?target|Could not connect to (the )?target|"
            r"Could not find core|No Cortex-M device found|VTref=0\.0|Target voltage too low",
            "no-answer",
        ),
        (r"[Uu]nknown command line option|Unknown command", "tool-usage"),
        (r"Could not open file|Failed to open file|File is of unknown", "bad-image"),
        (r"[Cc]ommunication (timed out|error)|USB", "usb"),
    ),
)
