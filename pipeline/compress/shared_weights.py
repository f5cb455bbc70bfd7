"""Clusters the weights of a model through TF-MOT, keeping the zeros of earlier pruning."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgec.pipeline.compress.rewriting import rewrite
from edgec.pipeline.compress.steps.clustering import Cluster
from edgec.pipeline.compress.training import Schedule, teacher_of, train
from edgec.pipeline.compress.work import Work
from edgec.pipeline.errors import UnsupportedModelError

CLUSTERED = ("Conv1D", "Conv2D", "Dense")


def cluster(work: Work, step: Cluster) -> None:
    """Train `work.model` with shared weights and leave it with few values; see `Cluster`."""
    import tensorflow_model_optimization as tfmot
    import tf_keras
    from tensorflow_model_optimization.python.core.clustering.keras.experimental import (
        cluster as experimental,
    )

    # Folded before, because a normalisation folded later would scale the values of each channel.
    rewritten = rewrite(work.model)
    work.model = rewritten.model
    work.notes += rewritten.notes
    chosen = [
        layer.name
        for layer in work.model.layers
        if type(layer).__name__ in CLUSTERED and int(np.prod(layer.kernel.shape)) > step.clusters
    ]
    if not chosen:
        raise UnsupportedModelError("the model has no layer to cluster")
    starts = tfmot.clustering.keras.CentroidInitialization
    kind = {
        "kmeans++": starts.KMEANS_PLUS_PLUS,
        "linear": starts.LINEAR,
        "density": starts.DENSITY_BASED,
    }[step.start]

    def wrapped(layer: Any) -> Any:
        if layer.name not in chosen:
            return layer
        return experimental.cluster_weights(
            layer,
            number_of_clusters=step.clusters,
            cluster_centroids_init=kind,
            preserve_sparsity="sparsity" in work.traits,
        )

    tf_keras.utils.set_random_seed(work.seed)
    model = tf_keras.models.clone_model(work.model, clone_function=wrapped)
    train(
        model,
        work,
        Schedule(step.epochs, step.learning_rate, step.batch_size),
        label="cluster",
        distillation=teacher_of(work) if step.distil else None,
    )
    work.model = tfmot.clustering.keras.strip_clustering(model)
    work.traits["clusters"] = step.clusters
    counts = {
        layer.name: len(np.unique(layer.kernel.numpy()))
        for layer in work.model.layers
        if layer.name in chosen
    }
    if worst := [f"{name} {count}" for name, count in counts.items() if count > step.clusters]:
        raise UnsupportedModelError(
            f"clustering left more than {step.clusters} values in {', '.join(worst)}"
        )
    each = ", ".join(f"{name} {count}" for name, count in counts.items())
    work.notes.append(f"values a weight takes, by layer: {each}")
