"""The base class of sources of tasks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from assay.core.task import Task


@dataclass(frozen=True, slots=True)
class TaskSource(ABC):
    """A source of tasks: one file in ``tasks/``; its fields are the user's settings.

    To add one, derive a frozen dataclass whose first field is ``name`` (the part after the colon),
    and implement ``load``. Problems with the data raise ``UnreadableTask`` with the cause.
    """

    name: str

    summary: ClassVar[str] = ""  # one line for lists
    packages: ClassVar[tuple[str, ...]] = ()  # required packages, imported only when used

    @abstractmethod
    def load(self, address: str, seed: int) -> Task:
        """Load the task; without an official split, ``seed`` determines the split."""
