"""Results for the tests of what is made of them, as a measurement leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgec.pipeline.report.document import document
from edgec.pipeline.report.result import Accuracy, Layer, Memory, Result
from edgec.pipeline.verify import Verified
from edgec.targets.host_state import HostState

LAYERS = (("CONV_2D", 40_000), ("DEPTHWISE_CONV_2D", 30_000), ("FULLY_CONNECTED", 5_000))


def measured_result(
    counts: Sequence[int] = (40_000, 30_000, 5_000),
    *,
    unit: str = "instructions",
    samples: Sequence[int] | None = None,
    **changes: Any,
) -> Result:
    """Return a result of three layers; its samples are the sum of their counts if not given."""
    layers = tuple(
        Layer(number, op, (1, 8), f"edgec_{op.lower()}_int8", macs, 100, count, "", macs * 2)
        for number, ((op, macs), count) in enumerate(zip(LAYERS, counts, strict=True))
    )
    facts: dict[str, Any] = {
        "model": "kws",
        "source": "kws.tflite",
        "model_sha256": "ab" * 32,
        "target": "cortex-m4",
        "cpu": "cortex-m4",
        "runner": "qemu",
        "compiler": "arm-none-eabi-gcc 12.2.1",
        "flags": {"all": ("-mthumb",)},
        "rounding": "tflite",
        "backend": "aot",
        "optimize": "balanced",
        "layers": layers,
        "memory": Memory(2_000, 1_900, 500, 300, 16_000, 3_000, 400, 2_400, 2_100),
        "unit": unit,
        "samples": tuple(samples or (sum(counts),)),
        "timer_hz": 25_000_000,
        "accuracy": Accuracy(360, 0.99, 0.98, 0.98),
        "verified": (Verified("cortex-m4", "LiteRT", 3, True),),
        "states": (HostState(load=0.1), HostState(load=0.2)) if unit == "ns" else (),
    }
    return Result(**{**facts, **changes})


def measured(counts: Sequence[int] = (40_000, 30_000, 5_000), **options: Any) -> dict[str, Any]:
    """Return the document of such a result."""
    return document(measured_result(counts, **options))
