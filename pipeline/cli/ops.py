"""`edgec ops`."""

from __future__ import annotations

import click

from edgec.pipeline.cli.display import json_option


@click.command()
@click.argument("name", required=False)
@json_option
def command(name: str | None, as_json: bool) -> None:
    """List the supported TFLite ops, or the limits of op NAME."""
    from edgec.codegen.registry import kernel_ops, sentence
    from edgec.pipeline.cli import display
    from edgec.pipeline.errors import UsageError

    ops = kernel_ops()
    if name is not None:
        if name.upper() not in ops:
            raise UsageError(f"{name}: no such op", "'edgec ops' lists them")
        ops = {name.upper(): ops[name.upper()]}
    limits = {key: [sentence(c) for c in cls.constraints] for key, cls in ops.items()}
    if as_json:
        display.print_json(limits)
        return
    rows = [(key, " ".join(sentences)) for key, sentences in limits.items()]
    display.print_table(("op", "limits"), rows)
