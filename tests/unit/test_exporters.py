"""Each format is what the tool that reads it takes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import junitparser
import pytest

from edgec.pipeline.cli import main
from edgec.pipeline.errors import UsageError
from edgec.pipeline.report.case import Case, Outcome, read_cases, worst
from edgec.pipeline.report.document import as_json
from edgec.pipeline.report.exporters.base import find_exporter, format_names
from tests.support.documents import measured

# https://bencher.dev/bmf.json
BMF = {
    "$schema": "http://json-schema.org/draft-07/schema",
    "type": "object",
    "patternProperties": {
        ".+": {
            "type": "object",
            "patternProperties": {
                ".+": {
                    "type": "object",
                    "properties": {
                        "value": {"type": "number"},
                        "lower_value": {"type": "number"},
                        "upper_value": {"type": "number"},
                    },
                    "required": ["value"],
                }
            },
        }
    },
}
# BenchmarkResult of github-action-benchmark's src/extract.ts, as its custom tools read it.
GHA = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["name", "value", "unit"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string"},
            "value": {"type": "number"},
            "unit": {"type": "string"},
            "range": {"type": "string"},
            "extra": {"type": "string"},
        },
    },
}


def case(outcome: Outcome, message: str = "", board: str = "desk-1", **facts: Any) -> Case:
    result = measured(**facts) if outcome is Outcome.PASSED else None
    return Case("kws", "cortex-m4", board, outcome, message, 1.5, result)


CASES = [
    case(Outcome.PASSED),
    case(Outcome.WRONG, "differs at ] ]> & <byte> 3", board="desk-2"),
    case(Outcome.REGRESSED, "layer 1", board="desk-2"),
    case(Outcome.INFRASTRUCTURE, "it said \x00\x1b[31m\ud800 and died", board="desk-3"),
    case(Outcome.INVALID, "throttled", board="desk-3"),
    case(Outcome.ABSENT, "no board is free", board=""),
    case(Outcome.QUARANTINED, "loose cable", board="desk-4"),
]


def test_junit_tells_the_firmware_from_the_lab(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(find_exporter("junit").export(CASES), encoding="utf-8")
    suites = {suite.name: suite for suite in junitparser.JUnitXml.fromfile(str(path))}
    assert list(suites) == ["desk-1", "desk-2", "desk-3", "cortex-m4", "desk-4"]
    kinds = {
        name: [[type(r).__name__ for r in one.result] for one in suite]
        for name, suite in suites.items()
    }
    assert kinds == {
        "desk-1": [[]],
        "desk-2": [["Failure"], ["Failure"]],
        "desk-3": [["Error"], ["Error"]],
        "cortex-m4": [["Skipped"]],
        "desk-4": [["Skipped"]],
    }
    types = [one.result[0].type for name in ("desk-2", "desk-3") for one in suites[name]]
    assert types == ["wrong-output", "regression", "infrastructure", "invalid-measurement"]
    counted = [(s.tests, s.failures, s.errors, s.skipped) for s in suites.values()]
    assert counted == [(1, 0, 0, 0), (2, 2, 0, 0), (2, 0, 2, 0), (1, 0, 0, 1), (1, 0, 0, 1)]
    (passed,) = suites["desk-1"]
    properties = {p.get("name"): p.get("value") for p in passed._elem.iter("property")}
    assert properties == {"instructions": "75000", "flash_bytes": "16000", "ram_bytes": "3000"}
    assert passed.time == 1.5


def test_bmf_follows_the_schema_of_bencher() -> None:
    data = json.loads(find_exporter("bmf").export(CASES))
    jsonschema.validate(data, BMF)
    assert data["kws/cortex-m4"]["instructions"]["value"] == 75_000
    assert data["kws/cortex-m4"]["flash-size"] == {"value": 16_000}
    timed = case(Outcome.PASSED, unit="ns", samples=range(100, 200))
    latency = json.loads(find_exporter("bmf").export([timed]))["kws/cortex-m4"]["latency"]
    assert latency == {"value": 149.5, "lower_value": 100, "upper_value": 194}


def test_gha_is_a_list_of_figures_of_which_smaller_is_better() -> None:
    data = json.loads(find_exporter("gha").export(CASES))
    jsonschema.validate(data, GHA)
    assert {e["name"]: (e["value"], e["unit"]) for e in data} == {
        "kws/cortex-m4": (75_000, "instructions"),
        "kws/cortex-m4 flash": (16_000, "bytes"),
        "kws/cortex-m4 RAM": (3_000, "bytes"),
        "kws/cortex-m4 stack": (400, "bytes"),
    }
    timed = json.loads(
        find_exporter("gha").export([case(Outcome.PASSED, unit="ns", samples=[9, 10, 12])])
    )
    assert timed[0]["range"] == "± 1"


@pytest.mark.parametrize("name", ["bmf", "gha"])
def test_two_results_of_one_name_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="kws/cortex-m4 is there more than once"):
        find_exporter(name).export([case(Outcome.PASSED), case(Outcome.PASSED, board="b")])


def test_csv_has_a_row_each() -> None:
    rows = list(csv.DictReader(io.StringIO(find_exporter("csv").export(CASES))))
    assert [row["outcome"] for row in rows] == [c.outcome.value for c in CASES]
    assert (rows[0]["median"], rows[0]["flash_bytes"], rows[1]["median"]) == ("75000", "16000", "")


def test_the_summary_names_every_case_and_stays_small() -> None:
    text = find_exporter("md").export(CASES)
    assert text.count("\n| ") >= len(CASES) + 2
    assert "| ❌ | kws | cortex-m4 | desk-2 | wrong output |" in text
    assert "⚠️ | kws | cortex-m4 | desk-3 | infrastructure" in text
    assert "75,000 instructions" in text
    many = case(Outcome.PASSED)
    assert many.result is not None
    layers = [{**many.result["layers"][0], "index": i, "count": i} for i in range(500)]
    long = Case("a", "b", "", Outcome.PASSED, result={**many.result, "layers": layers})
    text = find_exporter("md").export([long])
    assert "480 more layers take less" in text and "| 499 |" in text and "\n| 400 |" not in text


def test_results_are_told_by_their_schema(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(as_json(measured()))
    assert [c.outcome for c in read_cases(path)] == [Outcome.PASSED]
    path.write_text(as_json(measured(invalid=("slow",))))
    (slow,) = read_cases(path)
    assert (slow.outcome, slow.result) == (Outcome.INVALID, None)
    path.write_text('{"schema": "edgec.bundle/1"}')
    with pytest.raises(UsageError, match=r"edgec\.bundle/1 is no result"):
        read_cases(path)
    path.write_text("{}")
    with pytest.raises(UsageError, match="not a file of edgec"):
        read_cases(path)


def test_what_speaks_against_the_firmware_decides_before_the_lab() -> None:
    order = [Outcome.PASSED, Outcome.ABSENT, Outcome.INFRASTRUCTURE, Outcome.INVALID]
    order += [Outcome.REGRESSED, Outcome.WRONG]
    for number, outcome in enumerate(order):
        assert worst(order[: number + 1]) is outcome
    assert [o.exit_code for o in order] == [0, 3, 8, 5, 6, 1]
    assert worst([]) is Outcome.PASSED


@pytest.mark.parametrize("name", format_names())
def test_the_command_writes_every_format(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result, out = tmp_path / "r.json", tmp_path / "out" / "file"
    result.write_text(as_json(measured()))
    for words in ([], ["-o", str(out)]):
        with pytest.raises(SystemExit) as stop:
            main(["report", "--format", name, str(result), *words])
        assert not stop.value.code
    assert out.read_text(encoding="utf-8") == capsys.readouterr().out


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        find_exporter("base")
    assert error.value.hint == "known formats: bmf, csv, gha, junit, md"
