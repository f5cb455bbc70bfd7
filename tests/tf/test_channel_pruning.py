"""Removing channels computes what zeroing them would, through all that ties channels together."""

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

from edgec.pipeline.compress.channel_coupling import Coupling, analyse, macs, weight
from edgec.pipeline.compress.channel_ranking import groups, keep_best, scores
from edgec.pipeline.compress.channel_removal import remove
from edgec.pipeline.compress.layer_graph import duplicate
from edgec.pipeline.compress.steps.channel_pruning import ChannelPruning
from edgec.pipeline.compress.training import predict
from edgec.pipeline.errors import UnsupportedModelError, UsageError
from edgec.pipeline.load.onnx import keras_layers, tensor_layers
from tests.support.compress_work import digits_data, random_data, work_on
from tests.support.onnx_graphs import imported, ints, node, weights
from tests.support.onnx_graphs import model as onnx_model

CASES = range(20)


def randomised(model: Any, seed: int = 0) -> Any:
    """Give every weight a random value, so that nothing is 0 or 1 by accident."""
    rng = np.random.default_rng(seed)
    model.set_weights(
        [
            rng.uniform(0.2, 1.0, w.shape)
            * rng.choice([-1, 1], w.shape)
            * (0.5 if w.ndim > 1 else 1.0)
            if "variance" not in v.name
            else rng.uniform(0.5, 2.0, w.shape)
            for v, w in zip(model.weights, model.get_weights(), strict=True)
        ]
    )
    return model


def samples(model: Any) -> Any:
    rng = np.random.default_rng(9)
    arrays = [rng.standard_normal((5, *x.shape[1:])).astype(np.float32) for x in model.inputs]
    return arrays if len(arrays) > 1 else arrays[0]


def outputs(model: Any) -> list[np.ndarray]:
    values = model(samples(model), training=False)
    return [np.asarray(v) for v in (values if isinstance(values, list) else [values])]


def random_mask(found: Coupling, seed: int) -> np.ndarray:
    """Keep a random part of every group, but one channel at least."""
    rng = np.random.default_rng(seed)
    counts = {g.name: int(rng.integers(1, len(g.roots) + 1)) for g in groups(found)}
    return keep_best(found, counts, rng.uniform(size=len(found.units)), 1)


def with_zeroed_readers(found: Coupling, kept: np.ndarray) -> Any:
    """Return a copy of the model whose weights that read the removed channels are zero."""
    return _zeroed(found, kept, "reads")


def with_zeroed_makers(found: Coupling, kept: np.ndarray) -> Any:
    """Return a copy whose filters, biases and normalisations give zero in the removed channels."""
    return _zeroed(found, kept, "makes")


def _zeroed(found: Coupling, kept: np.ndarray, side: str) -> Any:
    copy = duplicate(found.model)
    for name, role in found.roles.items():
        for weight_name, axes in role.weights.items():
            for axis, units in axes:
                place = getattr(role, side)
                vector = weight_name in ("bias", "beta", "gamma", "moving_mean", "operand")
                if place != (weight_name, axis) and not (side == "makes" and vector):
                    continue
                variable = weight(copy.get_layer(name), weight_name)
                view = [1] * len(variable.shape)
                view[axis] = -1
                variable.assign(variable * kept[units].reshape(view).astype(np.float32))
    return copy


def assert_same(one: list[np.ndarray], other: list[np.ndarray]) -> None:
    for a, b in zip(one, other, strict=True):
        scale = max(1.0, float(np.max(np.abs(a))))
        np.testing.assert_allclose(a / scale, b / scale, atol=2e-5)


def assert_removal_is_zeroing(model: Any, seed: int, *, makers: bool = True) -> Coupling:
    found = analyse(model)
    kept = random_mask(found, seed)
    smaller = remove(found, kept)
    assert_same(outputs(smaller), outputs(with_zeroed_readers(found, kept)))
    if makers:
        assert_same(outputs(smaller), outputs(with_zeroed_makers(found, kept)))
    assert macs(found, kept) == macs(analyse(smaller), np.ones(10**5, bool))
    return found


