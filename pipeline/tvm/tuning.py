"""Searches schedules by measuring them on this machine, and keeps the best ones.

The search is MetaSchedule's, without threads. Work is kept in a folder of JSON lines, by the
structure of the loops: a layer that any earlier model had is known already. Layers take turns,
those with the most to gain more often; each result is kept at once, so that a search can end at
any time. Schedules are built and run in this process, which is a worker of its own anyway:
MetaSchedule's pools of processes take longer to start than a layer takes to compile.
"""

from __future__ import annotations

import fcntl
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from edgec.pipeline.tvm.schedules import default_schedule

_PER_TURN = 12
_WINDOWS, _WINDOW_S = 8, 0.002
"""How often a schedule is timed, and for how long at least."""
_HOPELESS = 8.0
"""A schedule that takes so many times the best one's time is not timed again."""
_DISAPPOINTED = 0.8
"""What a turn without a better schedule makes of the next one's prospects."""
_SEED = 1
_POPULATION, _NEW, _GENERATIONS = 48, 24, 2
"""A tenth of MetaSchedule's: in one thread its search would take longer than the measuring."""
_UNROLL_STEPS = (0, 16, 64, 512)

Told = Callable[[int, int], None]
"""Takes how many trials are done, of how many."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much to search: measurements in all, and minutes after which none is begun."""

    trials: int
    minutes: float


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a lock file, made with its folder if need be; wait while another process does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Records:
    """The work that is kept for one target; one process at a time may add to it.

    Each function has a folder of its own, named by its structure, so that a build reads what is
    known of its own layers and not of all that were ever tuned. The files are locked while they
    are read or grow, not while a search goes on: builds do not wait for it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._databases: dict[Path, Any] = {}

    def _own(self, function: Any) -> Path:
        import tvm_ffi

        number = tvm_ffi.structural_hash(_module(function)) % (1 << 64)
        return self._folder / f"{number:016x}"

    def database(self, function: Any) -> Any:
        """Return MetaSchedule's database of a function, as it was when first asked for."""
        from tvm.s_tir import meta_schedule as ms

        folder = self._own(function)
        if folder not in self._databases:
            with self._held():
                folder.mkdir(exist_ok=True)
                self._databases[folder] = ms.database.JSONDatabase(work_dir=str(folder))
        return self._databases[folder]

    def best(self, function: Any) -> tuple[Any, float] | None:
        """Return a function with the best schedule known, and its seconds; None if none is."""
        from tvm.s_tir import Schedule

        if not self._own(function).is_dir():
            return None
        module, database = _module(function), self.database(function)
        if not database.has_workload(module):
            return None
        found = database.get_top_k(database.commit_workload(module), 1)
        if not found:
            return None
        sch = Schedule(module)
        found[0].trace.apply_to_schedule(sch, remove_postproc=False)
        return sch.mod["main"], _mean(found[0].run_secs)

    def add(self, function: Any, trace: Any, seconds: float, target: Any, arguments: Any) -> None:
        """Keep what a schedule of a function takes."""
        from tvm.s_tir import meta_schedule as ms

        database = self.database(function)
        with self._held():
            workload = database.commit_workload(_module(function))
            database.commit_tuning_record(
                ms.database.TuningRecord(trace, workload, [seconds], target, arguments)
            )

    def _held(self) -> AbstractContextManager[None]:
        return held(self._folder / "lock")


@dataclass(slots=True, eq=False)
class _Task:
    """The search for one function, which a model calls `weight` times."""

    function: Any
    weight: int
    context: Any
    best: float
    prospects: float = 1.0
    turns: int = 0
    over: bool = False

    @property
    def gain(self) -> float:
        """What another turn may bring; functions without one come first."""
        return 0.0 if self.over else self.weight * self.best * self.prospects


def tune(
    functions: Sequence[tuple[Any, int]],
    records: Records,
    target: Any,
    lanes: int,
    limits: Limits,
    told: Told,
) -> int:
    """Measure schedules of functions, each with how often the model calls it; return how many.

    What the default schedules take is measured first, so that tuning is never for the worse.
    """
    from tvm.s_tir import meta_schedule as ms

    deadline = time.monotonic() + 60 * limits.minutes
    done = 0
    for function, _ in functions:
        sch = default_schedule(function, lanes)
        arguments = _arguments(sch.mod)
        seconds = _seconds(sch.mod, target, arguments, math.inf)
        records.add(function, sch.trace, seconds, target, arguments)
    # TVM would count cores with psutil, which nothing else here needs.
    model = ms.cost_model.CostModel.create("xgb", num_tuning_cores=os.cpu_count())
    tasks = [_task(f, weight, records, target, limits, model) for f, weight in functions]
    while done < limits.trials and time.monotonic() < deadline:
        task = max(tasks, key=lambda t: (t.turns == 0, t.gain))
        if task.over:
            break
        candidates = task.context.search_strategy.generate_measure_candidates()
        task.turns += 1
        if not candidates:
            task.over = True
            continue
        results = []
        for candidate in candidates[: limits.trials - done]:
            if time.monotonic() > deadline:
                break
            results.append(_measured(task, candidate, records, target))
            done += 1
            told(done, limits.trials)
        taken = candidates[: len(results)]
        task.context.search_strategy.notify_runner_results(taken, results)
        model.update(task.context, taken, results)
        _judge(task, results)
    return done


