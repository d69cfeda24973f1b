"""Shows whether a model may take the place of another: as text, and as XML for a build server."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from rich.console import Console
from rich.text import Text

from assay.findings.change import Gate, Verdict

_STYLES = {Verdict.PASS: "bold green", Verdict.FAIL: "bold red", Verdict.UNDECIDED: "bold yellow"}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def show_gate(gate: Gate, console: Console) -> None:
    """Print the verdict on each task, and the whole."""
    for one in gate.tasks:
        console.print(Text.assemble((one.verdict, _STYLES[one.verdict]), f"  {one.task}: {one.reason}"))
    if gate.change.refusal:
        console.print(Text.assemble((Verdict.FAIL, _STYLES[Verdict.FAIL]), f"  {gate.change.refusal}"))
    for reason in gate.change.missing:
        console.print(Text(reason, style="dim"))
    before, after = gate.change.before.address, gate.change.after.address
    console.print(Text.assemble((gate.verdict, _STYLES[gate.verdict]), f"  {after} in place of {before}"))


def as_junit(gate: Gate) -> str:
    """Return the verdicts as JUnit XML: a regression is a failure, too little data an error.

    A model that a limit forbids is one more failure, called limits.
    """
    before, after = gate.change.before.address, gate.change.after.address
    refusal = gate.change.refusal
    refused = int(bool(refusal))
    suite = ElementTree.Element(
        "testsuite",
        name=_clean(f"assay gate: {after} in place of {before}"),
        tests=str(len(gate.tasks) + refused),
        failures=str(sum(one.verdict is Verdict.FAIL for one in gate.tasks) + refused),
        errors=str(sum(one.verdict is Verdict.UNDECIDED for one in gate.tasks)),
    )
    for one in gate.tasks:
        case = ElementTree.SubElement(suite, "testcase", classname=_clean(after), name=_clean(one.task))
        if one.verdict is Verdict.PASS:
            ElementTree.SubElement(case, "system-out").text = _clean(one.reason)
        else:
            tag = "failure" if one.verdict is Verdict.FAIL else "error"
            ElementTree.SubElement(case, tag, type=one.verdict.value, message=_clean(one.reason))
    if refusal:
        case = ElementTree.SubElement(suite, "testcase", classname=_clean(after), name="limits")
        ElementTree.SubElement(case, "failure", type=Verdict.FAIL.value, message=_clean(refusal))
    text = ElementTree.tostring(suite, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _clean(text: str) -> str:
    """Return the text without what XML cannot hold, even escaped."""
    return _NOT_XML.sub("\ufffd", text)
