"""Sizes of the programs that backend aot makes of the benchmark models, for the documentation.

Builds each for the Raspberry Pi 4 and PCs, for size and for speed, strips it, and writes the table
into `docs/performance-x86.md`.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from edgec.pipeline.driver import build
from edgec.targets.profile import load_target
from edgec.targets.toolchain import run

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("EDGEC_MODELS", ROOT.parent / "shared" / "models")) / "mlperf-tiny"
MODELS = {
    "ic": "ic_resnet8_int8.tflite",
    "kws": "kws_dscnn_int8.tflite",
    "vww": "vww_mobilenetv1_int8.tflite",
    "ad": "ad_fc_autoencoder_int8.tflite",
}
TARGETS = ("rpi4", "x86", "x86-64-v3")
DOCS = ROOT / "docs" / "performance-x86.md"
BEGIN, END = "<!-- sizes: begin -->", "<!-- sizes: end -->"


def sizes(model: str, target: str, optimize: str) -> tuple[int, int, int, str]:
    """Return bytes of the stripped program, of the model in it and its weights, and the flags."""
    with tempfile.TemporaryDirectory(prefix="edgec-sizes-") as folder:
        out = Path(folder) / "bundle"
        done = build(
            SHARED / MODELS[model], target=target, backend="aot", optimize=optimize, name=model,
            verify=False, out=out,
        )  # fmt: skip
        program = Path(folder) / "program"
        shutil.copyfile(out / "firmware" / "build" / "image.elf", program)
        run([f"{load_target(target).toolchain.prefix}strip", str(program)], timeout_s=60)
        memory, flags = done.result.memory, done.result.flags
        assert memory.flash_bytes is not None and memory.weight_bytes is not None
        level = " ".join(flags["hot"])
        return program.stat().st_size, memory.flash_bytes, memory.weight_bytes, level


def main() -> int:
    """Write the table."""
    if not SHARED.is_dir():
        print(f"no benchmark models in {SHARED}: set EDGEC_MODELS", file=sys.stderr)
        return 2
    lines = [
        "| model | target | `--optimize` | hot kernels | program | model in it | weights |",
        "| --- | --- | --- | --- | ---: | ---: | ---: |",
    ]
    for model in MODELS:
        for target in TARGETS:
            for optimize in ("size", "speed"):
                total, library, weights, level = sizes(model, target, optimize)
                lines.append(
                    f"| {model} | {target} | {optimize} | `{level}` | {total:,} | {library:,} "
                    f"| {weights:,} |"
                )
                print(lines[-1])
    head, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    body = "\n".join(lines)
    DOCS.write_text(f"{head}{BEGIN}\n{body}\n{END}{tail}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
