"""STM32CubeProgrammer's command line, for ST-LINK probes; facts from UM2237 and Zephyr's runner.

It has ended with 0 after errors, so the words of success are wanted too.
"""

from __future__ import annotations

from edgec.targets.flash_tool import Command, FlashTool, Job, symptoms

PROGRAM = "STM32_Programmer_CLI"
SLOW_KHZ = 1000


def _connect(job: Job) -> list[str]:
    words = [PROGRAM, "--connect", f"port={job.text('port', 'SWD')}"]
    if job.serial:
        words.append(f"sn={job.serial}")
    if job.gentle:
        words += [f"freq={SLOW_KHZ}", "mode=UR", "reset=HWrst"]
    return words


def _opened(job: Job) -> tuple[Command, ...]:
    """Return what opens a locked chip; it resets itself then, so nothing else is in that line."""
    return (Command((*_connect(job), "--readunprotect")),) if job.unlock else ()


def flash(job: Job) -> tuple[Command, ...]:
    """Write the image, read it back, and start it."""
    wipe = ["--erase", "all"] if job.erase else []
    write = [*wipe, "--download", job.images["hex"], "--verify", "--start"]
    return (*_opened(job), Command((*_connect(job), *write)))


def reset(job: Job) -> tuple[Command, ...]:
    """Reset the board and let it run."""
    return (Command((*_connect(job), "-rst")),)


def erase(job: Job) -> tuple[Command, ...]:
    """Erase all of flash."""
    return (*_opened(job), Command((*_connect(job), "--erase", "all")))


TOOL = FlashTool(
    name="stm32cubeprogrammer",
    program=PROGRAM,
    image="hex",
    can=frozenset({"erase", "reset", "serial", "unlock", "gentle", "verify"}),
    options={"port": False},
    flash=flash,
    reset=reset,
    erase=erase,
    install="from st.com, and put its bin folder on the PATH",
    vendors=("0483",),
    proof=r"Download verified successfully",
    symptoms=symptoms(
        (r"LIBUSB_ERROR_ACCESS|[Pp]ermission denied", "permission"),
        (r"DEV_CONNECT_ERR|in use by another|already (in use|opened)", "probe-busy"),
        (r"No debug probe detected|No STLink detected|Serial number not found", "probe-not-found"),
        (r"[Oo]ld ST-LINK|ST-?LINK firmware .*(upgrade|update|old)", "probe-firmware"),
        (r"may be not erased or protected|Data read failed|[Ff]ailed to erase memory", "locked"),
        (r"[Rr]ead ?-?[Oo]ut [Pp]rotection|[Rr]ead protect", "locked"),
        (r"Data mismatch found|[Vv]erif(y|ication) (failed|error)", "verify-mismatch"),
        (r"No STM32 target found|Unable to get core ID|Cannot connect to access port", "no-answer"),
        (r"DEV_TARGET_\w+|[Uu]nable to connect to (the )?target", "no-answer"),
        (r"[Dd]evice (ID )?.*(unknown|not supported)|database", "unknown-target"),
        (r"[Uu]nknown command|[Ww]rong (argument|option)|too many arguments", "tool-usage"),
        (r"[Cc]ould not open|File (does not exist|corrupted)|no such file", "bad-image"),
        (r"DEV_USB|USB (communication|error)", "usb"),
    ),
)
