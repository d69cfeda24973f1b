"""The identity of a model: file hashes, settings, and the origin of its weights."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from assay.core.errors import UsageError
from assay.core.paths import path_of
from assay.plugins.settings import all_settings

_AS_BEFORE = (  # before they were settings
    *(("dtype", "auto"), ("device_map", None), ("quantization", None), ("compile", False)),
)


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of weights, with their licence and published accuracy, or that they are random."""

    weights: str
    licence: str | None = None
    is_random: bool = False
    source_accuracy: float | None = None


def random_origin(seed: int) -> Origin:
    """Return the origin of random weights."""
    return Origin(f"random, seed {seed}", is_random=True)


def require_file(path: str | Path) -> Path:
    """Return the path of an existing file, or raise ``UsageError``."""
    file = path_of(path)
    if not file.is_file():
        raise UsageError(f"There is no file '{path}'. Write the path of a checkpoint that exists.")
    return file


def file_hash(path: str | Path) -> str:
    """Return a hash of a file's content."""
    file = require_file(path)
    status = file.stat()
    return _file_hash(file.resolve(), status.st_size, status.st_mtime_ns)


def folder_hash(folder: Path) -> str:
    """Return a hash of all files below a folder, including their names."""
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder).as_posix()}\0{file_hash(file)}\0".encode())
    return digest.hexdigest()


def identity_of(builder: str, source: object, checkpoint: str | None = None) -> str:
    """Return the identity of a source: its builder, its settings, and the content hash of a file."""
    settings = {
        name: value for name, value in all_settings(source).items() if (name, value) not in _AS_BEFORE
    }
    if checkpoint is not None:
        # moving a file keeps the identity; changing it does not
        settings["checkpoint"] = file_hash(checkpoint)
    return f"{builder}; " + "; ".join(f"{key}={value!r}" for key, value in sorted(settings.items()))


@lru_cache(maxsize=1024)
def _file_hash(file: Path, size: int, changed_ns: int) -> str:  # noqa: ARG001  # size and time key the cache
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
