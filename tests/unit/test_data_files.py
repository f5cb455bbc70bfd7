"""Labelled data out of folders by class, tables and functions of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgec.pipeline.compress.data_source import data_source_from, load_dataset
from edgec.pipeline.compress.dataset import Dataset
from edgec.pipeline.errors import DataError, UsageError
from edgec.pipeline.load.float_model import Port
from edgec.pipeline.sample_files import InputSpec

PAIR = InputSpec(Port("pair", (1, 2), (0, 1)))
GREY = InputSpec(Port("image", (1, 4, 5, 1), (0, 1, 2, 3)))


def load(path: Path | str, spec: InputSpec = PAIR, outputs: int = 3, **options: Any) -> Dataset:
    output = Port("scores", (1, outputs), (0, 1))
    return load_dataset(data_source_from(str(path), **options), [spec], [output])


def table(folder: Path, header: str, rows: list[str]) -> Path:
    path = folder / "data.csv"
    path.write_text("\n".join([header, *rows] if header else rows) + "\n", encoding="utf-8")
    return path


def numbered_rows(count: int, form: str) -> list[str]:
    return [form.format(i=i, c=i % 3, name="abc"[i % 3]) for i in range(count)]


def write_images(folder: Path, names: tuple[str, ...], count: int, seed: int = 0) -> Path:
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(seed)
    for number, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            pixels = rng.integers(0, 256, (4, 5), np.uint8)
            pixels[0, 0] = number
            image.fromarray(pixels).save(folder / name / f"{i}.png")
    return folder


def classes_of_pixels(data: Dataset) -> bool:
    """Whether each image's first pixel, which tells its folder, agrees with its target."""
    pixels = np.round(data.train.inputs[0][:, 0, 0, 0] * 255)
    return bool((pixels == data.train.targets).all())


def test_a_folder_of_images_has_a_class_for_each_folder(tmp_path: Path) -> None:
    data = load(write_images(tmp_path / "images", ("cat", "dog", "emu"), 10), GREY)
    assert data.train.inputs[0].shape == (18, 4, 5, 1)
    assert data.classes == 3
    assert classes_of_pixels(data)
    assert "cat: 6+2+2, dog: 6+2+2, emu: 6+2+2" in data.description


