"""What `python3 agent.pyz RUNTIME MODEL OPTIONS` runs on a device."""

from __future__ import annotations

import argparse
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgec.targets.agent.server import Model


def main() -> int:
    """Load the model and answer frames until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runtime", choices=("litert", "ort"))
    parser.add_argument("model")
    parser.add_argument("--target", default="")
    parser.add_argument("--name", default="")
    parser.add_argument("--build", default="", help="what the agent says that it is")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--site", default="", help="folder of runtimes that edgec put there")
    asked = parser.parse_args()
    sys.path[1:1] = _installed(asked.site)
    # A runtime may print: what it prints must not end up between frames.
    from edgec.targets.agent.server import serve, take_output

    send = take_output()
    try:
        model = _load(asked)
    except ImportError as error:
        print(f"edgec-no-runtime {error}", file=sys.stderr)
        return 3
    serve(model, Path(asked.model), (asked.name, asked.target, asked.build), send)
    return 0


def _load(asked: argparse.Namespace) -> Model:
    if asked.runtime == "litert":
        from edgec.targets.agent.litert import LiteRtModel

        return LiteRtModel(asked.model, asked.threads)
    from edgec.targets.agent.ort import OrtModel

    return OrtModel(asked.model, asked.threads, asked.profile)


def _installed(folder: str) -> list[str]:
    """Return the runtimes there that are for this Python and whole."""
    if not folder:
        return []
    mine = f"cp{sys.version_info[0]}{sys.version_info[1]}-{_machine()}-"
    found = sorted(Path(folder).glob(f"{mine}*"))
    return [str(path) for path in found if (path / "complete").is_file()]


def _machine() -> str:
    """Return what wheels call this machine: a Python of 32 bits may run on a kernel of 64."""
    machine = platform.machine()
    return "armv7l" if machine.startswith(("arm", "aarch")) and sys.maxsize < 2**32 else machine


if __name__ == "__main__":
    sys.exit(main())