class RandomGraph:
    """A network of random blocks on a 2-D image, of layers that keep zero at zero."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.blocks = [
            self.plain, self.residual, self.depthwise, self.branches, self.separable, self.excited,
            self.pooled, self.normalised, self.sliced, self.transposed,
        ]  # fmt: skip

    def width(self) -> int:
        return int(self.rng.integers(3, 9))

    def conv(self, x: Any, width: int = 0, **arguments: Any) -> Any:
        size = int(self.rng.choice([1, 3]))
        return L.Conv2D(width or self.width(), size, padding="same", **arguments)(x)

    def plain(self, x: Any) -> Any:
        return self.conv(x, activation="relu", use_bias=bool(self.rng.integers(2)))

    def residual(self, x: Any) -> Any:
        y = self.conv(L.ReLU()(self.conv(x)), x.shape[-1])
        return L.Activation("tanh")(L.Add()([x, y]))

    def depthwise(self, x: Any) -> Any:
        times = int(self.rng.integers(1, 3))
        return L.DepthwiseConv2D(3, padding="same", depth_multiplier=times)(L.LeakyReLU()(x))

    def branches(self, x: Any) -> Any:
        y = L.Concatenate()([self.plain(x), x, self.conv(x)])
        return self.conv(y) if self.rng.integers(2) else L.Add()([y, self.conv(x, y.shape[-1])])

    def separable(self, x: Any) -> Any:
        return L.SeparableConv2D(self.width(), 3, padding="same", depth_multiplier=2)(x)

    def excited(self, x: Any) -> Any:
        channels = x.shape[-1]
        y = L.Reshape((1, 1, channels))(L.Dense(channels)(L.GlobalAveragePooling2D()(x)))
        return L.Multiply()([x, y])

    def pooled(self, x: Any) -> Any:
        if min(x.shape[1:3]) < 4:
            return L.ZeroPadding2D(1)(x)
        return L.MaxPooling2D(2)(x) if self.rng.integers(2) else L.AveragePooling2D(2)(x)

    def normalised(self, x: Any) -> Any:
        return L.PReLU(shared_axes=[1, 2])(L.BatchNormalization()(x))

    def sliced(self, x: Any) -> Any:
        if x.shape[-1] < 4:
            return x
        cut = tensor_layers.Slice([None] * 3 + [1], [None] * 3 + [-1], [1] * 4)(x)
        one, other = tensor_layers.Split([1, cut.shape[-1] - 1], -1)(cut)
        order = [int(i) for i in self.rng.permutation(other.shape[-1])]
        return L.Concatenate()([tensor_layers.Gather(order, 3)(other), self.conv(one)])

    def transposed(self, x: Any) -> Any:
        x = keras_layers.ConstantOperand("multiply", (x.shape[-1],), False)(x)
        return L.Conv2DTranspose(self.width(), 3, padding="same")(x)

    def head(self, x: Any) -> Any:
        choice = int(self.rng.integers(4))
        if choice == 0:
            x = L.GlobalMaxPooling2D()(x)
        elif choice == 1:
            x = L.Flatten()(L.Permute((3, 1, 2))(x))
        elif choice == 2:
            x = L.Flatten()(L.Conv1D(4, 2)(L.Reshape((-1, x.shape[-1]))(x)))
        else:
            x = L.Flatten()(x)
        return L.Dense(3, activation="softmax")(L.Dense(self.width())(x))

    def model(self) -> Any:
        inputs = [L.Input((8, 6, 2)), L.Input((8, 6, 1))]
        x = L.Concatenate()([self.conv(inputs[0]), self.plain(inputs[1])])
        for _ in range(int(self.rng.integers(3, 7))):
            x = self.blocks[int(self.rng.integers(len(self.blocks)))](x)
        return randomised(tf_keras.Model(inputs, [self.head(x), self.conv(x, 2)]), 1)


@pytest.mark.parametrize("seed", CASES)
def test_removal_is_zeroing_on_random_graphs(seed: int) -> None:
    tf_keras.backend.clear_session()
    assert_removal_is_zeroing(RandomGraph(seed).model(), seed)


def sequential() -> Any:
    return tf_keras.Sequential(
        [
            L.Input((8, 8, 1)),
            L.Conv2D(8, 3, activation="sigmoid"),
            L.Conv2D(12, 3, activation="relu"),
            L.Flatten(),
            L.Dense(16, activation="sigmoid"),
            L.Dense(4),
        ]
    )


def recurrent() -> Any:
    x = inputs = L.Input((12, 3))
    x = L.MaxPooling1D(2)(L.Conv1D(8, 3, activation="relu")(x))
    return tf_keras.Model(inputs, L.Dense(2)(L.LSTM(5)(x)))


def shared() -> Any:
    one, other = L.Input((8, 8, 1)), L.Input((8, 8, 1))
    stem, second = L.Conv2D(8, 3), L.Conv2D(6, 3, activation="relu")
    a, b = second(stem(one)), second(stem(other))
    return tf_keras.Model([one, other], L.Dense(2)(L.Flatten()(L.Subtract()([a, b]))))


@pytest.mark.parametrize(
    ("build", "names"),
    [
        (sequential, ["conv2d", "conv2d_1", "dense"]),
        (recurrent, ["conv1d"]),
        (shared, ["conv2d", "conv2d_1"]),
    ],
)
def test_removal_is_zeroing_what_reads(build: Any, names: list[str]) -> None:
    tf_keras.backend.clear_session()
    found = assert_removal_is_zeroing(randomised(build()), 3, makers=False)
    assert [group.name for group in groups(found)] == names


def test_removal_works_on_models_from_onnx(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w1", "a", pads=[1, 1, 1, 1]),
        node("Relu", "a", "b"),
        node("Mul", "b scale", "c"),
        node("Conv", "c w2", "d", pads=[1, 1, 1, 1]),
        node("Add", "d b", "e"),
        node("Reshape", "e flat", "f"),
        node("Gemm", "f g", "h"),
        node("Relu", "h", "i"),
        node("Gemm", "i k"),
    ]
    constants = {
        "w1": weights(8, 1, 3, 3),
        "scale": weights(8, 1, 1),
        "w2": weights(8, 8, 3, 3),
        "flat": ints(-1, 8 * 36),
        "g": weights(8 * 36, 12),
        "k": weights(12, 3),
    }
    model = imported(onnx_model(nodes, {"x": ("n", 1, 6, 6)}, constants), tmp_path).keras
    found = assert_removal_is_zeroing(model, 5)
    assert sorted(len(group.roots) for group in groups(found)) == [8, 12]


def test_what_reaches_an_output_or_mixes_channels_stays() -> None:
    x = inputs = L.Input((8, 8, 1))
    first = L.Conv2D(8, 3, name="first")(x)
    second = L.Conv2D(8, 3, name="second")(L.LayerNormalization(name="norm")(first))
    third = L.Conv2D(8, 3, groups=2, name="third")(second)
    found = analyse(tf_keras.Model(inputs, L.Conv2D(8, 1, name="last")(third)))
    assert groups(found) == []
    assert "norm" in found.why_fixed(found.roles["first"].made())
    assert "grouped" in found.why_fixed(found.roles["second"].made())
    assert "output" in found.why_fixed(found.roles["last"].made())


def test_dead_channels_rank_last_by_every_criterion() -> None:
    x = inputs = L.Input((8, 8, 1))
    x = L.Conv2D(8, 3, activation="relu", name="conv")(x)
    model = randomised(tf_keras.Model(inputs, L.Dense(2)(L.Flatten()(x))))
    kernel, bias = (w.copy() for w in model.get_layer("conv").get_weights())
    kernel[..., [2, 5]], bias[[2, 5]] = 0, 0
    model.get_layer("conv").set_weights([kernel, bias])
    found = analyse(model)
    (group,) = groups(found)
    for criterion in ("weight", "activation", "weight-activation"):
        ranking = np.argsort(scores(found, criterion, [samples(model)])[group.roots])
        assert sorted(ranking[:2].tolist()) == [2, 5]


def digits_cnn() -> Any:
    tf_keras.utils.set_random_seed(3)
    x = inputs = L.Input((8, 8, 1))
    x = L.ReLU()(L.BatchNormalization()(L.Conv2D(16, 3, padding="same", name="stem")(x)))
    y = L.Conv2D(16, 3, padding="same", activation="relu", name="inner")(x)
    x = L.ReLU()(L.Add()([x, L.Conv2D(16, 3, padding="same", name="outer")(y)]))
    x = L.Flatten()(L.MaxPooling2D()(x))
    return tf_keras.Model(inputs, L.Dense(10, activation="softmax", name="scores")(x))


def trained_digits(folder: Path) -> Any:
    from edgec.pipeline.compress.training import Schedule, train

    model = digits_cnn()
    (folder / "train").mkdir()
    train(model, work_on(model, digits_data(), folder / "train"), Schedule(3), label="float")
    return work_on(model, digits_data(), folder)


def score(work: Any, model: Any) -> float:
    return work.metric.score(predict(model, work.data.test), work.data.test.targets)


def test_half_the_channels_keep_the_accuracy(tmp_path: Path) -> None:
    work = trained_digits(tmp_path)
    before = score(work, work.model)
    ChannelPruning(keep=0.5, epochs=4).run(work)
    assert work.model.get_layer("inner").filters == 8
    assert work.model.get_layer("scores").units == 10
    assert work.notes == ["channels: stem+outer 16 -> 8, inner 16 -> 8"]
    assert score(work, work.model) > before - 0.03


@pytest.mark.parametrize("allocation", ["uniform", "ranked", "sensitivity"])
def test_the_share_of_macs_is_kept_to(tmp_path: Path, allocation: Any) -> None:
    work = work_on(digits_cnn(), digits_data(), tmp_path)
    whole = macs(analyse(work.model), np.ones(10**5, bool))
    ChannelPruning(macs=0.4, allocation=allocation, epochs=0, multiple=1, samples=32).run(work)
    left = macs(analyse(work.model), np.ones(10**5, bool)) / whole
    assert 0.3 < left <= 0.4


def test_limits_hold_for_layers_by_name(tmp_path: Path) -> None:
    work = work_on(digits_cnn(), digits_data(), tmp_path)
    ChannelPruning(keep=0.25, layers={"in*": 1.0}, least=0.5, epochs=0).run(work)
    assert work.notes == ["channels: stem+outer 16 -> 8, inner 16 -> 16"]
    with pytest.raises(UsageError, match="'nothing' matches no layer"):
        ChannelPruning(layers={"nothing": 0.5}).run(work)


def test_rounds_go_on_where_they_were_interrupted(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    step = ChannelPruning(keep=0.5, rounds=2, epochs=2, samples=32)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = work_on(digits_cnn(), digits_data(), tmp_path / "a")
    step.run(whole)
    broken = work_on(digits_cnn(), digits_data(), tmp_path / "b")
    model, epochs = duplicate(broken.model), []

    def stop(progress: Any) -> None:
        if progress.stage == "train":
            epochs.append(progress)
        if len(epochs) == 3:
            raise Stop

    broken.report = stop
    with pytest.raises(Stop):
        step.run(broken)
    broken.report, broken.model = epochs.append, model
    step.run(broken)
    for one, other in zip(whole.model.get_weights(), broken.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_rewinding_gives_survivors_the_first_weights(tmp_path: Path) -> None:
    work = work_on(digits_cnn(), digits_data(), tmp_path)
    first = [w.copy() for w in work.model.get_layer("inner").get_weights()]
    changed = duplicate(work.model)
    changed.set_weights([w + 1 for w in changed.get_weights()])
    work.model = changed
    ChannelPruning(keep=0.5, rewind=True, epochs=0, samples=16).run(work)
    kernel = work.model.get_layer("inner").get_weights()[0]
    assert all(any(np.allclose(kernel[0, 0, i, j], v) for v in first[0][0, 0].ravel())
               for i in range(8) for j in range(8))  # fmt: skip


def test_a_model_with_nothing_to_remove_is_refused(tmp_path: Path) -> None:
    inputs = L.Input((4,))
    model = tf_keras.Model(inputs, L.Dense(3)(inputs))
    with pytest.raises(UnsupportedModelError, match="no layer's channels can be removed"):
        ChannelPruning().run(work_on(model, random_data(model), tmp_path))


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (ChannelPruning(keep=0.0), "keep is 0"),
        (ChannelPruning(macs=1.5), "macs is 1.5"),
        (ChannelPruning(layers={"a": 2.0}), "layers.a is 2"),
        (ChannelPruning(least=-1.0), "least is -1"),
        (ChannelPruning(rounds=0), "rounds is 0"),
        (ChannelPruning(epochs=-1), "epochs is -1"),
        (ChannelPruning(learning_rate=0.0), "learning_rate is 0"),
    ],
)
def test_parameters_out_of_range_are_told(step: ChannelPruning, told: str) -> None:
    assert told in step.problem()
