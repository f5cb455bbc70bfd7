"""`edgec boards`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from edgec.pipeline.cli.display import json_option


@click.group()
def command() -> None:
    """List the boards that edgec knows, or those that are plugged in."""


@command.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the boards that edgec knows: the first tool that is installed flashes them."""
    from edgec.pipeline.cli import display
    from edgec.targets.profile import board_names, load_target

    boards = {name: load_target(name) for name in board_names()}
    if as_json:
        display.print_json([_known(name, target) for name, target in boards.items()])
        return
    rows = [
        (name, f"{b.vendor}, {b.mcu}", " ".join(b.flash), b.console, "no" if b.untried else "yes")
        for name, target in boards.items()
        if (b := target.board) is not None
    ]
    display.print_table(("board", "what it is", "flashed by", "console", "tried"), rows)


@command.command("scan")
@click.option(
    "--ask", is_flag=True, help="Open each console and ask the firmware who it is; may reset it."
)
@json_option
def scan_command(ask: bool, as_json: bool) -> None:
    """Show what is plugged in: probes, boot loaders and serial ports, and which boards they may be.

    VID:PID alone is a hint; a board's name stands alone where more is known of it.
    """
    from edgec.pipeline.cli import display
    from edgec.targets.detection import ask_all, scan

    found = scan()
    answers = ask_all(found) if ask else {}
    if as_json:
        display.print_json(
            [{**asdict(thing), "answer": answers.get(thing.port, "")} for thing in found]
        )
        return
    if not found:
        click.echo("nothing that may be a board is plugged in")
        return
    rows = [
        (
            thing.serial or "none",
            f"usb:{thing.location}" if thing.location else "",
            thing.usb_id,
            thing.port,
            " or ".join(thing.boards) or thing.product or "unknown",
            answers.get(thing.port, thing.note),
        )
        for thing in found
    ]
    head = ("serial", "location", "VID:PID", "console", "board", "answers" if ask else "known")
    display.print_table(head, rows)


def _known(name: str, target: Any) -> dict[str, Any]:
    return {"board": name, "description": target.description, **asdict(target.board)}
