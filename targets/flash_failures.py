"""Everything that goes wrong between a flash tool and a chip, by name, with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgec.pipeline.errors import DeviceError, EdgecError, InfrastructureError

RULES_FILE = "/etc/udev/rules.d/60-edgec.rules"


@dataclass(frozen=True, slots=True)
class Failure:
    """One way to fail. `again` says that another try may succeed."""

    name: str
    message: str
    hint: str
    error: type[EdgecError] = InfrastructureError
    again: bool = False


_ALL = (
    Failure(
        "probe-not-found",
        "the probe is not there",
        "plug it in; 'edgec boards scan' shows what is there",
        DeviceError,
    ),
    Failure(
        "probe-ambiguous",
        "more than one probe answers",
        "give --serial; 'edgec boards scan' shows what is there",
        DeviceError,
    ),
    Failure(
        "port-not-found",
        "the serial port is not there",
        "plug the board in; 'edgec boards scan' shows the ports",
        DeviceError,
    ),
    Failure(
        "not-in-bootloader",
        "the chip is not in its boot loader",
        "hold BOOT (BOOTSEL) while you plug it in or press reset, then try again",
        DeviceError,
    ),
    Failure(
        "drive-not-found",
        "the boot loader's drive is not mounted",
        "hold BOOTSEL while you plug the board in, and mount the drive it shows",
        DeviceError,
    ),
    Failure("permission", "you may not open the probe", ""),
    Failure(
        "port-permission",
        "you may not open the serial port",
        "sudo usermod -aG dialout $USER, then log in again",
    ),
    Failure(
        "probe-busy",
        "another program has the probe",
        "end that debugger or IDE, or wait for it with --wait SECONDS",
        again=True,
    ),
    Failure(
        "port-busy",
        "another program has the serial port",
        "close the terminal that has it; ModemManager takes new ports for half a minute",
        again=True,
    ),
    Failure(
        "no-answer",
        "the chip does not answer the probe",
        "is it powered, and not asleep? check the debug cable and jumpers",
        again=True,
    ),
    Failure(
        "probe-firmware",
        "the probe's own firmware is too old or the wrong one",
        "update the probe with its maker's tool",
    ),
    Failure(
        "locked",
        "the chip is locked against debuggers",
        "--unlock --yes opens it, which erases all that is on it",
    ),
    Failure(
        "verify-mismatch",
        "what was read back is not what was written",
        "check cable and supply; a worn chip, or write protection, shows like this too",
        again=True,
    ),
    Failure(
        "unknown-target",
        "the tool does not know the chip",
        "install the tool's support for it: 'pyocd pack install CHIP' (from the network), or a "
        "newer version",
    ),
    Failure(
        "wrong-chip",
        "another chip answers than this board has",
        "is it the right board? 'edgec boards scan' shows what is there",
    ),
    Failure(
        "bad-image",
        "the tool refuses the image",
        "build it again, for this board",
    ),
    Failure(
        "usb",
        "the USB connection to the probe broke",
        "try another cable and a port of the computer itself, not of a hub",
        again=True,
    ),
    Failure(
        "tool-usage",
        "the tool does not know these arguments",
        "'edgec doctor' shows its version; docs/boards.md says which one is known to take them",
    ),
    Failure(
        "timeout", "the tool did not end in time", "unplug the board and try again", again=True
    ),
    Failure(
        "failed",
        "the tool failed",
        "its own words are above; try another one with --runner",
        again=True,
    ),
    Failure(
        "not-running",
        "the image is on the chip but does not answer",
        "is the console's port and speed right? else clock set-up or start address is wrong",
    ),
)

FAILURES = {failure.name: failure for failure in _ALL}
"""Every failure by its name."""


def udev_rules(vendors: Sequence[str]) -> str:
    """Return the udev rules that give the group plugdev the USB devices of these vendors."""
    return "\n".join(
        f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{vendor}", MODE="0660", GROUP="plugdev"'
        for vendor in vendors
    )


def failed(name: str, where: str, *, said: str = "", vendors: Sequence[str] = ()) -> EdgecError:
    """Return the error of a failure; `where` names board and tool, `said` is the tool's output."""
    failure = FAILURES[name]
    hint = failure.hint
    if name == "permission":
        hint = (
            f"put this into {RULES_FILE}, then 'sudo udevadm control --reload' and replug:\n"
            + udev_rules(vendors)
        )
    message = f"{where}: {failure.message}"
    return failure.error(message + (f"\n{said}" if said else ""), hint, name)
