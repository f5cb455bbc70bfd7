from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgec.pipeline.calibration import InputSpec, calibrate, load_samples
from edgec.pipeline.errors import DataError
from edgec.pipeline.load.float_model import Port

NCHW = InputSpec(Port("image", (1, 3, 4, 5), (0, 2, 3, 1)))
FLAT = InputSpec(Port("features", (1, 6), (0, 1)))
GREY = InputSpec(Port("image", (1, 4, 5, 1), (0, 1, 2, 3)), (-1.0, 1.0), "declared", binding=True)


def values(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 1, shape).astype(np.float32)


def test_samples_in_the_source_layout_are_turned_to_channels_last(tmp_path: Path) -> None:
    x = values(7, 3, 4, 5)
    np.save(tmp_path / "x.npy", x)
    loaded = load_samples(tmp_path / "x.npy", [NCHW])["image"]
    assert np.array_equal(loaded, x.transpose(0, 2, 3, 1))


def test_samples_already_channels_last_are_taken_as_they_are(tmp_path: Path) -> None:
    x = values(7, 4, 5, 3)
    np.savez(tmp_path / "x.npz", image=x)
    assert np.array_equal(load_samples(tmp_path / "x.npz", [NCHW])["image"], x)


@pytest.mark.parametrize("key", ["features", "x", "whatever"])
def test_npz_of_one_input_finds_its_array(tmp_path: Path, key: str) -> None:
    np.savez(tmp_path / "x.npz", **{key: values(3, 6)})
    assert load_samples(tmp_path / "x.npz", [FLAT])["features"].shape == (3, 6)


def test_npz_with_labels_beside_x_reads_x(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", y=np.zeros(3), x=values(3, 6))
    assert load_samples(tmp_path / "x.npz", [FLAT])["features"].shape == (3, 6)


def test_two_inputs_need_an_array_each(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", features=values(3, 6))
    with pytest.raises(DataError, match="no array for input 'image', got \\['features'\\]"):
        load_samples(tmp_path / "x.npz", [FLAT, NCHW])
    np.savez(tmp_path / "x.npz", features=values(3, 6), image=values(2, 3, 4, 5))
    with pytest.raises(DataError, match="as many samples wanted for each input"):
        load_samples(tmp_path / "x.npz", [FLAT, NCHW])
    np.save(tmp_path / "x.npy", values(3, 6))
    with pytest.raises(DataError, match="the model has 2: features, image"):
        load_samples(tmp_path / "x.npy", [FLAT, NCHW])


def test_wrong_shape_names_file_input_and_both_layouts(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", values(7, 9, 9, 3))
    with pytest.raises(DataError) as caught:
        load_samples(tmp_path / "x.npy", [NCHW])
    for part in ("x.npy", "'image'", "[9, 9, 3]", "[3, 4, 5]", "[4, 5, 3] (channels last)"):
        assert part in str(caught.value)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused_with_their_sample(
    tmp_path: Path, bad: float
) -> None:
    x = values(7, 6)
    x[4, 2] = bad
    np.save(tmp_path / "x.npy", x)
    with pytest.raises(DataError, match="sample 4 holds a value that is not finite"):
        load_samples(tmp_path / "x.npy", [FLAT])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.npz", b"PK\x03\x04 broken"),
        ("x.npz", b""),
        ("x.npy", b"\x93NUMPY broken"),
        ("x.npy", b""),
        ("x.csv", b"1,2,3\n"),
        ("x.csv", b"1,2,3,4,5,6\n1,2,3,4,5,six\n"),
        ("x.csv", b"a,b,c\n"),
        ("x.csv", b"\xff\xfe\n"),
        ("x.txt", b"1 2 3"),
    ],
)
def test_damaged_or_unknown_files_are_data_errors(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=r"x\."):
        load_samples(tmp_path / name, [FLAT])


def test_pickled_arrays_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="cannot be read"):
        load_samples(tmp_path / "x.npy", [FLAT])


