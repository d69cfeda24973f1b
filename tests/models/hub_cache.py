"""Writes repositories as the client of the Hugging Face hub keeps them: what a download leaves behind."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def cached(cache: Path, repository: str, files: Path, commit: str = COMMIT) -> Path:
    """Put the files of a folder into a cache, as ``main`` at a commit; return the folder of the snapshot."""
    root = cache / f"models--{repository.replace('/', '--')}"
    snapshot = root / "snapshots" / commit
    for folder in (root / "blobs", root / "refs", snapshot):
        folder.mkdir(parents=True, exist_ok=True)
    (root / "refs" / "main").write_text(commit)
    for file in files.iterdir():
        blob = root / "blobs" / hashlib.sha256(file.read_bytes()).hexdigest()
        shutil.copy(file, blob)
        (snapshot / file.name).symlink_to(blob)
    return snapshot


def offline_with(cache: Path, patch: pytest.MonkeyPatch) -> None:
    """Let the client of the hub find this cache, and no network."""
    patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
