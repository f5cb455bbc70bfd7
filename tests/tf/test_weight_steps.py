"""Steps that change weights in place: pruning, clustering, equalisation, bias correction."""

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

from edgec.pipeline.compress.shared_ranges import find_pairs, output_ranges
from edgec.pipeline.compress.sparsity import block_mask
from edgec.pipeline.compress.steps.bias_correction import CorrectBias
from edgec.pipeline.compress.steps.clustering import Cluster
from edgec.pipeline.compress.steps.equalization import Equalize
from edgec.pipeline.compress.steps.pruning import Prune
from edgec.pipeline.compress.training import predict
from edgec.pipeline.errors import UnsupportedModelError
from tests.support.compress_work import digits_data, random_data, work_on


def network(seed: int = 1) -> Any:
    tf_keras.utils.set_random_seed(seed)
    x = inputs = L.Input((8, 8, 1))
    x = L.Conv2D(8, 3, padding="same", activation="relu", name="stem")(x)
    x = L.DepthwiseConv2D(3, padding="same", name="depth")(x)
    x = L.Conv2D(12, 3, strides=2, activation="relu", name="wide")(x)
    x = L.Dense(16, activation="relu", name="hidden")(L.Flatten()(x))
    return tf_keras.Model(inputs, L.Dense(10, activation="softmax", name="head")(x))


def kernel(model: Any, name: str) -> np.ndarray:
    return np.asarray(model.get_layer(name).kernel.numpy())


def pruned(tmp_path: Path, step: Prune) -> Any:
    work = work_on(network(), digits_data(), tmp_path)
    step.run(work)
    return work


@pytest.mark.parametrize("block", [(4, 4), (4, 1), (1, 4), (3, 2)])
@pytest.mark.parametrize("channels", [4, 7])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_block_mask_clears_the_smallest_blocks_whole(
    channels: int, block: tuple[int, int], share: float
) -> None:
    values = np.random.default_rng(0).normal(size=(3, 3, channels, 5)).astype(np.float32)
    mask = block_mask(values, *block, share)
    gone, kept = [], []
    for y, x in np.ndindex(3, 3):
        for i in range(0, channels, block[0]):
            for o in range(0, 5, block[1]):
                at = np.s_[y, x, i : i + block[0], o : o + block[1]]
                assert np.ptp(mask[at]) == 0
                (kept if mask[at].all() else gone).append(np.abs(values[at]).mean())
    assert len(gone) == round(share * (len(gone) + len(kept)))
    if gone and kept:
        assert max(gone) <= min(kept) + 1e-6


@pytest.mark.parametrize("schedule", ["polynomial", "constant"])
def test_single_weights_are_pruned_to_the_share_asked_for(tmp_path: Path, schedule: Any) -> None:
    step = Prune(sparsity=0.6, per_layer={"head": 0.0, "wide": 0.8}, epochs=2, schedule=schedule)
    work = pruned(tmp_path, step)
    assert np.mean(kernel(work.model, "wide") == 0) == pytest.approx(0.8, abs=0.01)
    assert np.mean(kernel(work.model, "hidden") == 0) == pytest.approx(0.6, abs=0.01)
    assert np.all(kernel(work.model, "head") != 0)
    assert work.traits["sparsity"]["pattern"] == "unstructured"
    assert any(note == "not pruned: head" for note in work.notes)
    assert type(work.model.get_layer("wide")).__name__ == "Conv2D"


def test_two_of_each_four_input_channels_are_zero(tmp_path: Path) -> None:
    work = pruned(tmp_path, Prune(pattern="2:4", epochs=1))
    wide = kernel(work.model, "wide")
    groups = wide.transpose(0, 1, 3, 2).reshape(-1, 4)
    assert (np.sum(groups == 0, axis=1) >= 2).all()
    assert any(note == "not pruned: stem" for note in work.notes)


def test_blocks_of_weights_are_zero_together(tmp_path: Path) -> None:
    work = pruned(tmp_path, Prune(pattern="block", sparsity=0.5, epochs=2))
    wide = kernel(work.model, "wide")
    blocks = (wide == 0).reshape(3, 3, 2, 4, 3, 4)
    assert (blocks.all(axis=(3, 5)) == blocks.any(axis=(3, 5))).all()
    assert blocks.mean() == pytest.approx(0.5, abs=0.02)
    assert any(note.startswith("not pruned: stem") for note in work.notes)


def test_a_lottery_ticket_starts_from_the_original_weights(tmp_path: Path) -> None:
    step = Prune(sparsity=0.5, rewind=True, epochs=1, learning_rate=1e-7)
    work = work_on(network(), digits_data(), tmp_path)
    original = kernel(work.model, "wide")
    step.run(work)
    after = kernel(work.model, "wide")
    assert np.mean(after == 0) == pytest.approx(0.5, abs=0.01)
    assert np.allclose(after[after != 0], original[after != 0], atol=1e-4)


