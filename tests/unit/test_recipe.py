"""Recipes are read strictly, and every shipped one is whole."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from edgec.pipeline.compress.recipe import as_toml, load_recipe, parse_recipe, recipe_names
from edgec.pipeline.compress.technique import documentation, parameters, techniques
from edgec.pipeline.errors import UsageError

PTQ = {"use": "ptq"}


def refusal(table: dict[str, Any]) -> str:
    with pytest.raises(UsageError) as caught:
        parse_recipe("r", table, "r.toml")
    return str(caught.value)


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_loads_and_says_what_it_is_for(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.description
    assert recipe.steps[-1].gives == "tflite"


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_written_out_reads_back_as_it_was(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    path = tmp_path / f"{name}.toml"
    path.write_text(as_toml(recipe), encoding="utf-8")
    assert load_recipe(path) == recipe


@pytest.mark.parametrize("name", techniques())
def test_every_step_documents_each_of_its_parameters(name: str) -> None:
    cls = techniques()[name]
    text = documentation(cls)
    assert text.splitlines()[0].endswith(".")
    missing = [p.name for p in parameters(cls) if p.name not in text]
    assert not missing


@pytest.mark.parametrize("name", techniques())
def test_every_step_takes_its_own_defaults(name: str) -> None:
    assert techniques()[name]().problem() == ""


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "no steps"),
        ({"step": []}, "no steps"),
        ({"step": [PTQ], "stpe": 1}, "unknown key 'stpe'"),
        ({"step": [{"use": "ptqq"}]}, "did you mean 'ptq'?"),
        ({"step": [{"uses": "ptq"}]}, "step 1: names no technique"),
        ({"step": [{"use": "ptq", "sample": 3}]}, "did you mean 'samples'?"),
        ({"step": [{"use": "ptq", "samples": "3"}]}, "integer wanted, got '3'"),
        ({"step": [{"use": "ptq", "samples": True}]}, "integer wanted, got True"),
        ({"step": [{"use": "ptq", "samples": 0}]}, "1 or more wanted"),
        ({"step": [{"use": "ptq-fast", "activations": 4}]}, "8 | 16 wanted, got 4"),
        ({"step": [{"use": "ptq-fast", "wide": ["("]}]}, "no regular expression"),
        ({"step": [{"use": "ptq-fast", "wide": [1]}]}, "ptq-fast.wide[0]: text wanted"),
        ({"step": [{"use": "prune", "sparsity": 1.5}, PTQ]}, "share of zeros from 0 to 0.98"),
        ({"step": [{"use": "prune", "block": [4]}, PTQ]}, "got [4]"),
        ({"step": [PTQ, PTQ]}, "step 1 (ptq) gives the finished model"),
        ({"step": [{"use": "prune"}]}, "the last step (prune) leaves a float model"),
        ({"step": [PTQ], "description": 3}, "description: text wanted"),
    ],
)
def test_a_faulty_recipe_is_refused_with_the_place_and_what_to_do(
    table: dict[str, Any], said: str
) -> None:
    assert said in refusal(table)


def test_tables_and_lists_of_a_step_are_written_so_that_they_read_back() -> None:
    table = {"use": "prune-channels", "layers": {"stem": 1.0, "block*": 0.25}}
    steps = [table, {"use": "ptq-fast", "wide": ["^a/b", "c;d"]}]
    recipe = parse_recipe("r", {"step": steps}, "r")
    assert parse_recipe("r", tomllib.loads(as_toml(recipe)), "r") == recipe


def test_an_integer_stands_for_a_number() -> None:
    recipe = parse_recipe("r", {"step": [{"use": "prune", "sparsity": 0}, PTQ]}, "r")
    assert recipe.as_tables()[0]["sparsity"] == 0.0


def test_unknown_and_unreadable_recipes_are_usage_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown recipe 'ptk'"):
        load_recipe("ptk")
    with pytest.raises(UsageError, match="no such recipe file"):
        load_recipe(tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("step = [", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be read"):
        load_recipe(broken)
