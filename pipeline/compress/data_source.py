"""Where labelled data comes from and how it is split; reading it gives a Dataset.

| source | what it holds |
| --- | --- |
| `.npz` | `x` and `y`, or an array for each input, named as the input, and `y` |
| folder | images, or `.npy` samples, in a subfolder for each class |
| `.csv` | a row a sample; the last column, or one named, is the target |
| `python:module:function` | what the user's function returns: as an `.npz`, or `(x, y)` |

Arrays named `x_test`, `y_test`, `x_validation`, `y_validation`, and folders `train`,
`validation`, `test` of class folders, are splits already made, and are kept.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from edgec.pipeline.calibration import fitted, range_warnings
from edgec.pipeline.compress.data_balance import describe, find_faults
from edgec.pipeline.compress.data_files import read_data, run_loader
from edgec.pipeline.compress.dataset import Dataset, Split
from edgec.pipeline.compress.labels import Targets, TargetsKind, read_targets
from edgec.pipeline.compress.raw_data import Columns, RawData, RawPart
from edgec.pipeline.compress.splitting import Samples, SplitKind, divide, identical
from edgec.pipeline.errors import DataError, UnsupportedModelError, UsageError
from edgec.pipeline.graph import Array
from edgec.pipeline.load.float_model import Port
from edgec.pipeline.sample_files import InputSpec

PYTHON = "python:"
"""What marks a source as a function of the user's, which is run."""

Part = Literal["train", "validation", "test"]


@dataclass(frozen=True, slots=True)
class DataSource:
    """A file or folder at `path`, or a function `loader`, and how to split what it holds.

    `validation` and `test` are the shares of all samples that are held out; either is ignored
    where the source brings that split itself. `split` is `random` (by class, identical samples
    together), `group` (no group in two splits) or `time` (in order, the test is the latest).

    `targets` says what the samples' targets are: `classes`, `values`, the `inputs` themselves (an
    autoencoder), or `auto`: whole numbers, names and one-hot rows are classes, else values.
    `label`, `group` and `time` name CSV columns or arrays; a CSV's label is its last column, or
    several, separated by commas, for values. `search_path` is the folder where the loader's module
    is looked up. All fields are JSON.
    """

    path: str | None = None
    loader: str | None = None
    search_path: str | None = None
    split: SplitKind = "random"
    validation: float = 0.2
    test: float = 0.2
    seed: int = 0
    targets: TargetsKind = "auto"
    label: str | None = None
    group: str | None = None
    time: str | None = None

    def __post_init__(self) -> None:
        if (self.path is None) == (self.loader is None):
            raise UsageError("either a path or a loader of data wanted")
        for name, value, known in (
            ("split", self.split, get_args(SplitKind)),
            ("targets", self.targets, get_args(TargetsKind)),
        ):
            if value not in known:
                raise UsageError(f"unknown {name} {value!r}", f"known: {', '.join(known)}")
        for name, share in (("validation", self.validation), ("test", self.test)):
            if not (math.isfinite(share) and 0.0 < share < 1.0):
                raise UsageError(f"{name} share {share:g}, between 0 and 1 wanted")
        if self.validation + self.test >= 1.0:
            raise UsageError(
                f"shares of {self.validation:g} for validation and {self.test:g} for test leave "
                "nothing to train on"
            )
        if self.seed < 0:
            raise UsageError(f"seed {self.seed}, 0 or more wanted")

    @property
    def name(self) -> str:
        """What the data is called in messages."""
        return self.path if self.path is not None else f"{PYTHON}{self.loader}"


def data_source_from(
    text: str,
    *,
    split: SplitKind = "random",
    validation: float = 0.2,
    test: float = 0.2,
    seed: int = 0,
    targets: TargetsKind = "auto",
    label: str | None = None,
    group: str | None = None,
    time: str | None = None,
    search_path: Path | None = None,
) -> DataSource:
    """Return the source that a command line names: a path, or `python:module:function`.

    Paths are made absolute; a loader is looked up in `search_path`, the working directory if None.
    Raises UsageError where an option is out of range, DataError where the path does not exist.
    """
    folder = (search_path or Path.cwd()).absolute()
    loader = text.removeprefix(PYTHON) if text.startswith(PYTHON) else None
    path = None if loader is not None else Path(text).absolute()
    if path is not None and not path.exists():
        hint = f"to run a function of yours: {PYTHON}{text}" if ":" in text else ""
        raise DataError(f"{text}: no such file or folder", hint)
    return DataSource(
        path=None if path is None else str(path),
        loader=loader,
        search_path=str(folder),
        split=split,
        validation=validation,
        test=test,
        seed=seed,
        targets=targets,
        label=label,
        group=group,
        time=time,
    )


