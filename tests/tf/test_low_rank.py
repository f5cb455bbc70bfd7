"""Layers split in two compute what they did at full rank, and are split only where it pays."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest
import tf_keras
from tf_keras import layers as L

from edgec.pipeline.compress.layer_separation import separate
from edgec.pipeline.compress.layer_split import (
    Candidate,
    Split,
    apply_splits,
    candidates,
    whole_cost,
)
from edgec.pipeline.compress.steps.low_rank import LowRank
from edgec.pipeline.compress.steps.separation import Separation
from edgec.pipeline.compress.training import predict
from edgec.pipeline.errors import UsageError
from tests.support.compress_work import digits_data, random_data, work_on


def all_kinds() -> Any:
    """Every layer that can be split, with strides, dilation, both paddings, and one shared."""
    tf_keras.utils.set_random_seed(1)
    one, other = L.Input((9, 10, 2)), L.Input((9, 10, 2))
    first = L.Conv2D(6, 3, strides=(2, 1), padding="same", activation="relu", name="strided")
    x = L.Concatenate()([first(one), first(other)])
    x = L.Conv2D(8, (3, 2), dilation_rate=(1, 2), name="dilated")(x)
    x = L.Conv2D(8, 3, padding="same", use_bias=False, name="plain")(x)
    x = L.Reshape((-1, 8))(L.Add()([x, L.Conv2D(8, 1, name="point")(x)]))
    x = L.Conv1D(6, 4, strides=2, padding="causal", activation="tanh", name="line")(x)
    x = L.Dense(5, name="rows")(x)
    return tf_keras.Model(
        [one, other], L.Dense(3, activation="softmax", name="end")(L.Flatten()(x))
    )


def samples(model: Any, count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal((count, *x.shape[1:])).astype(np.float32) for x in model.inputs]


def outputs(model: Any) -> np.ndarray:
    arrays = samples(model, 4)
    return np.asarray(model(arrays if len(arrays) > 1 else arrays[0]))


@pytest.mark.parametrize("count", [0, 64])
@pytest.mark.parametrize("scheme", ["channel", "spatial"])
def test_full_rank_computes_the_same(scheme: Any, count: int) -> None:
    model = all_kinds()
    found = candidates(model, ["*"], scheme, samples(model, count) if count else ())
    kinds = {"strided", "dilated", "plain", "point", "line", "rows", "end"}
    assert {c.name for c in found} == (kinds if scheme == "channel" else kinds - {"point"})

    def whole(candidate: Candidate) -> Split:
        way = candidate.ways[-1]
        assert way.scheme == scheme or candidate.name in ("line", "rows", "end")
        rank = len(way.values)
        return Split(candidate, way, rank, candidate.split_cost(way, rank))

    splits = [whole(candidate) for candidate in found]
    made = apply_splits(model, splits)
    np.testing.assert_allclose(outputs(made), outputs(model), atol=1e-5)
    gained = sum(s.cost.macs - s.candidate.cost.macs for s in splits)
    assert whole_cost(made).macs == whole_cost(model).macs + gained


def wide_network() -> Any:
    """A network whose layers have filters of rank 4, but for the narrow first one."""
    tf_keras.utils.set_random_seed(2)
    x = inputs = L.Input((8, 8, 1))
    x = L.Conv2D(4, 3, activation="relu", name="narrow")(x)
    x = L.Conv2D(32, 3, activation="relu", name="wide")(x)
    model = tf_keras.Model(inputs, L.Dense(40, name="dense")(L.Flatten(name="flatten")(x)))
    rng = np.random.default_rng(0)
    for name in ("wide", "dense"):
        layer = model.get_layer(name)
        made = layer.kernel.shape[-1]
        rows = int(np.prod(layer.kernel.shape[:-1]))
        kernel = rng.standard_normal((rows, 4)) @ rng.standard_normal((4, made))
        layer.kernel.assign(kernel.reshape(layer.kernel.shape) / np.sqrt(rows))
    return model


def test_layers_of_low_rank_are_found_and_the_rest_stays(tmp_path: Path) -> None:
    model = wide_network()
    work = work_on(model, random_data(model), tmp_path)
    LowRank(energy=0.9999, scheme="channel", epochs=0).run(work)
    names = [layer.name for layer in work.model.layers]
    assert names[1:] == ["narrow", "wide_basis", "wide", "flatten", "dense_basis", "dense"]
    assert work.model.get_layer("dense_basis").units == 4
    np.testing.assert_allclose(outputs(work.model), outputs(model), atol=1e-4)
    assert work.notes[0].startswith("narrow stays whole: rank 4 would take 1.4")
    assert "wide in two of rank 4 (3x3 and 1x1): 0.24x its MACs" in work.notes[1]


def test_outputs_that_lie_in_few_directions_need_few_filters(tmp_path: Path) -> None:
    tf_keras.utils.set_random_seed(5)
    x = inputs = L.Input((16,))
    x = L.Dense(32, name="narrow_input")(L.Dense(4, name="few")(x))
    model = tf_keras.Model(inputs, L.Dense(32, name="wide")(x))
    model.get_layer("wide").bias.assign(np.arange(32.0))
    by_outputs = work_on(model, random_data(model), tmp_path / "outputs")
    LowRank(energy=0.999, layers=("wide",), epochs=0).run(by_outputs)
    assert by_outputs.model.get_layer("wide_basis").units == 4
    np.testing.assert_allclose(outputs(by_outputs.model), outputs(model), atol=1e-4)
    by_weights = work_on(model, random_data(model), tmp_path / "weights")
    LowRank(energy=0.999, layers=("wide",), samples=0, epochs=0).run(by_weights)
    assert by_weights.notes[-1] == "no layer was split: nothing would be saved"


@pytest.mark.parametrize("measure", ["macs", "parameters"])
def test_the_share_that_may_stay_is_kept_to(tmp_path: Path, measure: str) -> None:
    model = wide_network()
    work = work_on(model, random_data(model), tmp_path)
    before = getattr(whole_cost(model), measure)
    LowRank(**{measure: 0.6}, epochs=0).run(work)
    assert getattr(whole_cost(work.model), measure) <= 0.6 * before
    with pytest.raises(UsageError, match=f"a share of 0.001 of the {measure} cannot be reached"):
        LowRank(**{measure: 0.001}).run(work_on(model, random_data(model), tmp_path / "again"))


def test_nothing_is_split_where_nothing_is_saved(tmp_path: Path) -> None:
    model = tf_keras.Sequential([L.Input((6,)), L.Dense(4), L.Dense(2)])
    work = work_on(model, random_data(model), tmp_path)
    LowRank(energy=1.0, epochs=1).run(work)
    assert work.model is model
    assert work.notes[-1] == "no layer was split: nothing would be saved"
    with pytest.raises(UsageError, match="'conv' matches no layer that can be split"):
        LowRank(layers=("conv",)).run(work)


def small_cnn() -> Any:
    tf_keras.utils.set_random_seed(3)
    x = inputs = L.Input((8, 8, 1))
    x = L.Conv2D(8, 3, padding="same", activation="relu", name="stem")(x)
    x = L.Conv2D(16, 3, padding="same", strides=2, activation="relu", name="body")(x)
    x = L.Dense(64, activation="relu", name="dense")(L.Flatten()(x))
    return tf_keras.Model(inputs, L.Dense(10, activation="softmax", name="end")(x))


def test_every_filter_separates_exactly_with_enough_multipliers() -> None:
    model = small_cnn()
    made, notes, replaced = separate(model, ["*"], 9)
    assert replaced == 0  # as many filters as the window has places save nothing
    assert "body stays a convolution: a separable one would be no smaller" in notes
    kernel = model.get_layer("body").kernel
    rank_two = np.random.default_rng(0).standard_normal((3, 3, 8, 2)).astype(np.float32)
    point = np.random.default_rng(1).standard_normal((8, 2, 16)).astype(np.float32)
    kernel.assign(np.einsum("hwim,imo->hwio", rank_two, point) / 10)
    made, notes, replaced = separate(model, ["*"], 2)
    assert replaced == 1
    np.testing.assert_allclose(outputs(made), outputs(model), atol=1e-5)
    assert notes[0] == "stem stays a convolution: it reads 1 channels, 4 or more wanted"
    assert "100.0% of its energy" in notes[1]


def test_separated_and_split_models_learn_the_digits(tmp_path: Path) -> None:
    from edgec.pipeline.compress.training import Schedule, train

    model = small_cnn()
    for name in ("float", "separated", "split"):
        (tmp_path / name).mkdir()
    train(model, work_on(model, digits_data(), tmp_path / "float"), Schedule(4), label="float")
    for name, step in (
        ("separated", Separation(epochs=4)),
        ("split", LowRank(parameters=0.5, epochs=2)),
    ):
        work = work_on(model, digits_data(), tmp_path / name)
        test = work.data.test
        before = work.metric.score(predict(model, test), test.targets)
        step.run(work)
        assert work.metric.score(predict(work.model, test), test.targets) > before - 0.03
        assert work.model.count_params() < model.count_params()


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (LowRank(energy=0.0), "energy is 0"),
        (LowRank(macs=1.5), "macs is 1.5"),
        (LowRank(macs=0.5, parameters=0.5), "both given"),
        (LowRank(saving=1.0), "saving is 1"),
        (LowRank(samples=-1), "samples is -1"),
        (LowRank(multiple=0), "multiple is 0"),
        (Separation(multiplier=0), "multiplier is 0"),
        (Separation(batch_size=0), "batch_size is 0"),
    ],
)
def test_parameters_out_of_range_are_told(step: LowRank | Separation, told: str) -> None:
    assert told in step.problem()
