"""Where a recipe starts: from the weights of pretraining, with the statistics and the head it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from assay.training.loop import Course
from assay.training.net import State
from assay.training.probing import PENALTIES, start_head
from assay.training.recipe import Recipe


@final
class Starts:
    """The weights from which recipes start: those that start alike share them.

    A recipe that does not keep the statistics of batch normalisation starts with those of train, so that the
    head is fitted to the features that training sees.

    Args:
        course: Its net holds the weights of pretraining, and a head as torch drew it.
        from_probe: Whether the head starts where a linear probe ends; else all weights stay as they are.
    """

    def __init__(self, course: Course, *, from_probe: bool) -> None:
        self._course, self._from_probe = course, from_probe
        self._first = course.net.state()
        self._ready: dict[bool, State] = {}
        self._penalties: dict[bool, float] = {}

    def begin(self, recipe: Recipe) -> None:
        """Set the net to the weights from which the recipe starts."""
        keeps = recipe.keeps_statistics
        if self._from_probe and keeps not in self._ready:
            self._course.net.load(self._first)
            self._penalties[keeps] = _prepare(self._course, recipe, PENALTIES)
            self._ready[keeps] = self._course.net.state()
        self._course.net.load(self._ready.get(keeps, self._first))

    def begin_with(self, course: Course, recipe: Recipe) -> None:
        """Do the same for a course of more examples, with the penalty of the head that val chose before."""
        course.net.load(self._first)
        if self._from_probe:
            _prepare(course, recipe, (self._penalties[recipe.keeps_statistics],))


def _prepare(course: Course, recipe: Recipe, penalties: Sequence[float]) -> float:
    if not recipe.keeps_statistics:
        course.net.learn_statistics(course.train.examples)
    return start_head(course, penalties)