def test_csv_rows_are_samples_with_or_without_header(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b,c,d,e,f\n1,2,3,4,5,6\n\n6,5,4,3,2,1\n")
    loaded = load_samples(tmp_path / "x.csv", [FLAT])["features"]
    assert loaded.tolist() == [[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]]


def test_csv_row_of_wrong_length_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("1,2,3,4,5,6\n1,2\n")
    with pytest.raises(DataError, match="line 2 has 2 numbers"):
        load_samples(tmp_path / "x.csv", [FLAT])


def test_folder_of_npy_holds_one_sample_a_file_in_order(tmp_path: Path) -> None:
    x = values(3, 6)
    for index in range(3):
        np.save(tmp_path / f"{index}.npy", x[index])
    assert np.array_equal(load_samples(tmp_path, [FLAT])["features"], x)


def test_empty_folder_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no samples in the folder"):
        load_samples(tmp_path, [FLAT])


def test_images_are_scaled_to_the_declared_range(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="no pillow: pip install pillow")
    pixels = np.arange(20, dtype=np.uint8).reshape(4, 5) * 13
    image.fromarray(pixels).save(tmp_path / "a.png")
    image.fromarray(np.stack([pixels] * 3, axis=2)).save(tmp_path / "b.png")
    grey = load_samples(tmp_path, [GREY])["image"]
    assert grey.shape == (2, 4, 5, 1)
    assert np.allclose(grey[0, :, :, 0], pixels / 127.5 - 1.0, atol=1e-6)
    colour = load_samples(tmp_path, [NCHW])["image"]
    assert np.allclose(colour[1, :, :, 2], pixels / 255.0, atol=1e-6)


def test_images_of_another_size_are_refused_not_resized(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="no pillow: pip install pillow")
    image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match="8x8 pixels, 5x4 wanted"):
        load_samples(tmp_path, [GREY])
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="cannot be read"):
        load_samples(tmp_path, [GREY])


def test_values_outside_a_stated_range_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", values(20, 4, 5, 1) * 255)
    with pytest.raises(DataError, match=r"\[-1, 1\] wanted"):
        calibrate(tmp_path / "x.npy", [GREY])


def test_values_unlike_a_range_read_off_a_layer_only_warn(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", values(20, 6))
    spec = InputSpec(FLAT.port, (0.0, 255.0), "read off the Rescaling layer")
    result = calibrate(tmp_path / "x.npy", [spec])
    assert any("wrong scaling?" in warning for warning in result.warnings)


def test_constant_samples_have_no_range(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((20, 6), np.float32))
    with pytest.raises(DataError, match="every value is 0"):
        calibrate(tmp_path / "x.npy", [FLAT])


def test_calibration_says_where_its_samples_are_from(tmp_path: Path) -> None:
    np.savez(tmp_path / "calib.npz", values(200, 6))
    result = calibrate(tmp_path / "calib.npz", [FLAT])
    assert result.description == "calib.npz: 200 samples"
    assert not result.synthetic and not result.warnings


def test_few_samples_warn(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", values(3, 6))
    assert "3 calibration samples are few" in calibrate(tmp_path / "x.npy", [FLAT]).warnings[0]


def test_synthetic_samples_are_labelled_repeatable_and_in_range() -> None:
    first, second = calibrate(None, [GREY, NCHW]), calibrate(None, [GREY, NCHW])
    assert first.synthetic and "synthetic" in first.warnings[0]
    assert all(np.array_equal(a, b) for a, b in zip(first.samples, second.samples, strict=True))
    assert first.samples[1].shape == (100, 4, 5, 3)
    assert -1.0 <= first.samples[0].min() < -0.9 < 0.9 < first.samples[0].max() <= 1.0
    assert "image [-1, 1] (declared)" in first.description
    assert "no range declared" in first.description


def test_inputs_of_whole_numbers_need_samples_of_their_own(tmp_path: Path) -> None:
    specs = [InputSpec(Port(name, (1, 4), (0, 1)), dtype="int32") for name in ("ids", "mask")]
    with pytest.raises(DataError, match="no calibration samples for 'ids', 'mask'") as caught:
        calibrate(None, specs)
    assert "--calibration FILE.npz" in caught.value.hint
    assert "--quantize dynamic-range" in caught.value.hint
    ids = np.random.default_rng(0).integers(0, 2**24, (20, 4)) * 127 + 1
    np.savez(tmp_path / "text.npz", ids=ids, mask=np.ones((20, 4), np.int64))
    result = calibrate(tmp_path / "text.npz", specs)
    assert np.array_equal(result.samples[0], ids)
    assert [array.dtype for array in result.samples] == [np.dtype("int32")] * 2
    assert not result.warnings


@pytest.mark.parametrize("value", [0.5, 2.0**31])
def test_values_that_an_input_of_integers_cannot_hold_are_refused(
    value: float, tmp_path: Path
) -> None:
    np.save(tmp_path / "x.npy", np.full((3, 4), value))
    spec = InputSpec(Port("ids", (1, 4), (0, 1)), dtype="int32")
    with pytest.raises(DataError, match="the model takes int32"):
        load_samples(tmp_path / "x.npy", [spec])


def test_missing_file_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        load_samples(tmp_path / "none.npz", [FLAT])
