"""A job: the unit of work, which has exactly one result."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """One model x task x method x seed.

    Attributes:
        key: A hash of everything that determines the result, from :func:`assay.core.keys.job_key`.
        fingerprint: The fingerprint of the task, because the data at an address may change.
        train_rows: The number of train examples used; None if all.
    """

    model: str
    task: str
    method: str
    seed: int
    key: str
    fingerprint: str
    train_rows: int | None = None
