"""probe-rs: facts from the source of probe-rs-tools; it was not run here.

`download --reset` became `--start` meanwhile; the subcommand `reset` stayed, so that is used.
"""

from __future__ import annotations

from edgec.targets.flash_tool import Command, FlashTool, Job, symptoms

SLOW_KHZ = 1000


def _probe(job: Job) -> list[str]:
    words = ["--chip", job.text("chip")]
    if job.serial:
        words += ["--probe", f"{job.usb_id}:{job.serial}" if job.usb_id else job.serial]
    elif job.usb_id:
        words += ["--probe", job.usb_id]
    words += ["--non-interactive"]
    if job.gentle:
        words += ["--connect-under-reset", "--speed", str(SLOW_KHZ)]
    if job.unlock:
        words += ["--allow-erase-all"]
    return words


def flash(job: Job) -> tuple[Command, ...]:
    """Write the image, read it back, and reset into it."""
    erase = ["--chip-erase"] if job.erase else []
    how = ["--verify", "--disable-progressbars"]
    download = ("probe-rs", "download", *_probe(job), *erase, *how, job.images["elf"])
    return (Command(download), *reset(job))


def reset(job: Job) -> tuple[Command, ...]:
    """Reset the board and let it run."""
    return (Command(("probe-rs", "reset", *_probe(job))),)


def erase(job: Job) -> tuple[Command, ...]:
    """Erase all of flash."""
    return (Command(("probe-rs", "erase", *_probe(job))),)


TOOL = FlashTool(
    name="probe_rs",
    program="probe-rs",
    image="elf",
    can=frozenset({"erase", "reset", "serial", "unlock", "gentle", "verify"}),
    options={"chip": True},
    flash=flash,
    reset=reset,
    erase=erase,
    install="see probe.rs, or cargo install probe-rs-tools",
    vendors=("0483", "0d28", "1366", "2e8a", "303a"),
    symptoms=symptoms(
        (r"lacked the permission to do so: erase_all|core is locked|chip is locked", "locked"),
        (r"(Access|Permission) (is )?denied|EACCES|os error (5|13)\b", "permission"),
        (r"\d+ probes were found|[Mm]ultiple probes (were )?found", "probe-ambiguous"),
        (r"EBUSY|os error 16|[Rr]esource busy|already in use|in use by another", "probe-busy"),
        (
            r"No (connected )?probes? (was|were) found|Probe was not found|No probe",
            "probe-not-found",
        ),
        (r"firmware .*(outdated|too old|not supported)|ProbeFirmwareOutdated", "probe-firmware"),
        (r"[Cc]hip .*was not found|ChipNotFound|chip .* not found in", "unknown-target"),
        (r"[Vv]erification (has )?failed|contents do not match|[Vv]erify fail", "verify-mismatch"),
        (r"unexpected argument|unrecognized subcommand", "tool-usage"),
        (
            r"NoAcknowledge|did not respond|[Tt]imeout|[Tt]arget device .*respond|debug port",
            "no-answer",
        ),
        (
            r"unable to (open|read)|Failed to (open|load) the ELF|No loadable segments",
            "bad-image",
        ),
        (r"USB (error|Communication Error)|USB error occurred", "usb"),
    ),
)
