"""OpenOCD 0.12 or later: it alone can tell probes with the same serial number apart, by USB port.

Its three servers are off, so that runs side by side do not fight for the ports.
"""

from __future__ import annotations

from edgec.targets.flash_tool import Command, FlashTool, Job, symptoms

SLOW_KHZ = 480

_QUIET = ("gdb_port disabled", "tcl_port disabled", "telnet_port disabled")


def _run(job: Job, *steps: str) -> tuple[Command, ...]:
    files = [job.text(key) for key in ("interface", "target") if key in job.options]
    words = ["openocd"]
    for name in files or job.text("config").split():
        words += ["-f", name]
    says = [*_QUIET]
    if job.serial:
        says.append(f"adapter serial {job.serial}")
    if job.location:
        says.append(f"adapter usb location {job.location}")
    if job.gentle:
        says += [
            f"adapter speed {SLOW_KHZ}",
            "reset_config srst_only srst_nogate connect_assert_srst",
        ]
    for text in (*says, *steps):
        words += ["-c", text]
    return (Command(tuple(words)),)


def _opened(job: Job) -> list[str]:
    """Return the steps that open a locked chip: the profile names the driver's command."""
    return [job.text("unlock"), "reset halt"] if job.unlock else []


def flash(job: Job) -> tuple[Command, ...]:
    """Write the image, read it back, and reset into it."""
    before = _opened(job) + (["flash erase_sector 0 0 last"] if job.erase else [])
    first = ["init", "reset halt", *before] if before else []
    return _run(job, *first, f"program {{{job.images['elf']}}} verify reset exit")


def reset(job: Job) -> tuple[Command, ...]:
    """Reset the board and let it run."""
    return _run(job, "init", "reset run", "shutdown")


def erase(job: Job) -> tuple[Command, ...]:
    """Erase all of flash."""
    wipe = "flash erase_sector 0 0 last"
    return _run(job, "init", "reset halt", *_opened(job), wipe, "shutdown")


TOOL = FlashTool(
    name="openocd",
    program="openocd",
    image="elf",
    can=frozenset({"erase", "reset", "serial", "location", "unlock", "gentle", "verify"}),
    options={"config": False, "interface": False, "target": False, "unlock": False},
    flash=flash,
    reset=reset,
    erase=erase,
    install="sudo apt install openocd",
    vendors=("0483", "0d28", "1366", "2e8a"),
    proof=r"\*\* Verified OK \*\*",
    symptoms=symptoms(
        (r"LIBUSB_ERROR_ACCESS|Permission denied|could not claim.*permission", "permission"),
        (r"LIBUSB_ERROR_BUSY|claim interface failed|Resource busy|TCP busy", "probe-busy"),
        (
            r"Can't find .*\.cfg|invalid command name|Unknown target|invalid subcommand",
            "unknown-target",
        ),
        (r"Multiple devices|more than one .*(found|device)", "probe-ambiguous"),
        (
            r"serial mismatch|Invalid serial number|unable to find a matching CMSIS-DAP",
            "probe-not-found",
        ),
        (
            r"No J-Link device found|No .*(adapter|device) found|Error: open failed",
            "probe-not-found",
        ),
        (r"firmware .*(not supported|too old|update)", "probe-firmware"),
        (
            r"AP lock engaged|APPROTECT|device (is )?(secured|locked|protected)|"
            r"Device Security Bit Set|readout protect|RDP level|flash memory is protected|"
            r"stm32x device protected",
            "locked",
        ),
        (r"checksum mismatch|verify failed|\*\* Verify Failed|contents differ", "verify-mismatch"),
        (r"UNEXPECTED idcode|expected 1 of|Cannot identify target as", "wrong-chip"),
        (
            r"unable to connect to the target|Could not find MEM-AP|Error connecting DP|"
            r"target voltage may be too low|Target not examined|cannot read IDR|"
            r"timed out while waiting for target halted",
            "no-answer",
        ),
        (r"couldn't open|no flash bank found|outside of flash|would overflow", "bad-image"),
        (r"LIBUSB_ERROR|libusb", "usb"),
    ),
)