def _judge(task: _Task, results: Sequence[Any]) -> None:
    """Note the best time of a turn, and lose hope where there is none better."""
    found = min((_mean(r.run_secs) for r in results if r.run_secs), default=math.inf)
    if found < task.best * 0.98:
        task.prospects = 1.0
    else:
        task.prospects *= _DISAPPOINTED
    task.best = min(task.best, found)


def _measured(task: _Task, candidate: Any, records: Records, target: Any) -> Any:
    """Build and time a candidate, and keep what it takes; a failure is a result, too."""
    from tvm.s_tir import meta_schedule as ms

    try:
        seconds = _seconds(candidate.sch.mod, target, candidate.args_info, task.best)
    except Exception as error:  # TVM raises all kinds; such a schedule is just no good
        return ms.runner.RunnerResult(None, str(error)[-500:])
    records.add(task.function, candidate.sch.trace, seconds, target, candidate.args_info)
    return ms.runner.RunnerResult([seconds], None)


def _seconds(module: Any, target: Any, arguments: Any, best: float) -> float:
    """Return what a scheduled function takes in the least disturbed of several windows.

    Other programs only ever add time. Arguments are filled with numbers near one.
    """
    import numpy as np
    import tvm
    from tvm.driver import build

    built = build(module, target=target)
    rng = np.random.default_rng(0)
    values = []
    for info in arguments:
        shape, kind = tuple(int(d) for d in info.shape), np.dtype(str(info.dtype))
        real = rng.random(shape, np.float32) + np.float32(0.5)
        numbers = real if kind.kind == "f" else rng.integers(1, 100, shape)
        values.append(tvm.runtime.tensor(numbers.astype(kind)))
    once = built.time_evaluator("main", tvm.cpu(), number=1, repeat=2)(*values)
    first = min(float(s) for s in once.results)
    if first > _HOPELESS * best:
        return first
    number = max(1, round(_WINDOW_S / max(first, 1e-7)))
    found = built.time_evaluator("main", tvm.cpu(), number=number, repeat=_WINDOWS)(*values)
    return min(float(s) for s in found.results)


def _arguments(module: Any) -> list[Any]:
    from tvm.s_tir.meta_schedule.arg_info import ArgInfo

    return list(ArgInfo.from_entry_func(module, remove_preproc=True))


def _task(
    function: Any, weight: int, records: Records, target: Any, limits: Limits, model: Any
) -> _Task:
    from tvm.s_tir import meta_schedule as ms

    # A context imports intrinsics of GPUs for 18 s, which no rule here asks for.
    sys.modules.setdefault("tvm.s_tir.tensor_intrin", ModuleType("tvm.s_tir.tensor_intrin"))
    space = ms.space_generator.PostOrderApply(
        sch_rules=_rules(),
        postprocs=[
            ms.postproc.DisallowDynamicLoop(),
            ms.postproc.RewriteParallelVectorizeUnroll(),
            ms.postproc.RewriteReductionBlock(),
        ],
        mutator_probs={
            ms.mutator.MutateTileSize(): 0.9,
            ms.mutator.MutateComputeLocation(): 0.05,
            ms.mutator.MutateUnroll(): 0.03,
        },
    )
    strategy = ms.search_strategy.EvolutionarySearch(
        population_size=_POPULATION, init_min_unmeasured=_NEW, genetic_num_iters=_GENERATIONS
    )
    context = ms.TuneContext(
        mod=_module(function),
        target=target,
        space_generator=space,
        search_strategy=strategy,
        rand_state=_SEED,
        num_threads=1,
    ).clone()
    context.search_strategy.pre_tuning(
        limits.trials, _PER_TURN, context.generate_design_space(), records.database(function), model
    )
    known = records.best(function)
    return _Task(function, weight, context, math.inf if known is None else known[1])


def _rules() -> list[Any]:
    """Return MetaSchedule's rules for CPUs without those that make threads."""
    from tvm.s_tir.meta_schedule import schedule_rule as rule

    inline = rule.AutoInline(
        into_producer=False,
        into_consumer=True,
        inline_const_tensor=True,
        disallow_if_then_else=True,
        require_injective=True,
        require_ordered=True,
        disallow_op=["tirx.exp"],
    )
    return [
        rule.InlineConstantScalars(),
        inline,
        rule.AddRFactor(max_jobs_per_core=1, max_innermost_factor=64),
        rule.MultiLevelTiling(
            structure="SSRSRS",
            max_innermost_factor=64,
            reuse_write=rule.ReuseType(req="may", levels=[1, 2], scope="global"),
        ),
        rule.ParallelizeVectorizeUnroll(
            max_jobs_per_core=-1,
            max_vectorize_extent=64,
            unroll_max_steps=list(_UNROLL_STEPS),
            unroll_explicit=True,
        ),
        rule.RandomComputeLocation(),
    ]


def _module(function: Any) -> Any:
    import tvm

    named = function.with_attr({"global_symbol": "main", "tirx.noalias": True})
    return tvm.IRModule({"main": named})


def _mean(seconds: Any) -> float:
    values = [float(s) for s in seconds or ()]
    return sum(values) / len(values) if values else math.inf
