"""ARG_MIN: index of the smallest element along an axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from edgec.codegen.arg_extreme import ArgExtreme
from edgec.codegen.registry import register


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class ArgMin(ArgExtreme):
    """Index of the first smallest element."""

    builtin: ClassVar[str] = "ARG_MIN"
    largest: ClassVar[bool] = False
