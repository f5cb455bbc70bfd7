"""The order of ops in which the least memory is alive at once."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from edgec.pipeline.graph import Graph

BUDGET = 20_000
"""Sets of done ops the search may visit before the best greedy order is taken."""


def best_order(
    graph: Graph, owners: Mapping[str, str], scratch_bytes: Sequence[int]
) -> tuple[int, ...]:
    """Return indices of the graph's ops in an order no worse than the given one.

    `owners` maps each value in the arena to the value whose memory it is; `scratch_bytes` is the
    working memory of each op.
    """
    search = _Search(graph, owners, scratch_bytes)
    given = tuple(range(len(graph.ops)))
    if search.is_chain():
        return given
    order = search.run()
    return order if search.peak(order) < search.peak(given) else given


class _Search:
    """Best-first search over sets of done ops, which are bit sets."""

    def __init__(
        self, graph: Graph, owners: Mapping[str, str], scratch_bytes: Sequence[int]
    ) -> None:
        self.count = len(graph.ops)
        self.scratch = scratch_bytes
        made_by = {name: i for i, op in enumerate(graph.ops) for name in op.outputs}
        self.needs = [
            sum(1 << made_by[n] for n in {*op.inputs} if n in made_by) for op in graph.ops
        ]
        self._keep_state_order(graph)
        self.size: dict[str, int] = {}
        self.maker: dict[str, int] = {}
        self.readers: dict[str, int] = {}
        for index, op in enumerate(graph.ops):
            for name in op.outputs:
                owner = owners.get(name)
                if owner is not None and not graph[owner].variable:
                    self.size[owner] = graph[owner].size_bytes
                    self.maker.setdefault(owner, index)
            for name in (*op.inputs, *op.outputs):
                owner = owners.get(name)
                if owner is not None and owner in self.size:
                    self.readers[owner] = self.readers.get(owner, 0) | 1 << index

    def _keep_state_order(self, graph: Graph) -> None:
        """Make ops that share recurrent state run in the order given."""
        last: dict[str, int] = {}
        for index, op in enumerate(graph.ops):
            for name in op.inputs:
                if name and graph[name].variable:
                    if name in last:
                        self.needs[index] |= 1 << last[name]
                    last[name] = index

    def live(self, done: int) -> int:
        """Return the bytes that must be kept after the ops of `done`."""
        return sum(
            size
            for owner, size in self.size.items()
            if done >> self.maker[owner] & 1 and self.readers[owner] & ~done
        )

    def cost(self, done: int, index: int) -> int:
        """Return the bytes alive while op `index` runs after `done`."""
        new = sum(s for o, s in self.size.items() if self.maker[o] == index)
        return self.live(done) + new + self.scratch[index]

    def ready(self, done: int) -> list[int]:
        """Return the ops that can run after `done`."""
        return [i for i in range(self.count) if not done >> i & 1 and not self.needs[i] & ~done]

    def is_chain(self) -> bool:
        """Return whether there is only one order."""
        return all(len(self.ready((1 << i) - 1)) <= 1 for i in range(self.count))

    def peak(self, order: Sequence[int]) -> int:
        """Return the most bytes alive in an order."""
        done = peak = 0
        for index in order:
            peak = max(peak, self.cost(done, index))
            done |= 1 << index
        return peak

    def run(self) -> tuple[int, ...]:
        """Return the best order within the budget, else the greedy one."""
        full = (1 << self.count) - 1
        heap: list[tuple[int, int, int, tuple[int, ...]]] = [(0, 0, 0, ())]
        seen: set[int] = set()
        budget = BUDGET // max(1, self.count // 20)
        while heap and len(seen) < budget:
            peak, _, done, order = heapq.heappop(heap)
            if done == full:
                return order
            if done in seen:
                continue
            seen.add(done)
            for index in self.ready(done):
                after = done | 1 << index
                if after not in seen:
                    worst = max(peak, self.cost(done, index))
                    heapq.heappush(heap, (worst, -len(order), after, (*order, index)))
        return self._greedy()

    def _greedy(self) -> tuple[int, ...]:
        done = 0
        order: list[int] = []
        while len(order) < self.count:
            best = min(
                self.ready(done),
                key=lambda i: (self.live(done | 1 << i), self.cost(done, i), i),
            )
            order.append(best)
            done |= 1 << best
        return tuple(order)
