"""Runs evaluations one after the other, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assay.core.result import Event
from assay.plugins.engine import Engine, Watch, WorkT


@dataclass(frozen=True, slots=True)
class Local(Engine):
    """One evaluation after the other, in this process.

    >>> names = ["resnet18 on pets", "vit_small on pets"]
    >>> list(Local().run(lambda name, watch: iter([f"{name}: 0.91"]), names, print))
    ['resnet18 on pets: 0.91', 'vit_small on pets: 0.91']
    """

    def run(
        self, evaluate: Callable[[WorkT, Watch], Iterator[Event]], evaluations: Sequence[WorkT], watch: Watch
    ) -> Iterator[Event]:
        """Run every evaluation and yield its events."""
        for evaluation in evaluations:
            yield from evaluate(evaluation, watch)
