"""`edgec inspect`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from edgec.pipeline.cli.display import json_option, quiet_option

_NUMBERS = (3, 4)


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@json_option
@quiet_option
def command(model: Path, as_json: bool, quiet: bool) -> None:
    """Show the layers of MODEL: shapes, quantisation, MACs and parameters.

    Works on every input format; Keras and ONNX models need the tensorflow extra.
    """
    from edgec.pipeline import inspection
    from edgec.pipeline.cli import display

    with display.progress_report(quiet or as_json) as progress:
        found = inspection.inspect(model, progress=progress)
    if as_json:
        display.print_json(asdict(found))
        return
    head = ("layer", "op", "output", "MACs", "parameters", "quantisation")
    rows = [
        (
            row.name,
            row.op,
            "x".join(map(str, row.output)),
            f"{row.macs:,}" if row.macs else "",
            f"{row.parameters:,}" if row.parameters else "",
            row.quantization,
        )
        for row in found.layers
    ]
    display.print_table(head, rows, right=_NUMBERS)
    display.print_facts(
        [
            ("model", f"{model.name} ({found.format})"),
            *(("input", text) for text in found.inputs),
            *(("output", text) for text in found.outputs),
            ("total", f"{found.macs:,} MACs, {found.parameters:,} parameters"),
        ]
    )
