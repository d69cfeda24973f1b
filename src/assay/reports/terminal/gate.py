"""Prints the verdict of the gate: as text, and as JUnit XML for a build server."""

from __future__ import annotations

import re
from functools import partial
from xml.etree import ElementTree

from rich.console import Console
from rich.text import Text

from assay.core.escaping import one_line
from assay.findings.change import Gate, Verdict
from assay.findings.short import with_short_names
from assay.reports.terminal.tables import print_note
from assay.wording.change import PAIR_ALONE, result_text

_STYLES = {Verdict.PASS: "bold green", Verdict.FAIL: "bold red", Verdict.UNDECIDED: "bold yellow"}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def show_gate(gate: Gate, console: Console) -> None:
    """Print the verdict on each task and overall."""
    called = partial(with_short_names, names=gate.change.names)
    for task in gate.tasks:
        reason = called(f"{task.task}: {task.reason}")
        console.print(Text.assemble((task.verdict, _STYLES[task.verdict]), one_line(f"  {reason}")))
    if gate.change.refusal:
        refusal = called(gate.change.refusal)
        console.print(Text.assemble((Verdict.FAIL, _STYLES[Verdict.FAIL]), one_line(f"  {refusal}")))
    for reason in gate.change.missing:
        print_note(console, called(reason))
    if any(task.interval is not None for task in gate.tasks):
        print_note(console, PAIR_ALONE)
    console.print(Text(one_line(called(result_text(gate))), style=_STYLES[gate.verdict]))


def as_junit(gate: Gate) -> str:
    """Return the verdicts as JUnit XML: a regression is a failure, too few data are an error.

    A model that a limit forbids is one more failure, called limits.
    """
    before, after = gate.change.before.address, gate.change.after.address
    cases = [(task.task, task.verdict, task.reason) for task in gate.tasks]
    if gate.change.refusal:
        cases.append(("limits", Verdict.FAIL, gate.change.refusal))
    suite = ElementTree.Element(
        "testsuite",
        name=_clean(f"assay gate: {after} in place of {before}"),
        tests=str(len(cases)),
        failures=str(sum(verdict is Verdict.FAIL for _, verdict, _ in cases)),
        errors=str(sum(verdict is Verdict.UNDECIDED for _, verdict, _ in cases)),
    )
    for name, verdict, reason in cases:
        case = ElementTree.SubElement(suite, "testcase", classname=_clean(after), name=_clean(name))
        if verdict is Verdict.PASS:
            ElementTree.SubElement(case, "system-out").text = _clean(reason)
        else:
            tag = "failure" if verdict is Verdict.FAIL else "error"
            ElementTree.SubElement(case, tag, type=verdict.value, message=_clean(reason))
    text = ElementTree.tostring(suite, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _clean(text: str) -> str:
    """Return the text without characters that are invalid in XML."""
    return _NOT_XML.sub("\ufffd", text)
