"""edgec: a trained model goes in, a measured, verified firmware comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from edgec.pipeline.driver import BuildOptions as BuildOptions
    from edgec.pipeline.driver import build as build

__all__ = ["BuildOptions", "__version__", "build"]


def __getattr__(name: str) -> Any:
    if name in ("build", "BuildOptions"):
        from edgec.pipeline import driver

        return getattr(driver, name)
    raise AttributeError(f"module 'edgec' has no attribute {name!r}")
