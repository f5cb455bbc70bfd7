"""Trains a model that a step has changed, if wanted by distillation. Worker process only."""

from __future__ import annotations

from typing import Any

from edgec.pipeline.compress.teacher import original_model
from edgec.pipeline.compress.training import Distillation, Schedule, train
from edgec.pipeline.compress.work import Work


def fine_tune(model: Any, work: Work, schedule: Schedule, *, distil: bool, label: str) -> None:
    """Train `model` in place, towards the outputs of the recipe's float model where `distil`."""
    if schedule.epochs == 0:
        return
    distillation = Distillation(original_model(work)) if distil else None
    train(model, work, schedule, label=label, distillation=distillation)


def drop_traits(work: Work) -> None:
    """Forget what earlier steps made of the weights, which this step does not keep."""
    for trait in sorted(work.traits):
        work.notes.append(
            f"the {trait} that an earlier step made is lost: put that step after this"
        )
    work.traits.clear()


def training_problem(epochs: int, learning_rate: float, batch_size: int) -> str:
    """Return what is wrong with the parameters that training steps share, or nothing."""
    if epochs < 0:
        return f"epochs is {epochs}, 0 or more wanted"
    if not 0 < learning_rate <= 1:
        return f"learning_rate is {learning_rate:g}, more than 0 and up to 1 wanted"
    if batch_size < 1:
        return f"batch_size is {batch_size}, 1 or more wanted"
    return ""
