"""The rows of a report, as text: the terminal and the Markdown report print the same."""

from __future__ import annotations

from collections.abc import Callable

from edgec.pipeline.passes import Saving
from edgec.pipeline.report.result import Layer, Result
from edgec.targets.host_state import HostState
from edgec.targets.timing import Spread


def facts(result: Result) -> list[tuple[str, str]]:
    """Return what a build found, label and value."""
    rows = [
        ("model", f"{result.source}, {result.macs:,} MACs"),
        ("target", f"{result.target}, optimised for {result.optimize}"),
        ("backend", f"{result.backend}, {result.threads} thread{'s' * (result.threads > 1)}"),
        ("rounding", result.rounding),
    ]
    if result.compiler.startswith("zig "):
        rows.append(("compiler", f"{result.compiler}, in the place of GCC"))
    if result.calibration:
        rows.append(("calibration", result.calibration))
    rows += [("input layout", text) for text in result.input_layouts]
    rows += [("rewrite", _saving(saving)) for saving in result.savings]
    rows += _rivals(result)
    rows += [("verified", _verified(result))] if result.verified else []
    rows += [("not run", text) for text in result.not_run]
    if result.total is not None and result.unit is not None:
        per_mac = f", {result.total / result.macs:.2f} per MAC" if result.macs else ""
        remark = f", {result.remark}" if result.remark else ""
        rows.append((result.unit, f"{result.total:,.0f}{per_mac}{remark}"))
        rows += _expected(result)
    if result.emulator:
        rows.append(("latency", f"not measured: {result.emulator} shows only that it works"))
    if result.total is not None and all(layer.count is None for layer in result.layers):
        rows.append(("layers", f"{result.backend} tells no times of layers"))
    rows += [("spread", _spread(result.timing))] if result.timing else []
    rows += [("device", _state(state)) for state in result.states]
    rows += _memory(result)
    rows += _accuracy(result)
    return rows


def _rivals(result: Result) -> list[tuple[str, str]]:
    """Say what each backend that competed came to, and why one was kept."""
    rows = []
    for rival in result.rivals:
        if rival.median is not None:
            text = f"median {rival.median:,.0f} {result.unit or 'ns'}, p95 {rival.p95 or 0:,.0f}"
        else:
            text = rival.why or "right; not timed"
        text += f", {rival.remark}" if rival.remark else ""
        rows.append((f"  {rival.backend}", text + (" (kept)" if rival.chosen else "")))
    if rows and any(rival.chosen and rival.median is None for rival in result.rivals):
        rows.append(("  kept by", "the target's order: no time was measured"))
    return rows


def _saving(saving: Saving) -> str:
    parts = [
        (saving.ops, "ops"),
        (saving.macs, "MACs"),
        (saving.constant_bytes, "constant bytes"),
        (saving.arena_bytes, "bytes of arena"),
    ]
    counts = ", ".join(f"{count:,} {what}" for count, what in parts if count)
    return f"{saving.name.replace('_', ' ')} saved {counts}"


def _verified(result: Result) -> str:
    places = " = ".join(v.device for v in result.verified)
    last = result.verified[-1]
    return f"{last.oracle} = {places}, {last.within} on {last.samples} inputs"


def _spread(timing: Spread) -> str:
    return (
        f"of {timing.samples:,} inferences: p95 {timing.p95:,.0f}, p99 {timing.p99:,.0f}, "
        f"MAD {timing.mad:,.0f}"
    )


def _state(state: HostState) -> str:
    """Return what a computer said of itself before or after it was measured."""
    told = [
        (state.model, "{}"),
        (state.governor, "governor {}"),
        (state.clock_hz and state.clock_hz / 1e6, "{:.0f} MHz"),
        (state.temperature_c, "{:.1f} °C"),
        (state.throttled, "throttled {:#x}"),
        (state.load, "load {:.2f}"),
    ]
    return ", ".join(text.format(value) for value, text in told if value is not None)


