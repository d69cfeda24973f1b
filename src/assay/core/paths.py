"""Paths as users write them, in addresses and settings."""

from __future__ import annotations

import difflib
import errno
import os
import stat
from io import FileIO
from pathlib import Path

from assay.core.errors import UsageError
from assay.core.size_limits import most_bytes

_SHOWN = 60  # letters of a path in a message


def expanded(written: str | Path) -> str:
    """Return a path with ``~`` expanded, where the home is known.

    >>> expanded("~nobody-of-this-name/photos")
    '~nobody-of-this-name/photos'
    """
    try:
        return os.path.expanduser(written)  # noqa: PTH111 - Path.expanduser raises for an unknown user
    except ValueError:  # no user can have this name
        return str(written)


def path_of(written: str | Path) -> Path:
    """Return a path with ``~`` expanded, where the home is known; nothing need exist there.

    Raises:
        UsageError: No file can have this name, the system does not let us look, or a pipe or device is there.
    """
    path = Path(expanded(written))
    try:
        kind = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return path
    except (OSError, ValueError) as error:
        shown = str(written) if len(str(written)) <= _SHOWN else f"{str(written)[:_SHOWN]}..."
        why = getattr(error, "strerror", None) or "no file can have this name"
        raise UsageError(f"Cannot look for '{shown}': {why}. Write another path.") from error
    if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
        raise UsageError(f"'{path}' is a pipe, socket or device: it is not read. Name a file or folder.")
    return path


def opened_regular(path: str | Path, mode: str = "rb", *, creates: bool = False) -> FileIO:
    """Open a regular file without buffer; never wait for a pipe, and read no device.

    Args:
        path: The file.
        mode: As of ``FileIO``.
        creates: Whether one that is missing is made; links are not followed then.

    Raises:
        OSError: It cannot be opened, or is not a regular file.
    """
    names = ("O_NONBLOCK", "O_NOFOLLOW", "O_CREAT") if creates else ("O_NONBLOCK",)
    more = sum(getattr(os, name, 0) for name in names)
    file = FileIO(path, mode, opener=lambda name, flags: os.open(name, flags | more, 0o600))
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return file


def regular_bytes(path: str | Path) -> bytes:
    """Return the content of a regular file; raise ``OSError`` if it is none, or larger than is reasonable."""
    with opened_regular(path) as file:
        size, most = os.fstat(file.fileno()).st_size, most_bytes(0)
        if size > most:
            raise OSError(errno.EFBIG, f"it has {size:,} bytes, and the limit is {most:,}", str(path))
        return file.readall()


def beside(path: Path) -> str:
    """Return a question with the most similar name beside a missing path; empty if none is similar."""
    try:
        names = os.listdir(path.parent)  # noqa: PTH208 - names alone
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"Did you mean: {path.with_name(near[0])}?" if near else ""
