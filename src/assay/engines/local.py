"""Runs visits one after the other, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assay.core.result import Event
from assay.plugins.engine import Engine, Visit, Watch


@dataclass(frozen=True, slots=True)
class Local(Engine):
    """One visit after the other, in this process."""

    def run(
        self, perform: Callable[[Visit, Watch], Iterator[Event]], visits: Sequence[Visit], watch: Watch
    ) -> Iterator[Event]:
        """Perform every visit and yield its events."""
        for visit in visits:
            yield from perform(visit, watch)
