"""`edgec targets`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from edgec.pipeline.cli.build import complete_target
from edgec.pipeline.cli.display import json_option


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the targets, or show one."""
    if ctx.invoked_subcommand is None:
        _list(as_json)


@command.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the targets."""
    _list(as_json)


@command.command("show")
@click.argument("name", shell_complete=complete_target)
@json_option
def show_command(name: str, as_json: bool) -> None:
    """Show everything about one target."""
    from edgec.pipeline.cli import display
    from edgec.targets.profile import load_target

    facts = _plain(asdict(load_target(name)))
    if as_json:
        display.print_json(facts)
    else:
        display.print_facts(_rows(facts))


def _list(as_json: bool) -> None:
    from edgec.pipeline.cli import display
    from edgec.targets.profile import load_target, target_names

    targets = [load_target(name) for name in target_names()]
    if as_json:
        display.print_json([_plain(asdict(t)) for t in targets])
        return
    rows = [
        (t.name, t.description, " ".join(sorted(t.features)), f"{t.runner} over {t.link}")
        for t in targets
    ]
    display.print_table(("target", "what it is", "features", "reached by"), rows)


def _plain(value: Any) -> Any:
    """Return dataclass content as JSON-ready data."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return sorted(value) if isinstance(value, frozenset) else value


def _rows(facts: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in facts.items():
        if isinstance(value, dict):
            rows += _rows(value, f"{prefix}{key}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for number, entry in enumerate(value):
                rows += _rows(entry, f"{prefix}{key}[{number}].")
        else:
            text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
            rows.append((f"{prefix}{key}", text))
    return rows
