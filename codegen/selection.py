"""Chooses the kernels of a model by cost: what `--optimize` means beyond compiler flags.

A layer costs instructions, and flash for its parameters; a kernel costs the flash of its code, once
however many layers call it. Both are those of the target's core: see `kernel_table`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edgec.codegen.kernel_search import (
    Choice,
    Code,
    Layers,
    Option,
    cheapest,
    fastest,
    fastest_within,
    smallest,
    total_bytes,
    total_instructions,
)
from edgec.codegen.kernel_table import KernelTable, Optimize, kernel_table
from edgec.codegen.registry import Const, Cost, Io, Step, as_kernel_op
from edgec.codegen.vector_image import has_vectors
from edgec.pipeline.graph import Graph

__all__ = ["Optimize", "Steps", "choose_steps", "rival_steps"]

BALANCED_GROWTH = 1.25
"""How much more flash than at least balanced mode spends on speed: for a layer, and in all."""
PRICES: Mapping[Optimize, float] = {"size": 4.0, "balanced": 0.05, "speed": 0.05}
"""By how many percent a choice must be faster for each percent of flash that it takes more.

Less than a twentieth is within what predictions are off by. To save the last percent of flash, size
mode would take the plainest kernels at many times the instructions; it does so only where a budget
asks for it.
"""
_RUN_BYTES, _CALL_BYTES = 40, 22
"""What the generated function takes, and each call in it."""
_PLENTY = 1000.0
"""The growth that `balanced` allows for CPUs with vectors: these have memory, and no flash."""

Steps = dict[tuple[str, ...], Step]
"""Steps by the outputs of their op."""


def choose_steps(
    graph: Graph,
    features: frozenset[str],
    optimize: Optimize,
    flash_bytes: int | None = None,
    cpu: str = "",
) -> Steps:
    """Return the chosen kernel of every op, with its cost on the core and the reason.

    Flash and speed are traded at the mode's price, and `balanced` takes a quarter more flash than
    at least at most, save on computers with vector units, which have memory to spare.
    `flash_bytes` is what parameters and code may take: where the choice takes more, it is the
    fastest that does not, or the smallest there is if none fits.
    """
    rivals = rival_steps(graph, features, optimize, cpu)
    table = kernel_table(cpu, features, optimize)
    problem = _Problem(
        [[Option(s.kernel, *_costs(s)) for s in steps] for steps in rivals.values()],
        {s.kernel: table.code(s.kernel) for steps in rivals.values() for s in steps},
    )
    overhead = _RUN_BYTES + _CALL_BYTES * len(graph.ops)
    limit = None if flash_bytes is None else flash_bytes - overhead
    growth = _PLENTY if has_vectors(features) else BALANCED_GROWTH
    choice = problem.choice(optimize, limit, growth)
    return {
        outputs: replace(
            steps[number], reason=steps[number].reason or _reason(layer, number, optimize)
        )
        for (outputs, steps), layer, number in zip(
            rivals.items(), problem.layers, choice, strict=True
        )
    }


def rival_steps(
    graph: Graph, features: frozenset[str], optimize: Optimize, cpu: str = ""
) -> dict[tuple[str, ...], Sequence[Step]]:
    """Return every way to compute each op, by its outputs, with the cost of each on the core."""
    table = kernel_table(cpu, features, optimize)
    found: dict[tuple[str, ...], Sequence[Step]] = {}
    for op in graph.ops:
        kernel_op, io = as_kernel_op(op), Io.of(graph, op)
        steps = (kernel_op.lower(io), *kernel_op.variants(io, features))
        found[op.outputs] = [_on_core(step, table) for step in steps]
    return found


def _on_core(step: Step, table: KernelTable) -> Step:
    """Return the step with its cost on the core, parameters counted in."""
    params = table.params_bytes(step.kernel)
    if step.cost is None:
        return step
    instructions = table.instructions(step.kernel, step.cost.instructions)
    return replace(step, cost=Cost(instructions, step.cost.flash_bytes + params))


def _costs(step: Step) -> tuple[int, int]:
    """Return instructions and flash of a step; a kernel without rivals need not state them."""
    if step.cost is not None:
        return step.cost.instructions, step.cost.flash_bytes
    return 0, sum(v.data.nbytes for v in step.params.values() if isinstance(v, Const))


@dataclass(frozen=True, slots=True)
class _Problem:
    """All options of all layers, and the code of their kernels."""

    layers: Layers
    code: Code

    def choice(self, optimize: Optimize, limit: int | None, growth: float) -> Choice:
        """Return the best choice for a mode within a limit of flash.

        `growth` is how much more than the least flash `balanced` takes.
        """
        fewest = total_instructions(self.layers, fastest(self.layers, self.code))
        least = smallest(self.layers, self.code)
        least_bytes = total_bytes(self.layers, self.code, least)
        price = PRICES[optimize] * fewest / max(least_bytes, 1)
        if optimize != "balanced":
            return self.at_price(price, limit)
        most = int(growth * least_bytes)
        limit = most if limit is None else min(most, limit)
        numbers = [
            [n for n, o in enumerate(layer) if o.flash_bytes <= growth * layer[at].flash_bytes]
            for layer, at in zip(self.layers, least, strict=True)
        ]
        thrifty = [[layer[n] for n in own] for layer, own in zip(self.layers, numbers, strict=True)]
        found = _Problem(thrifty, self.code).at_price(price, limit)
        return [own[number] for own, number in zip(numbers, found, strict=True)]

    def at_price(self, price: float, limit: int | None) -> Choice:
        """Return the best choice at a price of flash, or where it takes too much, by speed."""
        found = (
            cheapest(self.layers, self.code, price) if price else fastest(self.layers, self.code)
        )
        if limit is None or total_bytes(self.layers, self.code, found) <= limit:
            return found
        return fastest_within(self.layers, self.code, limit)


def _reason(layer: Sequence[Option], number: int, optimize: Optimize) -> str:
    """Say why an option was chosen; nothing of a view, which has no kernel."""
    if len(layer) == 1:
        return "only kernel" if layer[number].kernel else ""
    chosen, count = layer[number], len(layer)
    if chosen.instructions == min(option.instructions for option in layer):
        return f"fastest of {count}"
    if chosen.flash_bytes == min(option.flash_bytes for option in layer):
        return f"smallest of {count}"
    return f"best of {count} for {optimize}"
