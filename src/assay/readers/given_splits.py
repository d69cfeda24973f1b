"""Split folders that the user named, and the shares of the other splits."""

from __future__ import annotations

from typing import NamedTuple

from assay.readers.splits import Shares

Folders = str | tuple[str, ...]


class GivenSplits(NamedTuple):
    """The folders of splits that the user named, relative to the folder of the task."""

    train: Folders | None = None
    val: Folders | None = None
    test: Folders | None = None


def shares_and_folders(
    train: Folders | None, val: float | Folders, test: float | Folders
) -> tuple[Shares, GivenSplits]:
    """Parse the settings: each of val and test is a share, or names one or more folders."""
    shares = (0.2 if isinstance(part, str | tuple) else part for part in (val, test))
    folders = (part if isinstance(part, str | tuple) else None for part in (val, test))
    return Shares(*shares), GivenSplits(train, *folders)
