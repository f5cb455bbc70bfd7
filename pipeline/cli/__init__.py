"""The command line: each command is one module, imported when it is used."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

import edgec

COMMANDS = {
    "analyze": "Show which layers do not take 8 bits, and the recipe that repairs it.",
    "baseline": "Keep the results that later ones are compared with.",
    "bench": "Measure a bundle on its device: instructions per layer, stack, flash.",
    "boards": "List the boards that edgec knows, or those that are plugged in.",
    "build": "Build verified firmware from a Keras, ONNX or TFLite model.",
    "compare": "Compare two results: what rose, and which layers did it.",
    "completion": "Print the shell's completion script.",
    "compress": "Make a float model smaller by a recipe, and measure what it brought.",
    "device": "Keep the devices that SSH reaches: add, list or remove one.",
    "doctor": "Show every tool edgec uses, and how to install what is missing.",
    "flash": "Put a bundle's firmware on a board, and check that it runs.",
    "hil": "Hardware in the loop: pack firmware, measure it on the boards of a lab.",
    "inspect": "Show a model's layers: shapes, quantisation, MACs, parameters.",
    "monitor": "Show what a board says over its serial port.",
    "ops": "List the supported TFLite ops and the limits of each.",
    "recipes": "List the recipes of compression, and the steps they are made of.",
    "report": "Write results as JUnit XML, Markdown, CSV, for Bencher or for CI.",
    "targets": "List the targets, or show one.",
    "verify": "Compare a bundle's firmware with the reference interpreter.",
}
"""Name and one-line help of every command, so that `--help` imports none of them."""


class _Lazy(click.Group):
    """A group whose commands are imported only when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"edgec.pipeline.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        import difflib

        if args and args[0] not in COMMANDS:
            close = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            ctx.fail(f"No such command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(edgec.__version__, prog_name="edgec")
def cli() -> None:
    """Compile a trained model to small, byte-exact, measured firmware.

    Results go to stdout, progress and errors to stderr. Exit codes: 0 ok, 1 failure, 2 usage,
    3 device absent or ambiguous, 4 tool missing, 5 invalid measurement,
    6 over budget or slower, 7 model refused, 8 infrastructure, 130 interrupted.
    """


def main(args: list[str] | None = None) -> Any:
    """Run the command line and exit with the code of what happened."""
    from edgec.pipeline.errors import EdgecError

    arguments = sys.argv[1:] if args is None else args
    try:
        # Click returns the code of an Exit; a command itself returns nothing.
        sys.exit(cli.main(arguments, prog_name="edgec", standalone_mode=False) or 0)
    except EdgecError as error:
        kind = type(error).__name__
        _fail(error.exit_code, kind, error.message, error.hint, arguments, error.name)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _fail(130, "Interrupted", "interrupted", "", arguments)
    except click.UsageError as error:
        if "--json" in arguments:
            _fail(2, "UsageError", error.format_message(), "", arguments)
        error.show()
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


def _fail(
    code: int, kind: str, message: str, hint: str, arguments: list[str], name: str = ""
) -> None:
    """Report an error, as JSON on stdout where JSON was asked for, and exit."""
    if "--json" in arguments:
        import json

        facts = {"code": code, "class": kind, "message": message, "hint": hint}
        if name:
            facts["name"] = name
        click.echo(json.dumps({"error": facts}, indent=2))
    else:
        click.echo(f"error: {message}", err=True)
        if hint:
            click.echo(f"hint: {hint}", err=True)
    sys.exit(code)
