"""Assay: which pretrained model fits my tasks, how sure is that, and what does it cost?"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.actions.compare_models import compare_models
    from assay.actions.load import load
    from assay.actions.score import score
    from assay.analysis.across_tasks.generality import across
    from assay.core.errors import AssayError
    from assay.core.estimate import Estimate
    from assay.core.result import Result
    from assay.core.task import Task
    from assay.findings.across import Across
    from assay.findings.comparison import Comparison
    from assay.findings.matrix import Matrix
    from assay.run.study import Study
    from assay.tables.matrices import read_matrix

_HOME = {
    "Across": "assay.findings.across",
    "AssayError": "assay.core.errors",
    "Comparison": "assay.findings.comparison",
    "Estimate": "assay.core.estimate",
    "Matrix": "assay.findings.matrix",
    "Result": "assay.core.result",
    "Study": "assay.run.study",
    "Task": "assay.core.task",
    "across": "assay.analysis.across_tasks.generality",
    "compare_models": "assay.actions.compare_models",
    "load": "assay.actions.load",
    "read_matrix": "assay.tables.matrices",
    "score": "assay.actions.score",
}

__all__ = [
    "Across",
    "AssayError",
    "Comparison",
    "Estimate",
    "Matrix",
    "Result",
    "Study",
    "Task",
    "across",
    "compare_models",
    "load",
    "read_matrix",
    "score",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: ``import assay`` itself loads nothing."""
    if name not in _HOME:
        raise AttributeError(f"module 'assay' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)
