"""The folders of caches: converted files of the user, and downloads of libraries."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from assay.core.paths import expanded


def cache_folder() -> Path:
    """Return the folder: ``ASSAY_CACHE``, else ``assay`` in the user's cache folder."""
    chosen = os.environ.get("ASSAY_CACHE")
    if chosen:
        return Path(expanded(chosen))
    beside = os.environ.get("XDG_CACHE_HOME")
    return (Path(beside) if beside else Path.home() / ".cache") / "assay"


def bytes_below(folder: Path) -> int:
    """Return the total size of the files below a folder; links are not followed."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # another process removed it
                status = Path(path, name).lstat()
                total += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return total


def download_folders() -> tuple[Path, ...]:
    """Return the download caches of libraries, by the environment variables that they read."""
    home = Path.home()
    caches = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    hub = Path(os.environ.get("HF_HOME") or caches / "huggingface")
    folders = (
        Path(os.environ.get("HF_HUB_CACHE") or hub / "hub"),
        Path(os.environ.get("HF_DATASETS_CACHE") or hub / "datasets"),
        Path(os.environ.get("TORCH_HOME") or caches / "torch"),
        Path(os.environ.get("KERAS_HOME") or home / ".keras"),
    )
    return tuple(Path(expanded(path)) for path in folders)
