"""Where files are kept that can be made again from what the user has."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder: ``ASSAY_CACHE``, else ``assay`` in the user's cache folder."""
    chosen = os.environ.get("ASSAY_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    beside = os.environ.get("XDG_CACHE_HOME")
    return (Path(beside) if beside else Path.home() / ".cache") / "assay"
