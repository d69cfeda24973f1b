"""Files whose content must be the same as when they were checked, also on other machines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.core.errors import Unavailable
from assay.readers.digests import digest_bytes
from assay.readers.files import Files, FileState


@dataclass(frozen=True, slots=True, eq=False)
class VerifiedFiles(Files):
    """Files that were checked; one that has another content since is not read, for its key names the first.

    Attributes:
        files: The files.
        digests: The hash of the content of each; 0 for those that were not checked.
    """

    files: Files
    digests: np.ndarray

    @classmethod
    def of(cls, files: Files, rows: np.ndarray, digests: np.ndarray) -> VerifiedFiles:
        """Return the files behind rows that were checked."""
        known = np.zeros(len(files), np.uint64)
        known[rows] = digests
        return cls(files, known)

    def __len__(self) -> int:
        return len(self.files)

    def content(self, row: int) -> bytes:
        """Return the bytes of one file; raise ``Unavailable`` if they have changed."""
        content = self.files.content(row)
        if self.digests[row] and digest_bytes(content) != self.digests[row]:
            state = self.files.state(row)
            raise Unavailable(
                f"'{self.name(row) if state is None else state.path}' has another content than when the task "
                "was read. Run the study again, which reads what changed; on a cluster, give every node the "
                "same files."
            )
        return content

    def name(self, row: int) -> str:
        """Return the name of one file."""
        return self.files.name(row)

    def state(self, row: int) -> FileState | None:
        """Return what tells whether a file changed; None if nothing does."""
        return self.files.state(row)
