"""Compares two results: what rose, by how much, whether that counts, and which layer did it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from edgec.pipeline.errors import MeasurementError, UsageError
from edgec.pipeline.report.document import Document
from edgec.pipeline.report.layer_changes import LayerChange, layer_changes
from edgec.pipeline.report.significance import rise_probability

SCHEMA = "edgec.comparison/1"

Difference = Literal["model", "target", "toolchain", "unit"]
DIFFERENCES: tuple[Difference, ...] = ("model", "target", "toolchain", "unit")

NOISY_ABOVE = 0.05
CHANCE = 0.05
SPREADS = 3.0
"""Noisy medians count as apart if they are more than so many median deviations apart, too."""

LEAST_SHARE = 1e-4
"""A layer's rise counts from this share of the whole on: a RESHAPE may double unnoticed."""

SIZES = ("flash_bytes", "ram_bytes", "stack_bytes", "arena_bytes", "binary_bytes")


@dataclass(frozen=True, slots=True)
class Limits:
    """From which relative rise on a change is a regression: of exact figures, of noisy times."""

    fail_above: float = 0.01
    noisy_above: float = NOISY_ABOVE


@dataclass(frozen=True, slots=True)
class Change:
    """A figure before and after; `chance` is the p value of a rise, None where counts are exact."""

    what: str
    before: float
    after: float
    regressed: bool
    chance: float | None = None

    @property
    def relative(self) -> float:
        """The rise as a share of what was there before."""
        return relative(self.before, self.after)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from one result to another of the same model, target and toolchain.

    `exact` says that counts repeat themselves, so that each layer is judged too. `regressions`
    names everything that got worse beyond the limits, the layers to blame included.
    """

    model: str
    target: str
    unit: str | None
    exact: bool
    total: Change | None
    layers: tuple[LayerChange, ...]
    sizes: tuple[Change, ...]
    accuracy: Change | None
    notes: tuple[str, ...]
    regressions: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON-ready data."""
        return {"schema": SCHEMA, **asdict(self)}


def compare(
    before: Document,
    after: Document,
    limits: Limits | None = None,
    allowed: Collection[Difference] = (),
) -> Comparison:
    """Compare two results of one model, target and toolchain.

    Raises UsageError if they differ in more than what is `allowed`, MeasurementError if one of them
    is not valid.
    """
    limits = limits or Limits()
    for which, result in (("the first", before), ("the second", after)):
        if not result["validity"]["ok"]:
            raise MeasurementError(
                f"{which} result is not valid: {'; '.join(result['validity']['reasons'])}",
                "measure again",
            )
    notes = [*_refuse(before, after, allowed), *_notes(before, after)]
    exact = _exact(before, after)
    total = _total(before, after, limits, exact)
    layers = layer_changes(before["layers"], after["layers"]) if total is not None else ()
    blamed = _blamed(layers, total, limits, exact)
    sizes = _sizes(before["memory"], after["memory"], limits)
    accuracy = _accuracy(before["accuracy"], after["accuracy"], limits)
    unit = after["latency"]["unit"] if total is not None else None
    worse = [describe(one, unit) for one in (total,) if one is not None and one.regressed]
    worse += [one.describe(total) for one in blamed]
    worse += [describe(one) for one in (*sizes, accuracy) if one is not None and one.regressed]
    return Comparison(
        after["model"]["name"], after["target"]["name"], unit, exact, total, layers, sizes,
        accuracy, tuple(notes), tuple(worse),
    )  # fmt: skip


def relative(before: float, after: float) -> float:
    """Return a rise as a share of what was there before; from nothing to something is all of it."""
    return (after - before) / before if before else float(after > 0)


def describe(change: Change, unit: str | None = None) -> str:
    """Return a change in words, as "instructions: 75,000 -> 76,500 (+2.00 %)"."""
    if change.what == "accuracy":
        return f"accuracy: {change.before:.2%} -> {change.after:.2%}"
    by = f"{change.before:,.0f} -> {change.after:,.0f} ({change.relative:+.2%})"
    chance = "" if change.chance is None else f", p = {change.chance:.2g}"
    return f"{unit or change.what}: {by}{chance}"


