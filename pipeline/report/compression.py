"""A compression's findings as tables for terminal and Markdown, and as plots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgec.pipeline.compress.evaluation import Evaluation
from edgec.pipeline.compress.result import CompressionResult, ImageFigures, StepResult

HEAD = ("step", "parameters", "MACs", "flash", "weights", "RAM", "count", "s", "peak MB")


def step_rows(result: CompressionResult) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return head and rows of the table of steps; what was not measured is empty."""
    unit = next((s.image.unit for s in result.steps if s.image is not None), "count")
    head = ("step", f"float {result.metric}", *HEAD[1:6], unit, *HEAD[7:])
    return head, [_step_row(step) for step in result.steps]


def facts(result: CompressionResult) -> list[tuple[str, str]]:
    """Return labelled lines: scores on the test samples, what the recipe saved, and notes."""
    lines = [("data", result.data)]
    for label, found in (("dense int8", result.baseline), (result.recipe, result.compressed)):
        if found is not None:
            lines.append((f"{result.metric}, {label}", _scores(found)))
    first, last = result.steps[0].image, result.steps[-1].image
    if first is not None and last is not None:
        lines.append(("against dense int8", _ratios(first, last)))
        lines.append(("verified", f"byte for byte on {last.samples} inputs on {result.target}"))
    for step in result.steps:
        lines += [(step.name, note) for note in step.notes]
    return lines


def markdown(result: CompressionResult) -> str:
    """Return `report.md`."""
    head, rows = step_rows(result)
    lines = [f"# {result.model}: {result.recipe}", "", result.description, ""]
    lines += [_row(head), _row(("---",) * len(head)), *map(_row, rows), ""]
    lines += [f"- {label}: {value}" for label, value in facts(result)]
    if result.compressed is not None and result.compressed.confusion is not None:
        table = result.compressed.confusion
        lines += ["", "Confusion matrix on the test samples (rows: wanted, columns: got)", ""]
        lines += [_row(("", *map(str, range(len(table))))), _row(("---",) * (len(table) + 1))]
        lines += [_row((str(i), *map(str, row))) for i, row in enumerate(table)]
    lines += [f"- warning: {warning}" for warning in result.warnings]
    return "\n".join(lines) + "\n"


def draw(result: CompressionResult, folder: Path) -> list[Path]:
    """Draw the confusion matrix and what each step cost; return the PNG and SVG files."""
    from matplotlib.figure import Figure

    folder.mkdir(exist_ok=True)
    made: list[Path] = []
    if result.compressed is not None and result.compressed.confusion is not None:
        figure = Figure(figsize=(5, 4.5), layout="constrained")
        _draw_confusion(figure.subplots(), result.compressed.confusion)
        made += _save(figure, folder, "confusion")
    measured = [step for step in result.steps if step.image is not None]
    if len(measured) > 1:
        figure = Figure(figsize=(7, 3), layout="constrained")
        _draw_images(figure, measured)
        made += _save(figure, folder, "images")
    return made


def _step_row(step: StepResult) -> tuple[str, ...]:
    image = step.image
    numbers: tuple[float | None, ...] = (None,) * 4
    if image is not None:
        numbers = (image.flash_bytes, image.weight_bytes, image.ram_bytes, image.count)
    return (
        step.name,
        "" if step.score is None else f"{step.score:.4f}",
        *map(_number, (step.parameters, step.macs, *numbers)),
        f"{step.seconds:.0f}",
        "" if step.peak_bytes is None else f"{step.peak_bytes / 1e6:,.0f}",
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _scores(found: Evaluation) -> str:
    in_c = "" if found.generated_c is None else f", {found.generated_c:.4f} in the generated C"
    return f"{found.interpreter:.4f} in the interpreter{in_c}, on {found.samples} test samples"


def _ratios(first: ImageFigures, last: ImageFigures) -> str:
    return (
        f"{last.flash_bytes / first.flash_bytes:.2f}x flash, "
        f"{last.ram_bytes / first.ram_bytes:.2f}x RAM, {last.count / first.count:.2f}x {last.unit}"
    )


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _draw_confusion(axes: Any, table: tuple[tuple[int, ...], ...]) -> None:
    axes.imshow(table, cmap="Blues")
    for row, counts in enumerate(table):
        for column, count in enumerate(counts):
            dark = count > 0.5 * max(max(r) for r in table)
            axes.text(
                column, row, count, ha="center", va="center", color="white" if dark else "black"
            )
    axes.set(xlabel="got", ylabel="wanted", xticks=range(len(table)), yticks=range(len(table)))


def _draw_images(figure: Any, steps: list[StepResult]) -> None:
    panels = figure.subplots(1, 3)
    names = [step.name for step in steps]
    images = [step.image for step in steps if step.image is not None]
    values = (
        ("flash, bytes", [i.flash_bytes for i in images]),
        ("RAM, bytes", [i.ram_bytes for i in images]),
        (images[0].unit, [i.count for i in images]),
    )
    for axes, (title, heights) in zip(panels, values, strict=True):
        axes.bar(names, heights)
        axes.set_title(title)
        axes.tick_params(axis="x", rotation=30)


def _save(figure: Any, folder: Path, name: str) -> list[Path]:
    import matplotlib as mpl

    files = [folder / f"{name}.png", folder / f"{name}.svg"]
    # Same input, same bytes: no date, and no random ids in the SVG.
    with mpl.rc_context({"svg.hashsalt": "edgec"}):
        figure.savefig(files[0], dpi=120, metadata={"Software": None})
        figure.savefig(files[1], metadata={"Date": None})
    return files
