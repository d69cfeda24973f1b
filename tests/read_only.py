"""Folders that cannot be written, for tests that may run as the superuser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOBODY = 65534


@contextmanager
def read_only(root: Path) -> Iterator[None]:
    """Take away all permissions to write; the superuser, who needs none, becomes another user meanwhile."""
    paths = [root, *root.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    is_superuser = os.geteuid() == 0
    try:
        if is_superuser:
            os.seteuid(_NOBODY)
        yield
    finally:
        if is_superuser:
            os.seteuid(0)
        for path in paths:
            path.chmod(0o755 if path.is_dir() else 0o644)
