"""What the documentation points at is there, and nothing in the repository names a machine."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import click
import pytest

from edgec.pipeline import cli
from tests.support.modules import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("examples/**/*.md")])

# Folders and addresses of some machine: in a committed file they are a mistake.
MACHINE = re.compile(
    r"/(?:home|root|work|Users)/\w|/opt/\w|file://|index-url|find-links"
    r"|(?:pypi|files\.pythonhosted|registry\.npmjs|deb\.debian)\.(?:org|com)",
)


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        path, _, fragment = link.partition("#")
        if "://" in link:
            continue
        to = page.parent / path if path else page
        headings = re.findall(r"^#+ (.*)", to.read_text("utf-8"), re.M) if to.is_file() else []
        if not to.exists() or (fragment and fragment not in map(anchor, headings)):
            broken.append(link)
    assert not broken


@cache
def tracked() -> tuple[Path, ...]:
    """The files git knows, of those that are there; an unpacked archive has no git and skips."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout: clone the repository")
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(path for path in paths if path.is_file() and not path.is_symlink())


def test_tracked_files_name_no_machine() -> None:
    found = []
    for path in tracked():
        data = path.read_bytes()
        if b"\0" in data or path == Path(__file__):
            continue
        for number, line in enumerate(data.decode("utf-8").splitlines(), 1):
            if MACHINE.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not found, "\n".join(found)


def test_constraints_are_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    odd = [line for line in lines if not re.fullmatch(r"#.*|[a-z0-9.-]+==[\w.]+", line)]
    assert not odd


def options() -> dict[str, set[str]]:
    """Every command's long options, from the command line itself."""
    found: dict[str, set[str]] = {}
    pending: list[tuple[str, click.Command]] = [("edgec", cli.cli)]
    while pending:
        name, command = pending.pop()
        context = click.Context(command)
        if isinstance(command, click.Group):
            for child in command.list_commands(context):
                inner = command.get_command(context, child)
                assert inner is not None
                pending.append((f"{name} {child}", inner))
        found[name] = {
            option
            for parameter in command.params
            for option in (*parameter.opts, *parameter.secondary_opts)
            if option.startswith("--")
        }
    return found


def test_the_manual_names_every_command_and_option() -> None:
    manual = (ROOT / "docs" / "cli.md").read_text("utf-8")
    missing = [
        f"{command} {option}"
        for command, names in options().items()
        for option in ("", *names)
        if (option or command) not in manual
    ]
    assert not missing


def test_the_manual_names_no_option_that_is_not_there() -> None:
    manual = (ROOT / "docs" / "cli.md").read_text("utf-8")
    there = {option for names in options().values() for option in names} | {"--help"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", manual)) <= there
