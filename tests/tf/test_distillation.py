"""Learning from a teacher: the float original or a file."""

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

from edgec.pipeline.compress.steps.distillation import Distil
from edgec.pipeline.compress.training import predict
from edgec.pipeline.errors import UsageError
from tests.support.compress_work import digits_data, work_on
from tests.support.onnx_graphs import model as onnx_model
from tests.support.onnx_graphs import node, weights


def student(seed: int = 4, width: int = 12, last: str = "softmax") -> Any:
    tf_keras.utils.set_random_seed(seed)
    x = inputs = L.Input((8, 8, 1))
    x = L.Dense(width, activation="relu")(L.Flatten()(x))
    return tf_keras.Model(inputs, L.Dense(10, activation=last)(x))


def disagreement(work: Any, teacher: Any) -> float:
    validation = work.data.validation
    own, taught = predict(work.model, validation), predict(teacher, validation)
    return float(np.mean(own.argmax(1) != taught.argmax(1)))


def test_the_student_takes_after_the_original(tmp_path: Path) -> None:
    original = student(seed=1, width=32)
    work = work_on(original, digits_data(), tmp_path)
    work.model = student()
    work.traits["clusters"] = 16
    before = disagreement(work, original)
    # An untrained original: only its answers, not the labels, can bring the student nearer.
    Distil(weight=1.0, epochs=4, learning_rate=3e-3).run(work)
    assert disagreement(work, original) < before / 2
    assert work.traits == {}
    assert work.notes == [
        "the clusters that an earlier step made is lost: put that step after this"
    ]


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_keras_file_teaches(tmp_path: Path, suffix: str) -> None:
    teacher = student(seed=1, width=32, last="linear")
    path = tmp_path / f"teacher{suffix}"
    teacher.save(path)
    work = work_on(student(), digits_data(), tmp_path)
    before = disagreement(work, teacher)
    Distil(teacher=str(path), weight=1.0, epochs=4, learning_rate=3e-3).run(work)
    assert disagreement(work, teacher) < before / 2


def onnx_teacher(folder: Path, classes: int) -> Path:
    nodes = [node("Conv", "x w", "c"), node("Flatten", "c", "f"), node("Gemm", "f g")]
    constants = {"w": weights(2, 1, 3, 3), "g": weights(72, classes)}
    path = folder / "teacher.onnx"
    path.write_bytes(onnx_model(nodes, {"x": ("n", 1, 8, 8)}, constants).SerializeToString())
    return path


def test_an_onnx_file_teaches(tmp_path: Path) -> None:
    work = work_on(student(), digits_data(), tmp_path)
    before = [w.copy() for w in work.model.get_weights()]
    Distil(teacher=str(onnx_teacher(tmp_path, 10)), epochs=1).run(work)
    assert any(
        not np.array_equal(a, b) for a, b in zip(before, work.model.get_weights(), strict=True)
    )


def test_a_teacher_of_other_classes_is_refused(tmp_path: Path) -> None:
    work = work_on(student(), digits_data(), tmp_path)
    with pytest.raises(UsageError, match=r"outputs \[\(4,\)\], wanted \[\(10,\)\]"):
        Distil(teacher=str(onnx_teacher(tmp_path, 4))).run(work)


def test_a_missing_or_integer_teacher_is_refused(tmp_path: Path) -> None:
    work = work_on(student(), digits_data(), tmp_path)
    with pytest.raises(UsageError, match="no such model file"):
        Distil(teacher=str(tmp_path / "none.keras")).run(work)
    integer = tmp_path / "model.tflite"
    integer.write_bytes(b"\x1c\0\0\0TFL3")
    with pytest.raises(UsageError, match="a float model wanted"):
        Distil(teacher=str(integer)).run(work)


def test_a_teacher_is_a_file_whose_change_runs_the_step_again() -> None:
    assert Distil().files() == ()
    assert Distil(teacher="teacher.h5").files() == (Path.cwd() / "teacher.h5",)


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (Distil(weight=1.5), "weight is 1.5"),
        (Distil(temperature=0.0), "temperature is 0"),
        (Distil(epochs=0), "epochs is 0"),
        (Distil(teacher="none.keras"), f"teacher {Path.cwd() / 'none.keras'}: no such file"),
    ],
)
def test_parameters_out_of_range_are_told(step: Distil, told: str) -> None:
    assert told in step.problem()
