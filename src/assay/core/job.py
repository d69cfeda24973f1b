"""The unit of work, of which each has one result."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """One model x task x method x seed.

    Attributes:
        key: A hash of everything that decides the number, as :func:`assay.core.keys.job_key` makes it.
        fingerprint: That of the task: the same address may hold other data later.
    """

    model: str
    task: str
    method: str
    seed: int
    key: str
    fingerprint: str
