"""The JSON of a result follows the schema that is shipped with it, and nothing else passes."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from edgec.pipeline.errors import UsageError
from edgec.pipeline.report.document import as_json, document, latency, read_document
from edgec.pipeline.report.schema import checked, schema
from edgec.pipeline.report.stamp import stamp
from tests.support.documents import measured_result


@pytest.fixture
def data() -> dict[str, Any]:
    return document(measured_result(), stamp())


def test_a_measured_result_follows_the_schema(data: dict[str, Any]) -> None:
    """An independent validator agrees with the one that edgec reads by."""
    bench = schema("bench")
    jsonschema.Draft7Validator.check_schema(bench)
    jsonschema.validate(json.loads(as_json(data)), bench)
    assert checked(json.loads(as_json(data)), "bench", "here")["schema"] == "edgec.bench/1"


def objects(part: Any) -> list[dict[str, Any]]:
    own = [part] if isinstance(part, dict) and "properties" in part else []
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return [*own, *(found for value in inner for found in objects(value))]


def test_only_extra_and_flags_take_other_keys(data: dict[str, Any]) -> None:
    assert all(part["additionalProperties"] is False for part in objects(schema("bench")))
    data["extra"]["anything"] = {"at": "all"}
    checked(data, "bench", "here")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("surprise",), 1),
        (("model", "surprise"), 1),
        (("model", "sha256"), "abc"),
        (("latency", "unit"), "ms"),
        (("latency", "samples"), []),
        (("layers", 0, "count"), -1),
        (("memory", "flash_bytes"), "many"),
        (("time",), "yesterday"),
        (("schema",), "edgec.bench/2"),
    ],
)
def test_what_does_not_follow_it_is_refused(
    data: dict[str, Any], path: tuple[Any, ...], value: object
) -> None:
    bad = copy.deepcopy(data)
    place: Any = bad
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(bad, schema("bench"))
    with pytest.raises(UsageError, match=r"not edgec\.bench/1"):
        checked(bad, "bench", "here")


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"schema": "edgec.bench/1"}'])
def test_a_file_that_is_no_result_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"result\.json: not"):
        read_document(path)


def test_a_folder_without_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_document(tmp_path)


def test_a_bundle_has_no_time_and_no_commit() -> None:
    data = document(measured_result())
    assert not {"id", "time", "git"} & set(data)
    assert not re.search(r"20\d\d-\d\d-\d\d", as_json(data))


def test_a_stamp_names_the_commit_where_there_is_one(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        argv = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *words]
        return subprocess.run(
            argv, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout.strip()

    assert set(stamp(tmp_path)) == {"id", "time"}
    git("init", "-q")
    assert "git" not in stamp(tmp_path)
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-q", "-m", "one")
    assert stamp(tmp_path)["git"] == {"commit": git("rev-parse", "HEAD"), "dirty": False}
    (tmp_path / "file").write_text("2")
    assert stamp(tmp_path)["git"]["dirty"]
    assert stamp(tmp_path)["id"] != stamp(tmp_path)["id"]


def test_statistics_are_of_the_samples() -> None:
    stats = latency("ns", [5, 1, 3, 2, 4])["stats"]
    assert (stats["n"], stats["min"], stats["median"], stats["mean"]) == (5, 1, 3, 3)
    assert (stats["p95"], stats["max"], stats["mad"]) == (5, 5, 1)
    assert stats["stdev"] == pytest.approx(2**0.5)


def test_what_was_slowed_down_or_not_run_is_not_valid() -> None:
    slowed = document(measured_result(invalid=("the device was slowed down (throttled)",)))
    assert slowed["validity"] == {
        "ok": False,
        "reasons": ["the device was slowed down (throttled)"],
    }
    assert document(measured_result(not_run=("all",)))["validity"]["reasons"] == ["not run: all"]
    assert document(measured_result())["validity"] == {"ok": True, "reasons": []}
