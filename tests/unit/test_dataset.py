"""Labelled data: what is read, what is refused, and how it is split."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgec.pipeline.compress.data_source import DataSource, data_source_from, load_dataset
from edgec.pipeline.compress.dataset import Dataset
from edgec.pipeline.errors import DataError, UnsupportedModelError, UsageError
from edgec.pipeline.load.float_model import Port
from edgec.pipeline.sample_files import InputSpec

FLAT = InputSpec(Port("features", (1, 6), (0, 1)))
NCHW = InputSpec(Port("image", (1, 3, 4, 5), (0, 2, 3, 1)))
GREY = InputSpec(Port("image", (1, 4, 5, 1), (0, 1, 2, 3)))
SCORES = Port("scores", (1, 3), (0, 1))
VALUE = Port("value", (1, 1), (0, 1))


def values(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 1, shape).astype(np.float32)


def labels(count: int, classes: int = 3) -> np.ndarray:
    return np.arange(count) % classes


def npz(folder: Path, **arrays: Any) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def load(
    path: Path | str, inputs: Any = (FLAT,), outputs: Any = (SCORES,), **options: Any
) -> Dataset:
    return load_dataset(data_source_from(str(path), **options), inputs, outputs)


def rows(split: Any) -> set[bytes]:
    return {row.tobytes() for row in split.inputs[0]}


def test_splits_are_whole_apart_and_stratified(tmp_path: Path) -> None:
    y = np.repeat([0, 1, 2], [60, 30, 10])
    data = load(npz(tmp_path, x=values(100, 6), y=y))
    splits = (data.train, data.validation, data.test)
    assert [split.count for split in splits] == [60, 20, 20]
    assert [np.bincount(s.targets).tolist() for s in splits] == [[36, 18, 6], *[[12, 6, 2]] * 2]
    assert len(rows(data.train) | rows(data.validation) | rows(data.test)) == 100
    assert data.classes == 3
    assert data.train.targets.dtype == np.int64
    assert "split at random, seed 0: 60 train, 20 validation, 20 test" in data.description
    assert "0: 36+12+12, 1: 18+6+6, 2: 6+2+2" in data.description
    assert data.warnings == ()


def test_the_seed_alone_decides_the_split(tmp_path: Path) -> None:
    path = npz(tmp_path, x=values(90, 6), y=labels(90))
    assert rows(load(path, seed=3).test) == rows(load(path, seed=3).test)
    assert rows(load(path, seed=3).test) != rows(load(path, seed=4).test)


def test_identical_samples_stay_in_one_split(tmp_path: Path) -> None:
    x, y = values(50, 6), labels(50)
    data = load(npz(tmp_path, x=np.concatenate([x] * 4), y=np.concatenate([y] * 4)))
    assert not rows(data.train) & rows(data.test)
    assert not rows(data.train) & rows(data.validation)
    assert not rows(data.validation) & rows(data.test)
    assert data.train.count + data.validation.count + data.test.count == 200
    assert data.warnings == ()


def test_every_class_of_three_samples_is_in_every_split(tmp_path: Path) -> None:
    data = load(npz(tmp_path, x=values(33, 6), y=np.repeat([0, 1, 2], [15, 15, 3])))
    assert all((s.targets == 2).sum() == 1 for s in (data.train, data.validation, data.test))
    assert data.warnings == ("class 2 has 3 samples, 10 or more wanted",)


def test_identical_samples_with_two_labels_are_warned_of(tmp_path: Path) -> None:
    x = values(60, 6)
    x[1] = x[0]
    data = load(npz(tmp_path, x=x, y=labels(60)))
    assert "1 samples occur with more than one label" in data.warnings


def test_missing_few_and_uneven_classes_are_warned_of(tmp_path: Path) -> None:
    y = np.repeat([0, 1], [100, 2])
    warnings = load(npz(tmp_path, x=values(102, 6), y=y)).warnings
    assert "class 2 has no samples" in warnings
    assert "class 1 has 2 samples, 10 or more wanted" in warnings
    assert any(w.startswith("class 1 is missing from") for w in warnings)
    assert any(w.startswith("classes are uneven, 2 to 100 samples") for w in warnings)


def test_a_group_is_in_one_split_only(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    x, group = values(240, 6), np.repeat(np.arange(24), 10)
    x[:, 0] = group
    data = load(npz(tmp_path, x=x, y=labels(240), group=group), split="group")
    found = [set(s.inputs[0][:, 0]) for s in (data.train, data.validation, data.test)]
    assert sum(map(len, found)) == len(set.union(*found)) == 24
    assert [len(f) for f in found] == [14, 5, 5]
    assert "split by group" in data.description


def test_few_groups_give_each_split_one_and_fewer_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    x, y = values(60, 6), labels(60)
    data = load(npz(tmp_path, x=x, y=y, group=np.repeat(["a", "b", "c"], 20)), split="group")
    assert [s.count for s in (data.train, data.validation, data.test)] == [20, 20, 20]
    with pytest.raises(DataError, match="2 groups for 3 splits"):
        load(npz(tmp_path, x=x, y=y, group=np.repeat(["a", "b"], 30)), split="group")
    with pytest.raises(DataError, match="no group of the samples to split by"):
        load(npz(tmp_path, x=x, y=y), split="group")
    with pytest.raises(DataError, match=r"group of shape \[2\], \[60\] wanted"):
        load(npz(tmp_path, x=x, y=y, group=np.zeros(2)), split="group")


@pytest.mark.parametrize("dated", [False, True])
def test_the_test_split_is_the_latest(tmp_path: Path, dated: bool) -> None:
    x, order = values(100, 6), np.random.default_rng(1).permutation(100)
    x[:, 0] = order
    time: Any = order
    if dated:
        time = (np.datetime64("2024-05-31T23:59") + order).astype(str)
    data = load(npz(tmp_path, x=x, y=labels(100), time=time), split="time")
    first = [s.inputs[0][:, 0] for s in (data.train, data.validation, data.test)]
    assert [len(f) for f in first] == [60, 20, 20]
    assert first[0].max() < first[1].min() <= first[1].max() < first[2].min()


def test_samples_of_one_time_are_not_cut_apart(tmp_path: Path) -> None:
    x, time = values(60, 6), np.repeat(np.arange(6), 10)
    x[:, 0] = time
    data = load(npz(tmp_path, x=x, y=labels(60), time=time), split="time", test=0.25)
    found = [set(s.inputs[0][:, 0]) for s in (data.train, data.validation, data.test)]
    assert found == [{0, 1}, {2, 3}, {4, 5}]
    with pytest.raises(DataError, match='time: Error parsing datetime string "noon"'):
        load(npz(tmp_path, x=x, y=labels(60), time=np.full(60, "noon")), split="time")
    with pytest.raises(DataError, match="60 samples leave none for"):
        load(npz(tmp_path, x=x, y=labels(60), time=np.zeros(60)), split="time")


def test_duplicates_across_splits_by_time_are_warned_of(tmp_path: Path) -> None:
    x = values(100, 6)
    x[90:95] = x[:5]
    warnings = load(npz(tmp_path, x=x, y=labels(100), time=np.arange(100)), split="time").warnings
    assert any(w.startswith("5 of 20 test samples are also in train") for w in warnings)


def test_given_splits_are_kept_and_compared(tmp_path: Path) -> None:
    x, more = values(60, 6), values(20, 6, seed=1)
    more[0] = x[0]
    path = npz(tmp_path, x_train=x, y_train=labels(60), x_test=more, y_test=labels(20))
    data = load(path)
    assert (data.train.count, data.validation.count, data.test.count) == (48, 12, 20)
    assert np.array_equal(data.test.inputs[0], more)
    assert "test as given" in data.description
    assert any("of 20 test samples are also in" in warning for warning in data.warnings)


def test_a_group_in_two_given_splits_is_an_error(tmp_path: Path) -> None:
    path = npz(
        tmp_path, x=values(60, 6), y=labels(60), group=np.arange(60) // 6,
        x_test=values(9, 6, seed=1), y_test=labels(9), group_test=np.full(9, 3),
    )  # fmt: skip
    with pytest.raises(DataError, match=r"group 3 is in (train|validation) and in test"):
        load(path)


def test_inputs_come_in_the_source_layout_or_channels_last(tmp_path: Path) -> None:
    x = values(30, 3, 4, 5)
    one = load(npz(tmp_path, image=x, y=labels(30)), [NCHW])
    other = load(npz(tmp_path, image=x.transpose(0, 2, 3, 1), y=labels(30)), [NCHW])
    assert one.train.inputs[0].shape == (18, 4, 5, 3)
    assert np.array_equal(one.train.inputs[0], other.train.inputs[0])


def test_two_inputs_have_an_array_each(tmp_path: Path) -> None:
    arrays = {"features": values(30, 6), "image": values(30, 4, 5, 1), "y": labels(30)}
    data = load(npz(tmp_path, **arrays), [FLAT, GREY])
    assert [x.shape for x in data.test.inputs] == [(6, 6), (6, 4, 5, 1)]
    del arrays["image"]
    with pytest.raises(DataError, match="no array 'image', got"):
        load(npz(tmp_path, **arrays), [FLAT, GREY])
    with pytest.raises(DataError, match="as many samples wanted for each input"):
        load(npz(tmp_path, **arrays, image=values(7, 4, 5, 1)), [FLAT, GREY])


def test_one_hot_rows_are_classes(tmp_path: Path) -> None:
    y = labels(30)
    data = load(npz(tmp_path, x=values(30, 6), y=np.eye(3)[y]))
    plain = load(npz(tmp_path, x=values(30, 6), y=y))
    assert data.classes == 3
    assert np.array_equal(data.train.targets, plain.train.targets)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.where(np.arange(30) == 7, 3, 0), r"label 3 of sample 7, the model tells 3 classes"),
        (np.where(np.arange(30) == 7, -1, 0), r"label -1 of sample 7"),
        (labels(30).astype(np.float32), r"targets are float32, one a sample"),
        (labels(29), r"29 targets for 30 samples"),
        (np.zeros((30, 4), np.float32), r"of shape \[4\], \[3\] wanted"),
        (np.full((30, 3), np.nan), r"targets of output 'scores': sample 0 holds a value that is"),
        (np.zeros((30, 2), np.int64), r"of shape \[2\], \[3\] wanted"),
    ],
)
def test_targets_that_do_not_fit_are_refused(tmp_path: Path, y: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(npz(tmp_path, x=values(30, 6), y=y))


def test_whole_float_labels_are_classes_where_asked_for(tmp_path: Path) -> None:
    y = labels(30).astype(np.float64)
    assert load(npz(tmp_path, x=values(30, 6), y=y), targets="classes").classes == 3
    y[4] = 1.5
    with pytest.raises(DataError, match=r"label 1\.5, a whole number wanted"):
        load(npz(tmp_path, x=values(30, 6), y=y), targets="classes")


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (values(30, 7), r"samples of shape \[7\], \[6\] wanted"),
        (np.full((30, 6), np.nan), "sample 0 holds a value that is not finite"),
        (values(0, 6), "no samples"),
        (np.full((30, 6), "a"), "numbers wanted"),
        (np.ones((30, 6)), "every value is 1"),
    ],
)
def test_samples_that_do_not_fit_are_refused(tmp_path: Path, x: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(npz(tmp_path, x=x, y=labels(len(x))))


def test_files_that_are_not_data_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        load(tmp_path / "nothing.npz")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(DataError, match="cannot be read"):
        load(tmp_path / "broken.npz")
    (tmp_path / "data.txt").write_text("1 2 3")
    with pytest.raises(DataError, match="unknown kind of labelled data"):
        load(tmp_path / "data.txt")
    with pytest.raises(DataError, match="no array 'y' of targets"):
        load(npz(tmp_path, x=values(30, 6)))
    objects = npz(tmp_path, x=values(30, 6), y=np.array([None] * 30, object))
    with pytest.raises(DataError, match="cannot be read: Object arrays"):
        load(objects)


def test_too_few_samples_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 samples leave none for"):
        load(npz(tmp_path, x=values(2, 6), y=np.zeros(2, int)))


def test_arrays_that_are_not_used_are_named(tmp_path: Path) -> None:
    data = load(npz(tmp_path, x=values(30, 6), y=labels(30), x_val=values(3, 6)))
    assert [w for w in data.warnings if w.endswith("not used: x_val")]


def test_values_are_floats_in_the_layout_of_the_output(tmp_path: Path) -> None:
    data = load(npz(tmp_path, x=values(30, 6), y=values(30)), outputs=[VALUE])
    assert data.classes is None
    assert data.train.targets.shape == (18, 1)
    plane = Port("plane", (1, 2, 4, 5), (0, 2, 3, 1))
    data = load(npz(tmp_path, x=values(30, 6), y=values(30, 2, 4, 5)), outputs=[plane])
    assert data.test.targets.shape == (6, 4, 5, 2)
    assert data.description.endswith("targets are values")


def test_one_output_tells_two_classes_apart(tmp_path: Path) -> None:
    assert load(npz(tmp_path, x=values(30, 6), y=labels(30, 2)), outputs=[VALUE]).classes == 2
    assert load(npz(tmp_path, x=values(30, 6), y=labels(30, 2) > 0), outputs=[VALUE]).classes == 2
    with pytest.raises(DataError, match="label 2 of sample 2") as caught:
        load(npz(tmp_path, x=values(30, 6), y=labels(30)), outputs=[VALUE])
    assert "targets 'values'" in caught.value.hint
    data = load(npz(tmp_path, x=values(30, 6), y=labels(30)), outputs=[VALUE], targets="values")
    assert data.classes is None
    doubtful = load(npz(tmp_path, x=values(30, 6), y=labels(30, 2) * 1.0), outputs=[VALUE])
    assert "all targets are 0.0 or 1.0" in doubtful.warnings[0]


def test_an_autoencoder_wants_its_inputs(tmp_path: Path) -> None:
    out = Port("again", (1, 6), (0, 1))
    data = load(npz(tmp_path, x=values(30, 6)), outputs=[out], targets="inputs")
    assert data.classes is None
    assert np.array_equal(data.test.inputs[0], data.test.targets)
    with pytest.raises(DataError, match="no autoencoder"):
        load(npz(tmp_path, x=values(30, 6)), targets="inputs")


def test_a_model_of_two_outputs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModelError, match="2 outputs: scores, value"):
        load(npz(tmp_path, x=values(30, 6), y=labels(30)), outputs=[SCORES, VALUE])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "even"}, "unknown split 'even'"),
        ({"targets": "labels"}, "unknown targets 'labels'"),
        ({"test": 0.0}, "test share 0, between 0 and 1 wanted"),
        ({"validation": float("nan")}, "validation share nan"),
        ({"test": 0.5, "validation": 0.5}, "leave nothing to train on"),
        ({"seed": -1}, "seed -1"),
    ],
)
def test_options_out_of_range_are_refused(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        data_source_from(str(npz(tmp_path, x=values(3, 6))), **options)


def test_a_source_travels_as_json(tmp_path: Path) -> None:
    source = data_source_from("python:mine:load", split="time", search_path=tmp_path)
    assert DataSource(**json.loads(json.dumps(asdict(source)))) == source
    with pytest.raises(UsageError, match="either a path or a loader"):
        DataSource()
