"""RESIZE_NEAREST_NEIGHBOR up and down with both options."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from tests.support.resize_case import add_resizing

BUILTIN = "RESIZE_NEAREST_NEIGHBOR"
DTYPES = ("int8", "int16", "float32", "int32")
ULPS = 0


def add(draw, model, dtype):
    add_resizing(draw, model, dtype, BUILTIN, schema.ResizeNearestNeighborOptionsT())
