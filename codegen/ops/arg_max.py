"""ARG_MAX: index of the largest element along an axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from edgec.codegen.arg_extreme import ArgExtreme
from edgec.codegen.registry import register


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class ArgMax(ArgExtreme):
    """Index of the first largest element."""

    builtin: ClassVar[str] = "ARG_MAX"
    largest: ClassVar[bool] = True
