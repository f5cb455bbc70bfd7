"""Show how the generated C of the test models differs between two commits.

    tools/replay.py BASE [HEAD]      HEAD is the working tree where it is left out

A change that should not change code is proven by an empty diff; one that should is read in it.
Models are the `.tflite` files of EDGEC_MODELS and the small one of the tests.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODELS = Path(os.environ.get("EDGEC_MODELS", ROOT.parent / "shared" / "models")) / "mlperf-tiny"
TARGETS = ("cortex-m0plus", "cortex-m4", "cortex-m55")
MODES = ("size", "balanced", "speed")


def emit(tree: Path, models: list[Path], out: Path) -> None:
    """Generate the C of every model, target and mode with the edgec of a source tree."""
    environment = {**os.environ, "PYTHONPATH": str(tree / "tools" / "importroot")}
    for model in models:
        for target in TARGETS:
            for mode in MODES:
                folder = out.with_suffix(".bundles") / f"{model.stem}-{target}-{mode}"
                command = [
                    sys.executable, "-m", "edgec", "build", "-q", "--json", "--emit-only",
                    "--target", target, "--optimize", mode, str(model), "-o", str(folder),
                ]  # fmt: skip
                done = subprocess.run(
                    command, env=environment, capture_output=True, text=True, check=False
                )
                kept = out / folder.name
                if done.returncode == 0:
                    shutil.copytree(folder / "src", kept)
                else:
                    kept.mkdir(parents=True)
                    (kept / "refused.txt").write_text(done.stdout, encoding="utf-8")
                print(f"{tree.name}: {folder.name}", file=sys.stderr)


def small_model(folder: Path) -> Path:
    """Write the tests' small model and return its path."""
    sys.path.insert(0, str(ROOT))
    from tests.support.models import small_cnn

    path = folder / "small.tflite"
    path.write_bytes(small_cnn())
    return path


def main() -> int:
    """Print the diff; exit with 1 where there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", help="a commit")
    parser.add_argument("head", nargs="?", help="another commit; the working tree otherwise")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edgec-replay-") as name:
        work = Path(name)
        models = [small_model(work), *sorted(MODELS.glob("*.tflite"))]
        sides = {"base": chosen.base, "head": chosen.head}
        try:
            for side, commit in sides.items():
                tree = ROOT if commit is None else work / f"tree-{side}"
                if commit is not None:
                    subprocess.run(
                        ["git", "worktree", "add", "--detach", str(tree), commit],
                        cwd=ROOT, check=True, capture_output=True,
                    )  # fmt: skip
                emit(tree, models, work / side)
        finally:
            for side, commit in sides.items():
                if commit is not None:
                    subprocess.run(
                        ["git", "worktree", "remove", "--force", str(work / f"tree-{side}")],
                        cwd=ROOT, check=False, capture_output=True,
                    )  # fmt: skip
        command = [
            "git", "diff", "--no-index", "--stat", "--patch", "--no-color",
            "--", "base", "head",
        ]  # fmt: skip
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        sys.stdout.write(done.stdout)
        lines = done.stdout.count("\n")
        print(f"{lines} lines of difference" if lines else "no difference", file=sys.stderr)
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
