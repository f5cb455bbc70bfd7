"""Writes the CI file that builds firmware on hosted runners and measures it in a lab."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import edgec
from edgec.pipeline.errors import UsageError
from edgec.targets.profile import Target, load_target

TEMPLATES = Path(__file__).parent / "ci"
PLACES = {"github": Path(".github/workflows/edgec.yml"), "gitlab": Path(".gitlab-ci.yml")}

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
# What a path may hold so that YAML, the shell and expressions of CI leave it alone.
_PATH = re.compile(r"[\w./+@ -]+")
_INSTALL = re.compile(r"[^\n${}]*")


@dataclass(frozen=True, slots=True)
class CiOptions:
    """What is to be built and measured: every model for every target.

    Paths are relative to the repository. `baseline` is empty where nothing is compared; `label` is
    that of the lab's runner; `install` what pip installs, edgec of this version if it is empty.
    """

    models: tuple[str, ...]
    targets: tuple[str, ...]
    baseline: str = ""
    label: str = "edgec-lab"
    install: str = ""


def ci_text(kind: str, options: CiOptions) -> str:
    """Return the text of the CI file; `kind` is a key of PLACES.

    Raises UsageError for labels and paths that would have to be escaped.
    """
    paths = [*options.models, *options.targets, options.baseline]
    for path in filter(None, paths):
        if not _PATH.fullmatch(path) or path.startswith(("/", "-")) or ".." in Path(path).parts:
            raise UsageError(
                f"{path!r} is no path for a CI file",
                "write it relative to the repository; letters, digits, spaces and ./+@_- only",
            )
    if not _LABEL.fullmatch(options.label):
        raise UsageError(f"{options.label!r} is no label", "take letters, digits, ., - and _")
    if not _INSTALL.fullmatch(options.install):
        raise UsageError(f"{options.install!r} is nothing that pip installs")
    targets = [load_target(name) for name in options.targets]
    margin = " " * (10 if kind == "github" else 6)
    copy = f"cp -r -- {shlex.quote(options.baseline)} lab/baselines"
    values = {
        "LABEL": options.label,
        "PACKAGES": " ".join(_packages(targets)),
        "INSTALL": shlex.quote(options.install or _requirement(options.models)),
        "BUILD": "\n".join(margin + line for line in _builds(options)),
        "COPY": margin + copy if options.baseline else "",
        "BASELINE": "--baseline lab/baselines" if options.baseline else "",
    }
    text = (TEMPLATES / f"{kind}.yml").read_text(encoding="utf-8")
    filled = re.sub(r"@([A-Z]+)@", lambda found: values[found[1]], text)
    return "\n".join(line.rstrip() for line in filled.split("\n") if line.strip()) + "\n"


def _builds(options: CiOptions) -> list[str]:
    """Return the lines that build every model for every target."""
    names = [Path(model).stem for model in options.models]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"two models are named {twice[0]!r}", "rename one of the files")
    pairs = [
        (model, target, f"build/edgec/{name}-{Path(target).stem}")
        for model, name in zip(options.models, names, strict=True)
        for target in options.targets
    ]
    return [
        shlex.join(["edgec", "build", "--target", target, model, "-o", out])
        for model, target, out in pairs
    ]


def _packages(targets: list[Target]) -> list[str]:
    """Return what apt installs: compilers of the targets, and the emulators that verify."""
    wanted = {"gcc", "make", "libc6-dev"}
    for target in targets:
        wanted |= set(target.toolchain.package.split())
        wanted |= {"qemu-system-arm"} if target.runner == "qemu" else set()
        wanted |= {"qemu-user"} if target.runner == "qemu_user" else set()
    return sorted(wanted)


def _requirement(models: tuple[str, ...]) -> str:
    light = all(model.endswith(".tflite") for model in models)
    return f"edgec{'' if light else '[tensorflow]'}=={edgec.__version__}"