def _refuse(before: Document, after: Document, allowed: Collection[Difference]) -> list[str]:
    """Raise UsageError for results that cannot be compared; return what was let through."""

    def facts(result: Document) -> dict[Difference, str | None]:
        target, measured = result["target"], result["latency"]
        clock = "" if target["hz"] is None else f" at {target['hz']:,} Hz"
        where = f" under {target['emulator']}" if target["emulator"] else ""
        return {
            "model": result["model"]["name"],
            "target": f"{target['name']} ({target['cpu']}{clock}{where})",
            "toolchain": result["build"]["compiler"],
            "unit": measured["unit"] if measured else "no counts",
        }

    first, second = facts(before), facts(after)
    apart = [key for key in DIFFERENCES if first[key] != second[key]]
    refused = [f"{key}: {first[key]} and {second[key]}" for key in apart if key not in allowed]
    if refused:
        raise UsageError(
            f"these results cannot be compared, {'; '.join(refused)}",
            f"say {' '.join(f'--allow {key}' for key in apart if key not in allowed)} "
            "if that is meant",
        )
    return [f"another {key}: {first[key]}, then {second[key]}" for key in apart]


def _notes(before: Document, after: Document) -> list[str]:
    """Say what else differs, and may explain a change."""
    pairs = [
        ("model file", before["model"]["sha256"][:12], after["model"]["sha256"][:12]),
        ("edgec", before["tool"]["version"], after["tool"]["version"]),
        ("timer", before["method"]["timer"], after["method"]["timer"]),
        *(
            (what, before["build"][what], after["build"][what])
            for what in ("backend", "optimize", "rounding", "flags")
        ),
    ]
    return [f"another {what}: {old}, then {new}" for what, old, new in pairs if old != new]


def _exact(before: Document, after: Document) -> bool:
    """Return whether counts repeat themselves: an emulator's do, a core's if all were equal."""
    found = (before["latency"], after["latency"])
    if any(one is None for one in found):
        return False
    if all(one["unit"] == "instructions" for one in found):
        return True
    return all(
        one["unit"] == "cycles" and len(one["samples"]) >= 3 and len(set(one["samples"])) == 1
        for one in found
    )


def _total(before: Document, after: Document, limits: Limits, exact: bool) -> Change | None:
    old, new = before["latency"], after["latency"]
    if old is None or new is None or old["unit"] != new["unit"]:
        return None
    first, second = old["stats"]["median"], new["stats"]["median"]
    rise = relative(first, second)
    if exact:
        return Change("total", first, second, rise > limits.fail_above)
    chance = rise_probability(old["samples"], new["samples"])
    spread = SPREADS * max(old["stats"]["mad"], new["stats"]["mad"])
    bar = max(limits.fail_above, limits.noisy_above)
    apart = chance <= CHANCE and second - first > spread
    return Change("total", first, second, rise > bar and apart, chance)


def _blamed(
    layers: Sequence[LayerChange], total: Change | None, limits: Limits, exact: bool
) -> list[LayerChange]:
    """Return the layers at fault, the worst first.

    Exact counts judge each layer, unless the whole became faster: work may move between layers.
    Where counts are noisy, layers are only blamed for a whole that has become slower.
    """
    if total is None or total.after < total.before or (not exact and not total.regressed):
        return []
    least = LEAST_SHARE * total.before if exact else SPREADS * limits.fail_above * total.before
    guilty = [
        layer
        for layer in layers
        if layer.rise > least and relative(layer.before or 0, layer.after or 0) > limits.fail_above
    ]
    return sorted(guilty, key=lambda layer: -layer.rise)


def _sizes(before: Document, after: Document, limits: Limits) -> tuple[Change, ...]:
    pairs = [(what, before[what], after[what]) for what in SIZES]
    return tuple(
        Change(what.removesuffix("_bytes"), old, new, relative(old, new) > limits.fail_above)
        for what, old, new in pairs
        if old is not None and new is not None
    )


def _accuracy(before: Document | None, after: Document | None, limits: Limits) -> Change | None:
    """Compare shares of right answers, of the device if it was asked; a fall is in points."""
    if before is None or after is None:
        return None
    on_device = before["device"] is not None and after["device"] is not None
    key = "device" if on_device else "reference"
    old, new = before[key], after[key]
    return Change("accuracy", old, new, old - new > limits.fail_above)
