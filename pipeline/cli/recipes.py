"""`edgec recipes`."""

from __future__ import annotations

from dataclasses import asdict

import click

from edgec.pipeline.cli.display import json_option


@click.command()
@click.argument("name", required=False)
@click.option("--steps", is_flag=True, help="Show the steps that recipes are made of instead.")
@json_option
def command(name: str | None, steps: bool, as_json: bool) -> None:
    """List the shipped recipes, or show the one called NAME.

    With --steps, list the steps that recipes are made of, or show one with its parameters.
    """
    from edgec.pipeline.cli import display
    from edgec.pipeline.compress.recipe import load_recipe, recipe_names
    from edgec.pipeline.compress.technique import documentation, techniques

    if name is None:
        rows = (
            [(n, documentation(cls).splitlines()[0]) for n, cls in techniques().items()]
            if steps
            else [(n, load_recipe(n).description) for n in recipe_names()]
        )
        if as_json:
            display.print_json(dict(rows))
        else:
            display.print_table(("step" if steps else "recipe", "what it does"), rows)
        return
    if steps:
        _show_step(name, as_json)
    else:
        _show_recipe(name, as_json)


def _show_step(name: str, as_json: bool) -> None:
    from edgec.pipeline.cli import display
    from edgec.pipeline.compress.technique import documentation, find_technique, parameters

    cls = find_technique(name, "recipes")
    if as_json:
        rows = [asdict(p) for p in parameters(cls)]
        display.print_json({"step": name, "documentation": documentation(cls), "parameters": rows})
        return
    click.echo(f"{documentation(cls)}\n")
    cells = [(p.name, p.kind, repr(p.default)) for p in parameters(cls)]
    display.print_table(("parameter", "what may be given", "default"), cells)


def _show_recipe(name: str, as_json: bool) -> None:
    from edgec.pipeline.cli import display
    from edgec.pipeline.compress.recipe import as_toml, load_recipe

    recipe = load_recipe(name)
    if as_json:
        facts = {"description": recipe.description, "steps": recipe.as_tables()}
        display.print_json({"recipe": recipe.name, **facts})
    else:
        click.echo(as_toml(recipe), nl=False)
