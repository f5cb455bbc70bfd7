"""What a session of MLPerf Tiny came to, as lines for the terminal."""

from __future__ import annotations

from edgec.pipeline.mlperf.run import MlperfResult


def facts(result: MlperfResult) -> list[tuple[str, str]]:
    """Return labelled lines; what an emulator's clock says is never called time."""
    device = result.device
    lines = [
        ("benchmark", f"MLPerf Tiny {result.model}, {result.mode}"),
        ("device", f"{device.name}, {device.target or result.target}, timer {device.timer or '?'}"),
    ]
    if result.emulated:
        words = "virtual time: no latency of any board, and not for submission"
        lines.append(("emulated", f"by {result.emulated}; {words}"))
    if result.throughput is not None:
        unit = "inferences a virtual second" if result.emulated else "inferences a second"
        spread = f"{min(result.windows):.3f} to {max(result.windows):.3f}"
        lines.append(
            (
                "throughput",
                f"{result.throughput:.3f} {unit}, {len(result.windows)} windows {spread}",
            )
        )
    if result.scores is not None:
        scores = result.scores
        auc = "not defined" if scores.auc is None else f"{scores.auc:.3f}"
        lines.append(("accuracy", f"{scores.accuracy:.1f} %, AUC {auc}"))
        lines.append(("data", f"{scores.files} files, {scores.inferences} inferences"))
    if result.retries:
        lines.append(("retries", f"{result.retries} on the line"))
    return [*lines, ("files", str(result.folder))]
