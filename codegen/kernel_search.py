"""Finds the best kernels for all layers together: the code of each kernel is paid once.

This is the problem of facility location: the more kernels a model links, the better each layer is
served, and the more code they take. All sets of kernels are tried, so that up to `MOST_TRIED` of
them, which is more than most models leave open, the answer without a limit is the best there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgec.pipeline.graph import Array

MOST_TRIED = 14
"""Kernels whose sets are all tried at once; with more, groups of them take turns."""
_MOST_SETS = 256
"""Sets that are tried where flash is limited."""
_DEAREST = 2.0**32
"""Instructions for a byte at which no instruction counts beside it, and float64 is still exact."""
_CHEAPEST = 2.0**-20


@dataclass(frozen=True, slots=True)
class Option:
    """One way to compute a layer; `flash_bytes` are its own, without the kernel's code."""

    kernel: str
    instructions: int
    flash_bytes: int


Layers = Sequence[Sequence[Option]]
Code = Mapping[str, Mapping[str, int]]
"""Bytes of flash of the sections that each kernel links, by their names."""
Choice = list[int]
"""The number of an option for each layer."""
_Worth = Callable[[Option], float]


def total_bytes(layers: Layers, code: Code, choice: Choice) -> int:
    """Return the flash of a choice, with the code of its kernels."""
    kernels = {layer[number].kernel for layer, number in zip(layers, choice, strict=True)}
    return _own_bytes(layers, choice) + sum(_sections(code, kernels).values())


def total_instructions(layers: Layers, choice: Choice) -> int:
    """Return the instructions of a choice."""
    return sum(layer[n].instructions for layer, n in zip(layers, choice, strict=True))


def smallest(layers: Layers, code: Code) -> Choice:
    """Return the choice of the least flash, and of those the fastest."""
    return cheapest(layers, code, _DEAREST)


def fastest(layers: Layers, code: Code) -> Choice:
    """Return the choice of the fewest instructions, and of those the smallest."""
    return cheapest(layers, code, _CHEAPEST)


def fastest_within(layers: Layers, code: Code, limit: int) -> Choice:
    """Return the fastest choice found within `limit` bytes of flash; the smallest if none fits.

    Sets of kernels are tried in the order of what they could reach at best. With each, layers fall
    back to smaller options one by one, the one first that saves most flash for an instruction.
    """
    best = smallest(layers, code)
    if total_bytes(layers, code, best) > limit:
        return best
    for least, linked in _sets_that_fit(layers, code, limit):
        if least >= total_instructions(layers, best):
            break
        room = limit - sum(_sections(code, linked).values())
        trial = _within(layers, linked, room)
        best = min(best, trial, key=lambda choice: total_instructions(layers, choice))
    return best


def cheapest(layers: Layers, code: Code, price: float) -> Choice:
    """Return the choice with the least sum of instructions and bytes at `price` each."""

    def worth(option: Option) -> float:
        return option.instructions + price * option.flash_bytes

    linked = {option.kernel for layer in layers for option in layer}
    group = sorted(linked - _fixed(layers))
    best: tuple[float, Choice] | None = None
    while True:
        for start in range(0, max(len(group), 1), MOST_TRIED):
            turn = group[start : start + MOST_TRIED]
            linked = _best_set(layers, code, price, linked - set(turn), turn)
        choice = _each_best(layers, linked, worth)
        linked = {layer[n].kernel for layer, n in zip(layers, choice, strict=True)}
        chosen = (layer[n] for layer, n in zip(layers, choice, strict=True))
        cost = sum(map(worth, chosen)) + price * sum(_sections(code, linked).values())
        if best is not None and cost >= best[0]:
            return best[1]
        best = (cost, choice)


def _best_set(
    layers: Layers, code: Code, price: float, linked: set[str], group: Sequence[str]
) -> set[str]:
    """Return `linked` with the members of `group` whose addition costs least."""
    cost = price * _code_bytes(code, linked, group)
    for layer in layers:
        cost += _layer_costs(layer, linked, group, lambda o: o.instructions + price * o.flash_bytes)
    return linked | _members(group, int(np.argmin(cost)))


