"""Keeps a data set's splits in one `.npz`, so that every step of a recipe sees the same samples."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from edgec.pipeline.compress.dataset import Dataset, Split
from edgec.pipeline.compress.work import disk_errors

SPLITS = ("train", "validation", "test")


def store_data(path: Path, data: Dataset) -> str:
    """Write all splits to `path`, whole or not at all; return the SHA-256 of their content."""
    arrays = {}
    for name in SPLITS:
        split: Split = getattr(data, name)
        arrays[f"{name}_targets"] = split.targets
        arrays |= {f"{name}_input_{i}": x for i, x in enumerate(split.inputs)}
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    facts = {"classes": data.classes, "description": data.description, "warnings": data.warnings}
    arrays["facts"] = np.array(json.dumps(facts))
    partial = path.with_name(f".{path.name}")
    with disk_errors(path):
        try:
            with partial.open("wb") as stream:
                np.savez(stream, allow_pickle=False, **arrays)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    return digest.hexdigest()


def stored_data(path: Path) -> Dataset:
    """Read what `store_data` wrote."""
    with np.load(path, allow_pickle=False) as file:
        facts = json.loads(str(file["facts"]))
        train, validation, test = (_split(file, name) for name in SPLITS)
    return Dataset(
        train, validation, test, facts["classes"], facts["description"], tuple(facts["warnings"])
    )


def stored_test(path: Path) -> Split:
    """Read the test split alone."""
    with np.load(path, allow_pickle=False) as file:
        return _split(file, "test")


def _split(file: np.lib.npyio.NpzFile, name: str) -> Split:
    count = sum(key.startswith(f"{name}_input_") for key in file.files)
    inputs = tuple(file[f"{name}_input_{i}"] for i in range(count))
    return Split(inputs, file[f"{name}_targets"])