def test_folders_named_by_numbers_are_these_classes(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", ("0", "2"), 10)
    data = load(folder, GREY)
    assert set(data.train.targets) == {0, 2}
    assert "class 1 has no samples" in data.warnings
    with pytest.raises(DataError, match=r"classes up to 2 \(0, 2\), the model tells 2 apart"):
        load(folder, GREY, outputs=2)


def test_ten_follows_nine(tmp_path: Path) -> None:
    names = tuple(str(i) for i in range(11))
    data = load(write_images(tmp_path / "images", names, 3), GREY, outputs=11)
    assert classes_of_pixels(data)


def test_names_of_classes_must_be_as_many_as_the_models(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", ("cat", "dog"), 5)
    with pytest.raises(DataError, match=r"2 classes by name \(cat, dog\), the model tells 3"):
        load(folder, GREY)


def test_folders_of_splits_are_kept(tmp_path: Path) -> None:
    for seed, split in enumerate(("train", "val", "test")):
        write_images(tmp_path / "images" / split, ("a", "b", "c"), 4, seed)
    data = load(tmp_path / "images", GREY)
    assert [s.count for s in (data.train, data.validation, data.test)] == [12, 12, 12]
    assert "splits as given" in data.description
    write_images(tmp_path / "images" / "more", ("a",), 1)
    with pytest.raises(DataError, match="folder 'more' beside 'train'"):
        load(tmp_path / "images", GREY)


def test_folders_that_are_no_classes_are_refused(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", ("a", "b", "c"), 2)
    (folder / "loose.png").write_bytes((folder / "a" / "0.png").read_bytes())
    with pytest.raises(DataError, match=r"loose\.png is in no class's folder"):
        load(folder, GREY)
    (folder / "loose.png").unlink()
    (folder / "a" / "0.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="cannot be read: cannot identify image"):
        load(folder, GREY)
    (folder / "a" / "0.png").unlink()
    (folder / "d").mkdir()
    with pytest.raises(DataError, match="d: no samples in the folder"):
        load(folder, GREY)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no folder of a class"):
        load(tmp_path / "empty", GREY)


def test_images_of_another_size_are_refused(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", ("a", "b", "c"), 2)
    wide = InputSpec(Port("image", (1, 4, 6, 1), (0, 1, 2, 3)))
    with pytest.raises(DataError, match=r"0\.png: 5x4 pixels, 6x4 wanted"):
        load(folder, wide)


def test_arrays_in_class_folders_are_samples(tmp_path: Path) -> None:
    for number, name in enumerate("abc"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(5):
            np.save(tmp_path / "data" / name / f"{i}.npy", np.array([number, i], np.float32))
    data = load(tmp_path / "data")
    assert np.array_equal(data.train.inputs[0][:, 0], data.train.targets)


def test_the_last_column_is_the_target(tmp_path: Path) -> None:
    data = load(table(tmp_path, "", numbered_rows(30, "{i},{c},{c}")))
    assert data.classes == 3
    assert np.array_equal(data.train.inputs[0][:, 1], data.train.targets)


@pytest.mark.parametrize("header", ["u,v,kind", "0,1,kind", "", "\ufeffu,v,kind"])
def test_classes_may_be_named_with_a_header_or_without(tmp_path: Path, header: str) -> None:
    data = load(table(tmp_path, header, numbered_rows(30, "{i},{c},{name}")))
    assert data.train.count + data.validation.count + data.test.count == 30
    assert np.array_equal(data.train.inputs[0][:, 1], data.train.targets)
    assert "a: 6+2+2, b: 6+2+2, c: 6+2+2" in data.description


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    rows = numbered_rows(60, "{c},p{i},{i},{c}")
    path = table(tmp_path, "kind,person,u,v", rows)
    data = load(path, label="kind", group="person", split="group")
    assert np.array_equal(data.train.inputs[0][:, 1], data.train.targets)
    with pytest.raises(DataError, match="no column 'nobody'") as caught:
        load(path, label="kind", group="nobody")
    assert "kind, person, u, v" in caught.value.hint


def test_columns_group_and_time_are_not_samples(tmp_path: Path) -> None:
    rows = numbered_rows(60, "2024-01-01T00:00:{i:02},{i},{c},{c}")
    data = load(table(tmp_path, "time,u,v,kind", rows), split="time")
    assert data.train.inputs[0][:, 0].max() < data.test.inputs[0][:, 0].min()


def test_several_columns_may_be_the_target(tmp_path: Path) -> None:
    path = table(tmp_path, "u,v,p,q", numbered_rows(30, "{i},1.5,{c}.5,2"))
    data = load(path, outputs=2, label="p,q")
    assert data.classes is None
    assert data.train.targets.shape == (18, 2)


def test_numbers_with_a_point_are_values(tmp_path: Path) -> None:
    data = load(table(tmp_path, "u,v,p", numbered_rows(30, "{i},1,{i}.25")), outputs=1)
    assert data.classes is None
    assert data.train.targets.shape == (18, 1)


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("u,v,kind", ["1,2,0", "1,2"], "line 3 has 2 cells, line 1 has 3"),
        ("u,v,kind", ["1,2,0", "1,two,0"], "line 3, column 'v': 'two' is no number"),
        ("u,v,kind", ["1,2,0", "1,2,"], "line 3 has no column 'kind'"),
        ("u,v,w,kind", ["1,2,3,0"], "3 columns beside column 'kind', input 'pair' of shape"),
        ("u,v,kind", [], "a header and no samples"),
        ("", [], "no samples in the file"),
        ("u,v,kind", ["1,nan,0"] * 3, "sample 0 holds a value that is not finite"),
        ("u,v,kind", ["1,2,0", '1,"2,0'], "line 3: "),
    ],
)
def test_damaged_tables_are_refused_by_line(
    tmp_path: Path, header: str, rows: list[str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        load(table(tmp_path, header, rows))


def module(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text, encoding="utf-8")


def test_a_function_of_the_users_gives_the_data(tmp_path: Path) -> None:
    module(
        tmp_path,
        "my_samples",
        "import numpy as np\n"
        "def pair():\n"
        "    import my_sizes\n"
        "    n = my_sizes.COUNT\n"
        "    x = np.arange(2 * n).reshape(n, 2)\n"
        "    return x, np.arange(n) % 3\n"
        "def table():\n"
        "    x, y = pair()\n"
        "    return {'x': x.tolist(), 'y': ['abc'[i] for i in y], 'time': range(len(y))}\n",
    )
    module(tmp_path, "my_sizes", "COUNT = 30\n")
    data = load("python:my_samples:pair", search_path=tmp_path)
    assert (data.train.count, data.classes) == (18, 3)
    data = load("python:my_samples:table", search_path=tmp_path, split="time")
    assert data.test.inputs[0].max() == 59


def test_errors_in_the_users_code_are_shown_as_theirs(tmp_path: Path) -> None:
    module(
        tmp_path,
        "my_faults",
        "import numpy as np\n"
        "def fails():\n"
        "    return np.zeros(3).reshape(2, 2)\n"
        "def leaves():\n"
        "    raise SystemExit('no data today')\n"
        "def nothing():\n"
        "    pass\n"
        "def objects():\n"
        "    return {'x': [None], 'y': [1]}\n"
        "SIZE = 3\n",
    )
    module(tmp_path, "my_syntax", "def load(:\n")
    module(tmp_path, "my_import", "import not_installed_anywhere\n")
    for function, kind, message in (
        ("my_faults:fails", DataError, r"your code raised ValueError at my_faults\.py:3: cannot"),
        ("my_faults:leaves", DataError, r"SystemExit at my_faults\.py:5: no data today"),
        ("my_faults:nothing", DataError, "your function returned a NoneType, a dict of arrays"),
        ("my_faults:objects", DataError, "'x' is an array of objects"),
        ("my_faults:SIZE", UsageError, "'SIZE' is no function in"),
        ("my_faults:other", UsageError, "'other' is not there in"),
        ("my_faults", UsageError, "not the name of a function"),
        ("my_absent:load", UsageError, "no module 'my_absent' in"),
        ("my_syntax:load", DataError, r"your code raised SyntaxError at my_syntax\.py:1"),
        ("my_import:load", DataError, r"ModuleNotFoundError at my_import\.py:1"),
    ):
        with pytest.raises(kind, match=message):
            load(f"python:{function}", search_path=tmp_path)


def test_code_is_run_only_where_it_is_marked_as_such(tmp_path: Path) -> None:
    module(tmp_path, "my_marker", "raise AssertionError('run')\n")
    with pytest.raises(DataError, match="my_marker:load: no such file") as caught:
        load("my_marker:load", search_path=tmp_path)
    assert "python:my_marker:load" in caught.value.hint
