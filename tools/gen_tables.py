"""Write the tables in the documentation that follow from the code.

A page says where a table goes:

    <!-- generated: ops -->
    ...
    <!-- /generated -->

usage: python tools/gen_tables.py [--check]. With --check nothing is written, and the exit code is 1
if a page is out of date.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from edgec.codegen.registry import kernel_ops, sentence
from edgec.targets.flash_failures import FAILURES
from edgec.targets.flash_tool import CAPABILITIES, flash_tool, flash_tools
from edgec.targets.profile import board_names, load_target, target_names

ROOT = Path(__file__).resolve().parent.parent
ONNX = ROOT / "pipeline" / "load" / "onnx" / "ops"

_BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- /generated -->)", re.DOTALL)


def row(*cells: str) -> str:
    """Return a row of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def ops_table() -> str:
    """Return the supported ops: what each computes and every limit it has."""
    text = row("op", "computes", "limits") + row("---", "---", "---")
    for name, op in kernel_ops().items():
        text += row(f"`{name}`", sentence(op), " ".join(map(sentence, op.constraints)))
    return text


def targets_table() -> str:
    """Return the shipped targets that stand for a core or a computer."""
    text = row("target", "what it is", "features", "flash", "RAM")
    text += row("---", "---", "---", "---", "---")
    for name in target_names():
        target = load_target(name)
        if target.board is not None:
            continue
        sizes = (_size(target.memory_bytes(kind)) for kind in ("flash", "ram"))
        features = "those of its CPU" if target.native else ", ".join(sorted(target.features))
        text += row(f"`{name}`", target.description, features, *sizes)
    return text


def boards_table() -> str:
    """Return the shipped boards; each says whether anyone has yet run it."""
    text = row("board", "what it is", "core clock", "flash", "RAM", "flashed by", "run on")
    text += row(*["---"] * 7)
    for name in board_names():
        target = load_target(name)
        board = target.board
        assert board is not None and target.clock_hz is not None
        sizes = (_size(target.memory_bytes(kind)) for kind in ("flash", "ram"))
        places = [] if board.untried else ["the board"]
        if target.runner == "qemu":
            places.append(f"QEMU's `{target.runner_options['machine']}`")
        text += row(
            *(f"`{name}`", target.description, f"{target.clock_hz // 10**6} MHz", *sizes),
            *(", ".join(board.flash), ", ".join(places) or "nothing yet"),
        )
    return text


def tools_table() -> str:
    """Return the flash tools: what each takes, and what it can do besides flashing."""
    text = row("`--runner`", "program", "image", "can besides", "how to get it")
    text += row(*["---"] * 5)
    for tool in map(flash_tool, flash_tools()):
        can = ", ".join(word for word in CAPABILITIES if word in tool.can)
        text += row(f"`{tool.name}`", f"`{tool.program}`", tool.image, can, tool.install)
    return text


def failures_table() -> str:
    """Return the named failures: what each means and what is to be done."""
    text = row("name", "exit", "what", "what to do") + row(*["---"] * 4)
    for failure in FAILURES.values():
        hint = failure.hint or "put the udev rule that is printed into place"
        code = str(failure.error.exit_code)
        text += row(f"`{failure.name}`", code, failure.message, hint)
    return text


def _size(size_bytes: int | None) -> str:
    return "" if size_bytes is None else f"{size_bytes // 1024} KiB"


def onnx_table() -> str:
    """Return the ONNX operators, by the module that imports them."""
    text = row("group", "ONNX operators") + row("---", "---")
    for path in sorted(ONNX.glob("*.py")):
        operators = sorted(set(_imported_operators(path)))
        if operators:
            text += row(path.stem.replace("_", " "), ", ".join(f"`{o}`" for o in operators))
    return text


def _imported_operators(path: Path) -> Iterator[str]:
    """Yield what `@importer("A", "B")` names; read, not imported, as that would need TensorFlow."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "importer":
            for argument in node.args:
                yield str(ast.literal_eval(argument))


TABLES: dict[str, Callable[[], str]] = {
    "ops": ops_table,
    "targets": targets_table,
    "boards": boards_table,
    "tools": tools_table,
    "failures": failures_table,
    "onnx": onnx_table,
}


def pages() -> list[Path]:
    """Return every page of the documentation."""
    return sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def regenerated(text: str) -> str:
    """Return a page with its tables made anew."""
    return _BLOCK.sub(lambda found: found[1] + TABLES[found[2]]() + found[3], text)


def main() -> int:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description="Write the generated tables in docs/ anew.")
    parser.add_argument("--check", action="store_true", help="write nothing, only compare")
    check = parser.parse_args().check
    stale = [
        page for page in pages() if regenerated(page.read_text("utf-8")) != page.read_text("utf-8")
    ]
    for page in stale:
        name = page.relative_to(ROOT)
        if check:
            print(f"{name}: tables are out of date\nhint: make tables", file=sys.stderr)
        else:
            page.write_text(regenerated(page.read_text("utf-8")), encoding="utf-8")
            print(f"wrote {name}")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
