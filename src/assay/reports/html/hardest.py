"""The hardest test examples of a task, as images or texts, within their share of the page size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.findings.error_analysis import MOST_CORRECT_BY_ONE, MOST_HARDEST, ErrorAnalysis, MissedExample
from assay.findings.facts import ShownExample
from assay.wording.error_analysis import ALL_WRONG, ONE_CORRECT, examples_text


@dataclass(frozen=True, slots=True)
class HardExample:
    """A test example that models get wrong; ``shown`` is its picture or text, None where none is stored."""

    missed: MissedExample
    shown: ShownExample | None


@dataclass(frozen=True, slots=True)
class HardExamples:
    """Test examples of one kind that models get wrong.

    Attributes:
        title: What is true of them.
        sentence: The title with the number of such examples in test.
        examples: Some of them: those with a picture or text, or all that are listed where none has one.
    """

    title: str
    sentence: str
    examples: tuple[HardExample, ...]

    @property
    def has_pictures(self) -> bool:
        """Whether the examples have pictures or texts."""
        return all(example.shown is not None for example in self.examples)


def hard_examples(
    analysis: ErrorAnalysis | None, shown: Mapping[int, ShownExample], letters: int
) -> tuple[HardExamples, ...]:
    """Return the hardest examples of a task by kind, without empty kinds.

    Args:
        analysis: The error analysis of the task; None without one.
        shown: Pictures and texts by the position of the label in the test labels.
        letters: The most letters that pictures and texts may take.
    """
    if analysis is None:
        return ()
    hardest = _fitting(analysis.hardest, shown, MOST_HARDEST, letters * 2 // 3)
    correct_by_one = _fitting(analysis.correct_by_one, shown, MOST_CORRECT_BY_ONE, letters // 3)
    kinds = ((ALL_WRONG, analysis.missed_by_all, hardest), (ONE_CORRECT, analysis.by_one, correct_by_one))
    return tuple(
        HardExamples(title, examples_text(title, count, analysis.examples, len(examples)), examples)
        for title, count, examples in kinds
        if examples
    )


def _fitting(
    missed: Sequence[MissedExample], shown: Mapping[int, ShownExample], most: int, letters: int
) -> tuple[HardExample, ...]:
    fitting: list[HardExample] = []
    for example in missed:
        found = shown.get(example.row)
        if found is not None and len(fitting) < most and found.letters <= letters:
            letters -= found.letters
            fitting.append(HardExample(example, found))
    return tuple(fitting) or tuple(HardExample(example, None) for example in missed)
