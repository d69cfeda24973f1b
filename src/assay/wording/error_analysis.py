"""Sentences about the errors of models on test examples."""

from __future__ import annotations

from assay.core.text import plural
from assay.findings.error_analysis import ErrorAnalysis

ALL_WRONG, ONE_CORRECT = "Every model wrong", "Only one model correct"
ARROW = "true class -> the most frequent wrong answer"


def separation_text(analysis: ErrorAnalysis) -> str:
    """Return how well the test separates models; empty with fewer than two."""
    if analysis.separable is None:
        return ""
    return (
        f"{100 * analysis.separable:.0f} % of pairs of models differ significantly. "
        f"{plural(analysis.examples, 'example')}; every model correct: {analysis.right_in_all:,}, "
        f"every model wrong: {analysis.missed_by_all:,}, exactly one correct: {analysis.by_one:,}"
    )


def examples_text(title: str, count: int, examples: int, shown: int) -> str:
    """Return on how many test examples something is true, and how many of these are shown.

    >>> examples_text("Every model wrong", 14, 80, 6)
    'Every model wrong on 14 of 80 test examples (6 shown)'

    Args:
        title: What is true.
        count: On how many test examples.
        examples: Number of test examples.
        shown: How many of the first are shown.
    """
    part = "all" if shown == count else f"{shown:,}"
    return f"{title} on {count:,} of {plural(examples, 'test example')} ({part} shown)"
