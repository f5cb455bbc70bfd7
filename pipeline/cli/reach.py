"""The options that say which board is meant and how to get to it, and what they come to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from edgec.targets.profile import Target
    from edgec.targets.runners.board import Wish

Command = TypeVar("Command", bound=Callable[..., Any])


def _complete_board(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    del ctx, param
    from edgec.targets.profile import board_names

    return [name for name in board_names() if name.startswith(incomplete)]


board_option = click.option(
    "--board",
    metavar="NAME",
    shell_complete=_complete_board,
    help="The board that is plugged in, as 'edgec boards list' or lab.toml names it.",
)
port_option = click.option(
    "--port", metavar="PORT", help="The board's serial port, as /dev/serial/by-id/…."
)
baud_option = click.option(
    "--baud", type=click.IntRange(1200), metavar="N", help="Its speed; what the profile says."
)
serial_option = click.option(
    "--serial",
    default="",
    metavar="SN",
    help="The probe's whole serial number, or usb:LOCATION, as 'edgec boards scan' shows them.",
)
runner_option = click.option(
    "--runner", default="", metavar="TOOL", help="Which tool flashes; the board's first installed."
)
wait_option = click.option(
    "--wait",
    type=click.IntRange(0),
    default=0,
    metavar="SECONDS",
    help="Wait so long for a probe that is in use.",
)


def reach_options(command: Command) -> Command:
    """Add the options of the commands that measure a board."""
    for option in (
        wait_option, runner_option, serial_option, baud_option, port_option, board_option,
    ):  # fmt: skip
        command = option(command)
    return command


def way(
    board: str | None, port: str | None, baud: int | None, wish: Wish
) -> tuple[str | None, Callable[[Target], Target] | None]:
    """Return which target is meant and how it is reached.

    It is flashed as a board, reached over a port as it is, or as usual. A board's name may be one
    of the lab's.
    """
    from edgec.pipeline.errors import UsageError
    from edgec.targets.lab import wished
    from edgec.targets.runners.board import at_board
    from edgec.targets.runners.port import at_port

    if board is not None:
        if baud is not None:
            raise UsageError("--baud goes with --port alone", "a board's profile has its speed")
        kind, known = wished(board, wish)
        return kind, lambda target: at_board(target, known)
    if wish.serial or wish.tool:
        raise UsageError("--serial and --runner choose a board's probe", "give --board too")
    if port is not None:
        return None, lambda target: at_port(target, port, baud)
    if baud is not None:
        raise UsageError("--baud without --port")
    return None, None
