"""Writes results for ``.eval_results/`` of a model repository on the Hugging Face hub."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import ClassVar

from assay.core.escaping import shown
from assay.environment.atomic_file import replacing_text
from assay.findings.comparison import Comparison
from assay.findings.per_task import Standing, TaskFindings
from assay.plugins.address import Address
from assay.plugins.report import Report
from assay.wording.exported import exported_names

_HUB = "hub"  # the source of data sets of the hub
_REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w.-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_AS_THE_BENCHMARK = ("alias", "config", "label", "metric", "revision", "text")  # other settings are noted


class EvalResults(Report):
    """YAML with one document for each model: a list of its results on data sets of the hub.

    The hub takes results on data sets that are registered as benchmarks, so tasks of other sources are left
    out. Each document is for ``.eval_results/assay.yaml`` in the repository of the model
    above it.

    >>> from assay.testing.reports import rendered
    >>> rendered(EvalResults()).decode().splitlines()[0]
    '# No result on a data set of the hub.'
    """

    suffix: ClassVar[str] = ".eval_results"
    summary: ClassVar[str] = "results on data sets of the hub, as .eval_results/*.yaml of model repositories"

    def render(self, comparison: Comparison, path: Path) -> None:
        """Write a document for each model with such a result to ``path``, replacing any existing file."""
        names = exported_names(comparison)
        by_model: dict[str, list[str]] = {}
        for findings in () if comparison.is_estimate else comparison.tasks:
            task = Address.parse(findings.task.address)
            if task.source == _HUB and _REPOSITORY.fullmatch(task.name):
                for standing in findings.standings:
                    entry = _entry(task, findings, standing, comparison.ranked_by)
                    by_model.setdefault(names[standing.model], []).append(entry)
        parts = [f"# {_line(model)}\n{''.join(by_model[model])}" for model in sorted(by_model)]
        text = "---\n".join(parts) or "# No result on a data set of the hub.\n[]\n"
        with replacing_text(path) as file:
            file.write(text)


def _entry(task: Address, findings: TaskFindings, standing: Standing, method: str) -> str:
    """Return an entry as YAML."""
    sign = -1 if findings.shown_negated else 1
    settings = dict(task.settings)
    notes = f"{findings.measure} of {method} by Assay, {findings.task.test_count:,} test examples"
    if standing.interval is not None:
        low, high = sorted((sign * standing.interval.low, sign * standing.interval.high))
        notes += f", 95 % CI {low:.4g} to {high:.4g}"
    changed = [f"{name}={value!r}" for name, value in task.settings if name not in _AS_THE_BENCHMARK]
    notes += f"; with {', '.join(changed)}" if changed else ""
    revision = str(settings.get("revision", ""))
    lines = [
        "- dataset:",
        f"    id: {_text(task.name)}",
        f"    task_id: {_text(str(settings.get('config', 'default')))}",
        *([f"    revision: {_text(revision)}"] if _COMMIT.fullmatch(revision) else []),
        f"  value: {_number(sign * standing.value)}",
        f"  notes: {_text(notes)}",
    ]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """Return a string of JSON, which YAML contains, but for escapes of halves of characters."""
    return json.dumps(_line(text), ensure_ascii=False)


def _line(text: str) -> str:
    return shown(text).replace("\n", "\\n").replace("\t", "\\t")


def _number(value: float) -> str:
    """Return a number that is one in YAML 1.1 too, where 1e-05 is a string."""
    digits, e, power = repr(value).partition("e")
    return f"{digits}.0{e}{power}" if e and "." not in digits else f"{digits}{e}{power}"
