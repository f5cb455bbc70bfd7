"""Training by the outputs of a larger model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgec.pipeline.compress.fine_tuning import drop_traits, training_problem
from edgec.pipeline.compress.teacher import load_teacher
from edgec.pipeline.compress.technique import Technique, technique
from edgec.pipeline.compress.training import Distillation, Schedule, train
from edgec.pipeline.compress.work import Work


@technique("distil")
@dataclass(frozen=True, slots=True)
class Distil(Technique):
    """Train the model further by what a teacher answers, not by the labels alone.

    The teacher's outputs say how sure it is and which classes resemble each other, so that a
    smaller model learns more from the same samples. Use it after steps that cost accuracy, or on
    a small model of your own with a large one as the teacher.

    teacher: path of the teacher from the working directory, a .keras, .h5 or .onnx file or
        SavedModel folder of the same inputs and outputs; empty for the float model that the recipe
        began with.
    weight: share of the loss that is the distance to the teacher, 0 to 1; the rest is the labels'.
    temperature: divides the scores of both before they are compared as probabilities, more than 0;
        higher gives the unlikely classes more weight. Unused where values are predicted.
    epochs: how long to train, 1 or more.
    learning_rate: Adam's at the start.
    batch_size: samples a training step, 1 or more.

    Cost: one inference of the teacher a training sample, then the training.
    """

    teacher: str = ""
    weight: float = 0.7
    temperature: float = 3.0
    epochs: int = 20
    learning_rate: float = 1e-3
    batch_size: int = 32

    trains = True

    def __post_init__(self) -> None:
        """Make the path absolute: the step runs in a process of another working directory."""
        if self.teacher:
            object.__setattr__(self, "teacher", str(Path(self.teacher).absolute()))

    def problem(self) -> str:
        """Return what is wrong with the parameters."""
        if self.teacher and not Path(self.teacher).exists():
            return f"teacher {self.teacher}: no such file"
        if not 0 <= self.weight <= 1:
            return f"weight is {self.weight:g}, 0 to 1 wanted"
        if self.temperature <= 0:
            return f"temperature is {self.temperature:g}, more than 0 wanted"
        if self.epochs < 1:
            return f"epochs is {self.epochs}, 1 or more wanted"
        return training_problem(self.epochs, self.learning_rate, self.batch_size)

    def files(self) -> tuple[Path, ...]:
        """Return the teacher, where it is a file."""
        return (Path(self.teacher),) if self.teacher else ()

    def run(self, work: Work) -> None:
        """Train `work.model` in place."""
        teacher = load_teacher(self.teacher, work)
        distillation = Distillation(teacher, self.weight, self.temperature)
        schedule = Schedule(self.epochs, self.learning_rate, self.batch_size)
        train(work.model, work, schedule, label="distil", distillation=distillation)
        drop_traits(work)
