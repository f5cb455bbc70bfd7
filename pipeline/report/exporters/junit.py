"""JUnit XML: a suite a board, a test case a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from edgec.pipeline.report.case import Case, Outcome
from edgec.pipeline.report.document import Document

# What XML 1.0 cannot hold, even escaped: a device may have said it.
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_ELEMENTS = {
    Outcome.WRONG: "failure",
    Outcome.NO_ANSWER: "failure",
    Outcome.REGRESSED: "failure",
    Outcome.INVALID: "error",
    Outcome.INFRASTRUCTURE: "error",
    Outcome.ABSENT: "skipped",
    Outcome.QUARANTINED: "skipped",
}


def export(cases: Sequence[Case]) -> str:
    """Return the report. What speaks against the firmware is a failure, against the lab an error.

    A model without a board was skipped. `time` is the host's seconds; what was measured is in the
    properties.
    """
    root = ElementTree.Element("testsuites", name="edgec")
    for board in dict.fromkeys(case.board or case.target for case in cases):
        own = [case for case in cases if (case.board or case.target) == board]
        suite = ElementTree.SubElement(root, "testsuite", {"name": _text(board), **_counts(own)})
        for case in own:
            _add(suite, case)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add(suite: ElementTree.Element, case: Case) -> None:
    element = ElementTree.SubElement(
        suite,
        "testcase",
        name=_text(case.model),
        classname=_text(case.target),
        time=f"{case.seconds:.3f}",
    )
    if case.result is not None:
        properties = ElementTree.SubElement(element, "properties")
        for name, value in _properties(case.result).items():
            ElementTree.SubElement(properties, "property", name=name, value=_text(str(value)))
    kind = _ELEMENTS.get(case.outcome)
    if kind is not None:
        facts = {"message": _text(case.message.partition("\n")[0])}
        if kind != "skipped":
            facts["type"] = case.outcome.value.replace(" ", "-")
        ElementTree.SubElement(element, kind, facts).text = _text(case.message)


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    kinds = [_ELEMENTS.get(case.outcome, "") for case in cases]
    return {
        "tests": str(len(cases)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
        "skipped": str(kinds.count("skipped")),
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }


def _properties(result: Document) -> dict[str, object]:
    counted, memory = result["latency"], result["memory"]
    found: dict[str, object] = {}
    if counted is not None:
        name = "latency_ns" if counted["unit"] == "ns" else counted["unit"]
        found[name] = f"{counted['stats']['median']:.0f}"
    found |= {key: memory[key] for key in ("flash_bytes", "ram_bytes") if memory[key] is not None}
    if result["target"]["uid_hash"] is not None:
        found["uid_hash"] = result["target"]["uid_hash"]
    return found


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