def test_a_layer_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModelError, match="per_layer names 'depth'"):
        pruned(tmp_path, Prune(per_layer={"depth": 0.5}))


def test_clusters_leave_few_values_and_keep_zeros(tmp_path: Path) -> None:
    work = pruned(tmp_path, Prune(sparsity=0.5, epochs=1))
    zeros = {name: kernel(work.model, name) == 0 for name in ("wide", "hidden")}
    work.folder = tmp_path / "cluster"
    Cluster(clusters=8, epochs=1).run(work)
    for name, before in zeros.items():
        after = kernel(work.model, name)
        assert len(np.unique(after)) <= 8
        assert (after[before] == 0).all()
    assert work.traits["clusters"] == 8


def test_a_normalisation_is_folded_before_values_are_shared(tmp_path: Path) -> None:
    tf_keras.utils.set_random_seed(4)
    x = inputs = L.Input((8, 8, 1))
    x = L.ReLU()(L.BatchNormalization()(L.Conv2D(8, 3, use_bias=False, name="c")(x)))
    model = tf_keras.Model(inputs, L.Dense(10, activation="softmax")(L.Flatten()(x)))
    model.layers[2].set_weights([np.arange(1.0, 9), np.ones(8), np.zeros(8), np.arange(2.0, 10)])
    work = work_on(model, digits_data(), tmp_path)
    Cluster(clusters=4, epochs=1).run(work)
    assert not any(type(x).__name__ == "BatchNormalization" for x in work.model.layers)
    assert len(np.unique(kernel(work.model, "c"))) <= 4


def uneven() -> Any:
    """A network with a normalisation, whose channels differ by a thousand."""
    tf_keras.utils.set_random_seed(2)
    x = inputs = L.Input((8, 8, 1))
    x = L.Conv2D(6, 3, use_bias=False, name="a")(x)
    x = L.ReLU()(L.BatchNormalization(name="norm")(x))
    x = L.DepthwiseConv2D(3, activation="relu", name="b")(x)
    x = L.Conv2D(5, 1, activation="relu", name="c")(L.MaxPooling2D()(x))
    model = tf_keras.Model(inputs, L.Dense(10, name="d")(L.GlobalAveragePooling2D()(x)))
    norm = model.get_layer("norm")
    rng = np.random.default_rng(3)
    values = (np.geomspace(1e-2, 1e1, 6), rng.normal(size=6), rng.normal(size=6))
    norm.set_weights([*values, rng.uniform(0.5, 2, 6)])
    return model


def test_equalised_layers_answer_as_before_with_even_ranges(tmp_path: Path) -> None:
    work = work_on(uneven(), random_data(uneven()), tmp_path)
    before = predict(work.model, work.data.train)
    pairs = find_pairs(work.model)
    assert [(p.first.name, p.second.name) for p in pairs] == [("a", "b"), ("b", "c"), ("c", "d")]
    Equalize(rounds=20).run(work)
    assert np.allclose(predict(work.model, work.data.train), before, rtol=1e-4, atol=1e-5)
    ranges = output_ranges(pairs[0].first, pairs[0].norm)
    assert ranges.max() / ranges.min() < 50
    assert len(work.notes) == 3


def test_a_ceiling_between_layers_forbids_equalisation(tmp_path: Path) -> None:
    x = inputs = L.Input((8, 8, 1))
    x = L.ReLU(6.0)(L.Conv2D(4, 3)(x))
    model = tf_keras.Model(inputs, L.Dense(10)(L.Flatten()(L.Conv2D(4, 3)(x))))
    work = work_on(model, random_data(model), tmp_path)
    before = [w.numpy() for w in model.weights]
    Equalize().run(work)
    assert all(
        np.array_equal(w, v.numpy()) for w, v in zip(before, work.model.weights, strict=True)
    )
    assert work.notes == ["no two layers follow each other so that they can be equalised"]


@pytest.mark.parametrize("per_tensor", [False, True])
def test_a_corrected_bias_cancels_the_mean_error_of_rounded_weights(
    tmp_path: Path, per_tensor: bool
) -> None:
    def means(model: Any) -> np.ndarray:
        return predict(model, work.data.train).mean(axis=0)

    tf_keras.utils.set_random_seed(5)
    inputs = L.Input((40,))
    model = tf_keras.Model(inputs, L.Dense(6, name="d")(inputs))
    layer = model.get_layer("d")
    layer.kernel.assign(layer.kernel * np.geomspace(0.01, 1, 6))
    work = work_on(model, random_data(model), tmp_path)
    wanted = means(model)
    CorrectBias(samples=48, per_tensor=per_tensor).run(work)
    flat = layer.kernel.numpy()
    scale = np.abs(flat).max(axis=None if per_tensor else 0) / 127
    layer.kernel.assign(np.round(flat / scale) * scale)
    assert np.allclose(means(model), wanted, atol=1e-5)
    layer.bias.assign(np.zeros(6))
    assert not np.allclose(means(model), wanted, atol=1e-5)
