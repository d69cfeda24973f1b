"""Reading with a limit: of what a compressed file expands to, and of a line."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import IO, AnyStr, final

from assay.core.errors import AssayError, UnreadableTask
from assay.core.size_limits import most_bytes, too_many_bytes


def lines_of(file: IO[AnyStr], name: str) -> Iterator[AnyStr]:
    """Yield the lines of a file with their ends; raise ``UnreadableTask`` for one beyond the limit."""
    most = most_bytes(0)
    if os.fstat(file.fileno()).st_size < most:
        yield from file
        return
    while line := file.readline(most):
        if len(line) == most:
            raise UnreadableTask(
                f"{name} has a line of more than {most:,} characters: it is not a table, or is damaged. If "
                "it is meant to be so, set the environment variable ASSAY_MAX_BYTES, as in 20GB."
            )
        yield line


@final
class LimitedStream(io.RawIOBase):
    """Reads what another stream unpacks, up to the limit.

    Args:
        stream: What unpacks.
        packed: The size of the compressed file.
        name: The file, for the error.
        error: The type of the error.
    """

    def __init__(self, stream: IO[bytes], packed: int, name: str, error: type[AssayError]) -> None:
        self._stream, self._packed, self._most = stream, packed, most_bytes(packed)
        self._name, self._error = name, error
        self._count = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, from where reading counts again."""
        self._count = 0
        return self._stream.seek(offset, whence)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed's Buffer is newer
        """Read the next bytes.

        Raises:
            AssayError: Of the given type: there are more than the limit.
        """
        content = self._stream.read(len(buffer))
        self._count += len(content)
        if self._count > self._most:
            raise self._error(f"'{self._name}' is not read: {too_many_bytes(self._packed)}.")
        buffer[: len(content)] = content
        return len(content)
