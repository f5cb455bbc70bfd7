from __future__ import annotations

from pathlib import Path

import pytest

from edgec.pipeline.errors import UnsupportedModelError, UsageError
from edgec.pipeline.load.source import Format, detect

HDF5 = b"\x89HDF\r\n\x1a\n rest"
ZIP = b"PK\x03\x04 rest of it"
TFLITE = b"\x1c\x00\x00\x00TFL3 rest"
PROTOBUF = b"\x08\x08\x12\x07pytorch"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("m.keras", ZIP, Format.KERAS),
        ("m.h5", HDF5, Format.H5),
        ("M.H5", HDF5, Format.H5),
        ("m.onnx", PROTOBUF, Format.ONNX),
        ("m.tflite", TFLITE, Format.TFLITE),
    ],
)
def test_name_and_content_together_give_the_format(
    tmp_path: Path, name: str, content: bytes, kind: Format
) -> None:
    (tmp_path / name).write_bytes(content)
    assert detect(tmp_path / name) is kind


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("m.onnx", TFLITE, "the content is a .tflite file, the name says .onnx"),
        ("m.keras", HDF5, "the content is a .h5 file, the name says .keras"),
        ("m.tflite", PROTOBUF, "the content is no .tflite file"),
        ("m.h5", PROTOBUF, "the content is no .h5 file"),
        ("m.onnx", b"", "the file is empty"),
        ("m.pt", ZIP, "unknown model format '.pt'"),
        ("model", PROTOBUF, "unknown model format"),
    ],
)
def test_disagreement_and_unknown_formats_are_refused(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnsupportedModelError, match=says):
        detect(tmp_path / name)


def test_folder_is_a_savedmodel_or_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModelError, match=r"no saved_model\.pb"):
        detect(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    assert detect(tmp_path) is Format.SAVEDMODEL


def test_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such model file"):
        detect(tmp_path / "none.onnx")
