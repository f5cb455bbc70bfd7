"""A recipe from model and data to a measured result: resumed, refused, and nothing lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgec.pipeline.cli import main
from edgec.pipeline.compress.compression import CompressOptions, compress, compress_and_build
from edgec.pipeline.compress.data_source import data_source_from
from edgec.pipeline.compress.recipe import parse_recipe
from edgec.pipeline.compress.result import CompressionResult
from edgec.pipeline.compress.stored_data import store_data
from edgec.pipeline.driver import BuildOptions
from edgec.pipeline.errors import DataError, EdgecError, UnsupportedModelError, UsageError
from edgec.pipeline.worker import Progress
from tests.support.compress_work import digits_data

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits"
MODEL = EXAMPLE / "digits.onnx"
FAST = {"use": "ptq-fast", "samples": 50}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's own test samples: 360 digits."""
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    with np.load(EXAMPLE / "test.npz") as file:
        np.savez(path, x=file["x"], y=file["y"])
    return path


def options(data: Path, out: Path, *steps: dict[str, Any]) -> CompressOptions:
    recipe = parse_recipe("r", {"step": list(steps)}, "r")
    return CompressOptions(recipe, data_source_from(str(data)), out=out, images="none")


def run(chosen: CompressOptions, stages: list[str] | None = None) -> CompressionResult:
    def report(progress: Progress) -> None:
        if stages is not None:
            stages.append(f"{progress.stage}: {progress.message}")

    return compress(MODEL, chosen, report)[0]


def test_each_step_is_measured_and_the_generated_c_scores_as_the_interpreter(
    data: Path, tmp_path: Path
) -> None:
    chosen = options(data, tmp_path / "c", {"use": "prune-channels", "epochs": 2}, FAST)
    result = run(replace(chosen, images="each"))
    original, pruned, final = result.steps
    assert original.score is not None and original.score > 0.9
    assert pruned.macs is not None and original.macs is not None
    assert pruned.macs < 0.5 * original.macs
    images = [step.image for step in result.steps]
    assert all(image is not None and image.exact for image in images)
    flash = [image.flash_bytes for image in images if image is not None]
    assert flash[2] < flash[0]
    assert final.score is None
    assert result.compressed is not None and result.baseline is not None
    assert result.compressed.generated_c == result.compressed.interpreter
    assert result.compressed.confusion is not None
    assert sum(map(sum, result.compressed.confusion)) == result.compressed.samples > 60
    assert json.loads((tmp_path / "c" / "compress.json").read_text()) == json.loads(result.json())
    report = (tmp_path / "c" / "report.md").read_text()
    assert "| prune-channels |" in report and "Confusion matrix" in report
    drawn = sorted(p.name for p in (tmp_path / "c" / "plots").iterdir())
    assert drawn == ["confusion.png", "confusion.svg", "images.png", "images.svg"]


def test_an_interrupted_training_ends_as_an_uninterrupted_one(data: Path, tmp_path: Path) -> None:
    steps = ({"use": "prune", "epochs": 3, "sparsity": 0.6}, FAST)
    run(options(data, tmp_path / "whole", *steps))

    def interrupt(progress: Progress) -> None:
        if progress.stage == "train" and progress.done == 2:
            raise KeyboardInterrupt

    halved = options(data, tmp_path / "halved", *steps)
    with pytest.raises(KeyboardInterrupt):
        compress(MODEL, halved, interrupt)
    stages: list[str] = []
    run(halved, stages)
    epochs = [s for s in stages if s.startswith("train: prune: loss")]
    assert len(epochs) == 1
    whole, resumed = (tmp_path / n / "model.tflite" for n in ("whole", "halved"))
    assert whole.read_bytes() == resumed.read_bytes()


def test_finished_steps_are_taken_again_unless_what_they_rest_on_changed(
    data: Path, tmp_path: Path
) -> None:
    first = options(data, tmp_path / "c", {"use": "equalize"}, FAST)
    run(first)
    stages: list[str] = []
    run(first, stages)
    assert "equalize: done before" in stages and "ptq-fast: done before" in stages
    stages.clear()
    run(options(data, tmp_path / "c", {"use": "equalize"}, {**FAST, "samples": 40}), stages)
    assert "equalize: done before" in stages and "ptq-fast: done before" not in stages
    stages.clear()
    run(replace(first, seed=1), stages)
    assert "equalize: done before" not in stages


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x, y: (x, np.where(y == 9, 10, y)), "10"),
        (lambda x, y: (x[:, :, :7], y), r"samples of shape \[1, 7, 8\]"),
        (lambda x, y: (x, y[:-1]), "359"),
        (lambda x, y: (np.where(x == x.max(), np.nan, x), y), "not finite"),
    ],
)
def test_data_that_does_not_fit_is_refused_before_anything_is_trained(
    change: Any, said: str, data: Path, tmp_path: Path
) -> None:
    with np.load(data) as file:
        x, y = change(file["x"], file["y"])
    wrong = tmp_path / "wrong.npz"
    np.savez(wrong, x=x, y=y)
    with pytest.raises(DataError, match=said):
        run(options(wrong, tmp_path / "c", FAST))


def test_a_tflite_file_and_a_foreign_folder_are_refused(data: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.tflite"
    model.write_bytes(b"\0\0\0\0TFL3")
    with pytest.raises(UnsupportedModelError, match="no layers to train"):
        compress(model, options(data, tmp_path / "c", FAST), lambda p: None)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="no folder of a compression"):
        run(options(data, foreign, FAST))
    assert (foreign / "thesis.txt").read_text() == "years of work"


def test_a_full_disk_is_an_error_that_names_the_file(data: Path, tmp_path: Path) -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, limits[1]))
    try:
        with pytest.raises(EdgecError, match=r"cannot be written: File too large") as caught:
            store_data(tmp_path / "data.npz", digits_data())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "make room" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_recipe_for_interpreters_is_scored_but_not_built(data: Path, tmp_path: Path) -> None:
    chosen = options(data, tmp_path / "c", {"use": "dynamic-range"})
    result = run(chosen)
    assert result.compressed is not None
    assert result.compressed.generated_c is None and result.compressed.interpreter > 0.9
    with pytest.raises(UsageError, match="does not become C"):
        compress_and_build(MODEL, chosen, BuildOptions(), lambda p: None)


def test_the_commands_print_json_and_lines(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = [str(MODEL), "--data", str(data)]
    with pytest.raises(SystemExit) as left:
        main(["compress", *given, "--recipe", "ptq-fast", "--images", "none", "--json"])
    assert left.value.code == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["result"]["schema"] == "edgec.compression/1"
    with pytest.raises(SystemExit) as left:
        main(["build", *given, "--recipe", "ptq-fast", "-q", "--target", "cortex-m0plus"])
    assert left.value.code == 0
    assert "byte for byte" in capsys.readouterr().out
    with pytest.raises(SystemExit) as left:
        main(["build", *given, "-q"])
    assert left.value.code == 2