def load_dataset(
    source: DataSource, inputs: Sequence[InputSpec], outputs: Sequence[Port]
) -> Dataset:
    """Read, check and split the data for a model of these inputs and its one output.

    A loader's code is run. Raises DataError where the data is damaged or does not fit the model,
    UnsupportedModelError where the model has more than one output, ToolMissingError where reading
    images or splitting by group needs a package that is missing.
    """
    if len(outputs) != 1:
        raise UnsupportedModelError(
            f"the model has {len(outputs)} outputs: {', '.join(o.name for o in outputs)}; "
            "training and scoring take one",
            "cut the model to the output that matters",
        )
    raw = _read(source, inputs)
    arrays = {part: _inputs(raw.place(part), one, inputs) for part, one in raw.parts.items()}
    ranges = [
        range_warnings(raw.where, *pair) for pair in zip(inputs, arrays["train"], strict=True)
    ]
    targets = read_targets(raw, source.targets, arrays, outputs[0])
    samples = _samples(raw, arrays, targets)
    chosen = _divide(source, samples)
    splits = {
        name: Split(samples[part].inputs, samples[part].targets).take(indices)
        for name, (part, indices) in chosen.items()
    }
    warnings = [*raw.warnings, *targets.warnings, *itertools.chain(*ranges)]
    warnings += find_faults(splits, samples, chosen, targets)
    return Dataset(
        **{name: splits[name] for name in get_args(Part)},
        classes=targets.classes,
        description=describe(source.name, _rule(source, samples), splits, targets),
        warnings=tuple(warnings),
    )


def _read(source: DataSource, inputs: Sequence[InputSpec]) -> RawData:
    columns = Columns(source.label, source.group, source.time, source.targets != "inputs")
    if source.path is not None:
        return read_data(Path(source.path), inputs, columns)
    assert source.loader is not None
    folder = Path(source.search_path) if source.search_path else Path.cwd()
    return run_loader(source.loader, folder, source.name, inputs, columns)


def _inputs(where: str, part: RawPart, inputs: Sequence[InputSpec]) -> tuple[Array, ...]:
    arrays = tuple(
        fitted(f"{where}: input {spec.name!r}", spec, part.inputs[spec.name]) for spec in inputs
    )
    counts = {spec.name: len(array) for spec, array in zip(inputs, arrays, strict=True)}
    if len(set(counts.values())) > 1:
        raise DataError(f"{where}: as many samples wanted for each input, got {counts}")
    return arrays


def _samples(
    raw: RawData, arrays: Mapping[str, tuple[Array, ...]], targets: Targets
) -> dict[str, Samples]:
    units = identical([arrays[part] for part in raw.parts])
    return {
        part: Samples(raw.place(part), arrays[part], targets.parts[part], same, one.group, one.time)
        for (part, one), same in zip(raw.parts.items(), units, strict=True)
    }


def _divide(source: DataSource, samples: Mapping[str, Samples]) -> dict[str, tuple[str, Array]]:
    """Return for each split the part it is from and its indices there."""
    shares = {"validation": source.validation, "test": source.test}
    wanted = {name: share for name, share in shares.items() if name not in samples}
    strata = samples["train"].targets if samples["train"].targets.dtype.kind == "i" else None
    chosen = divide(samples["train"], source.split, wanted, strata, source.seed)
    given = {name: np.arange(len(samples[name].units)) for name in samples if name != "train"}
    found = {name: ("train", indices) for name, indices in chosen.items()}
    return found | {name: (name, indices) for name, indices in given.items()}


def _rule(source: DataSource, samples: Mapping[str, Samples]) -> str:
    """Say how the splits came about."""
    given = [name for name in ("validation", "test") if name in samples]
    ways = {
        "random": f"split at random, seed {source.seed}",
        "group": f"split by group, seed {source.seed}",
        "time": "split by time, the test latest",
    }
    if len(given) == 2:
        return "splits as given"
    return ways[source.split] + (f", {given[0]} as given" if given else "")