def _sets_that_fit(layers: Layers, code: Code, limit: int) -> list[tuple[float, set[str]]]:
    """Return (instructions at best, kernels) of sets with which the layers could fit."""
    fixed = _fixed(layers)
    gains: dict[str, int] = {}
    for layer in layers:
        slowest = max(option.instructions for option in layer)
        for option in layer:
            gain = slowest - option.instructions
            gains[option.kernel] = gains.get(option.kernel, 0) + gain
    ranked = sorted(gains.keys() - fixed, key=lambda kernel: (-gains[kernel], kernel))
    group = ranked[:MOST_TRIED]
    flash = _code_bytes(code, fixed, group)
    instructions = np.zeros(len(flash))
    for layer in layers:
        instructions += _layer_costs(layer, fixed, group, lambda o: o.instructions)
        flash += _layer_costs(layer, fixed, group, lambda o: o.flash_bytes)
    order = [int(n) for n in np.lexsort((flash, instructions)) if flash[n] <= limit]
    return [(float(instructions[n]), fixed | _members(group, n)) for n in order[:_MOST_SETS]]


def _within(layers: Layers, linked: set[str], room: int) -> Choice:
    """Return fast options of `linked` that take `room` bytes without code, which they can."""
    choice = _each_best(layers, linked, lambda o: o.instructions + _CHEAPEST * o.flash_bytes)
    while _own_bytes(layers, choice) > room:
        exchanges = [
            ((now.flash_bytes - o.flash_bytes) / max(o.instructions - now.instructions, 1), at, n)
            for at, now in enumerate(layer[n] for layer, n in zip(layers, choice, strict=True))
            for n, o in enumerate(layers[at])
            if o.kernel in linked and o.flash_bytes < now.flash_bytes
        ]
        _, at, number = max(exchanges)
        choice[at] = number
    spare = room - _own_bytes(layers, choice)
    for at in sorted(range(len(layers)), key=lambda i: -layers[i][choice[i]].instructions):
        now = layers[at][choice[at]]
        for number, option in enumerate(layers[at]):
            more = option.flash_bytes - now.flash_bytes
            if option.kernel in linked and more <= spare and option.instructions < now.instructions:
                choice[at], now, spare = number, option, spare - more
    return choice


def _fixed(layers: Layers) -> set[str]:
    """Return the kernels without which some layer cannot be."""
    return {layer[0].kernel for layer in layers if len({o.kernel for o in layer}) == 1}


def _each_best(layers: Layers, linked: set[str], worth: _Worth) -> Choice:
    """Return each layer's best option of the kernels in `linked`."""
    return [
        min((n for n, o in enumerate(layer) if o.kernel in linked), key=lambda n: worth(layer[n]))
        for layer in layers
    ]


def _members(group: Sequence[str], number: int) -> set[str]:
    """Return the set with a number, whose bits say which members of the group are in it."""
    return {kernel for bit, kernel in enumerate(group) if number >> bit & 1}


def _layer_costs(
    layer: Sequence[Option], linked: set[str], group: Sequence[str], worth: _Worth
) -> Array:
    """Return the least worth of an option with `linked` and each set of the group's members."""
    sets = np.arange(1 << len(group))
    costs = np.full(len(sets), np.inf)
    for option in layer:
        if option.kernel in linked:
            costs = np.minimum(costs, worth(option))
        elif option.kernel in group:
            there = (sets >> group.index(option.kernel) & 1) != 0
            costs = np.where(there, np.minimum(costs, worth(option)), costs)
    return costs


def _code_bytes(code: Code, linked: set[str], group: Sequence[str]) -> Array:
    """Return the bytes of code of `linked` with each set of the group's members."""
    sets = np.arange(1 << len(group))
    there = _sections(code, linked)
    by_mask: dict[int, int] = {}
    for name, size in _sections(code, group).items():
        if name not in there:
            mask = sum(1 << bit for bit, kernel in enumerate(group) if name in code[kernel])
            by_mask[mask] = by_mask.get(mask, 0) + size
    total = np.full(len(sets), float(sum(there.values())))
    for mask, size in by_mask.items():
        total += size * ((sets & mask) != 0)
    return total


def _own_bytes(layers: Layers, choice: Choice) -> int:
    return sum(layer[n].flash_bytes for layer, n in zip(layers, choice, strict=True))


def _sections(code: Code, kernels: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for kernel in kernels:
        found |= code[kernel]
    return found