def _memory(result: Result) -> list[tuple[str, str]]:
    memory = result.memory
    rows = []
    if memory.arena_bytes is not None:
        apart = memory.arena_bytes - (memory.arena_bound_bytes or 0)
        how = f"{apart:,} over" if apart > 0 else f"{-apart:,} under" if apart else "equal to"
        rows.append(("arena", f"{memory.arena_bytes:,} bytes, {how} what is alive at once"))
    if memory.flash_bytes is not None:
        rows.append(
            ("flash", f"{memory.flash_bytes:,} bytes, {memory.weight_bytes or 0:,} of them weights")
        )
    elif memory.weight_bytes is not None:
        rows.append(("weights", f"{memory.weight_bytes:,} bytes"))
    if memory.ram_bytes is not None and memory.stack_bytes is not None:
        arena = memory.arena_bytes or 0
        rest = memory.ram_bytes - arena - memory.stack_bytes
        rows.append(
            (
                "RAM",
                f"{memory.ram_bytes:,} bytes: arena with inputs and outputs "
                f"{arena:,}, stack {memory.stack_bytes:,}, other {rest:,}",
            )
        )
    if memory.model_bytes is not None:
        rows.append(("model file", f"{memory.model_bytes:,} bytes"))
    if memory.binary_bytes is not None:
        rows.append(("program", f"{memory.binary_bytes:,} bytes, stripped, with the C library"))
    if memory.peak_bytes is not None:
        rows.append(("peak memory", f"{memory.peak_bytes:,} bytes, of the whole process"))
    if memory.firmware_flash_bytes is not None:
        rows.append(
            (
                "bench firmware",
                f"{memory.firmware_flash_bytes:,} bytes of flash and "
                f"{memory.firmware_ram_bytes:,} of RAM, not counted above",
            )
        )
    return rows


def _expected(result: Result) -> list[tuple[str, str]]:
    """Say what the chosen kernels were expected to take, where a core's costs are known."""
    stated = [layer for layer in result.layers if layer.predicted is not None]
    if result.unit != "instructions" or not stated:
        return []
    predicted = sum(layer.predicted or 0 for layer in stated)
    counted = sum(layer.count or 0 for layer in stated)
    text = f"{predicted:,} expected of {len(stated)} layers that took {counted:,}"
    return [("kernel choice", f"{text}; why each was chosen: report.md")]


def _accuracy(result: Result) -> list[tuple[str, str]]:
    accuracy = result.accuracy
    if accuracy is None:
        return []
    shares = [
        ("float model", accuracy.float_model),
        ("reference interpreter", accuracy.reference),
        (result.target, accuracy.device),
    ]
    parts = [f"{name} {share:.2%}" for name, share in shares if share is not None]
    return [("accuracy", f"{', '.join(parts)} of {accuracy.samples} test samples")]


def layer_rows(
    result: Result, *, brief: bool = False
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return head and rows of the table of layers; `brief` leaves out why a kernel was chosen."""
    measured = any(layer.count is not None for layer in result.layers)
    columns: list[tuple[str, Callable[[Layer], str]]] = [
        ("#", lambda layer: str(layer.index)),
        ("op", lambda layer: layer.op),
        ("output", lambda layer: "x".join(map(str, layer.output))),
        ("kernel", lambda layer: layer.kernel.removeprefix("edgec_")),
        ("chosen as", lambda layer: layer.chosen),
        ("MACs", lambda layer: f"{layer.macs:,}" if layer.macs else ""),
        ("weights", lambda layer: f"{layer.weight_bytes:,}" if layer.weight_bytes else ""),
        ("predicted", lambda layer: "" if layer.predicted is None else f"{layer.predicted:,}"),
        (result.unit or "", lambda layer: f"{layer.count or 0:,}"),
        ("per MAC", lambda layer: f"{(layer.count or 0) / layer.macs:.2f}" if layer.macs else ""),
    ]
    left_out = {"chosen as", "predicted"} if brief else set()
    if not measured:
        left_out |= {"", "per MAC"}
    shown = [(name, cell) for name, cell in columns if name not in left_out]
    head = tuple(name for name, _ in shown)
    return head, [tuple(cell(layer) for _, cell in shown) for layer in result.layers]
