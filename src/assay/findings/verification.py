"""The outcome of a verification of a store: frozen values."""

from __future__ import annotations

from dataclasses import dataclass

_SAME = 1e-6  # the order of sums differs between machines


@dataclass(frozen=True, slots=True)
class Rerun:
    """A job that was run again.

    Attributes:
        stored: Its value in the store.
        again: Its value now; None if it could not be compared.
        differing: The share of test labels with another prediction now; None for scores.
        reason: Why it could not be compared; empty if it was.
    """

    model: str
    task: str
    method: str
    seed: int
    stored: float
    again: float | None
    differing: float | None = None
    reason: str = ""

    @property
    def has_drifted(self) -> bool:
        """Whether it has another value or other predictions now."""
        return self.again is not None and (abs(self.again - self.stored) > _SAME or bool(self.differing))


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a store that is not as it should be.

    Attributes:
        of: The file, or the job.
        reason: What is wrong.
    """

    of: str
    reason: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found in a store.

    Attributes:
        files: The number of arrays and JSON files whose checksums were verified.
        unchecked: The number of files of an earlier version, which have no checksum.
        results: The number of results.
        judged: The number of results that were computed again from their predictions.
        problems: What is damaged, missing or contradicts itself.
        reruns: The jobs that were run again.
        scores: The number of results of scores, which make no predictions.
        valueless: The number of jobs that failed or were skipped.
        encoded: The number of features that results with predictions are of: one for each model and task.
        not_kept: How many of them the cache does not hold.
    """

    files: int
    unchecked: int
    results: int
    judged: int
    problems: tuple[Problem, ...]
    reruns: tuple[Rerun, ...] = ()
    scores: int = 0
    valueless: int = 0
    encoded: int = 0
    not_kept: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong, and no job that ran again has another result."""
        return not self.problems and not any(rerun.has_drifted for rerun in self.reruns)
