"""Whether weights are in the caches of the libraries that download them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from assay.environment.cache import download_folders
from assay.environment.hub_client import HubRepository

_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".msgpack", ".h5", ".onnx")
_SHARD = re.compile(r"-\d+-of-(\d+)\.")


def is_repository_cached(repository: HubRepository, files: str = "*") -> bool:
    """Return whether the weights of a repository are in the cache of the hub's client, with all parts.

    Args:
        repository: The repository.
        files: A pattern of the names of the files that a library reads, where several share a repository.
    """
    return bool(cached_bytes(repository, files))


def cached_bytes(repository: HubRepository, files: str = "*") -> int:
    """Return the size of the cached weights of a repository; 0 if some are missing."""
    if not repository.cache.is_dir():
        return 0
    kept = [path for path in _files(repository.snapshot) if path.suffix in _WEIGHTS]
    weights = [path for path in kept if fnmatchcase(path.name, files)]
    parts = [match for path in weights if (match := _SHARD.search(path.name))]
    is_whole = len(weights) > len(parts) or (bool(parts) and len(parts) >= int(parts[0][1]))
    return sum(path.stat().st_size for path in weights) if is_whole else 0


def cached_repositories(*, with_file: str, without: Iterable[str] = ()) -> list[str]:
    """Return the names of the model repositories whose weights are in the hub's cache.

    Args:
        with_file: A file next to the weights.
        without: Files of which none does.
    """
    prefix = "models--"
    folders = (path.name for path in _files(HubRepository("any").cache.parent))
    names = (name.removeprefix(prefix).replace("--", "/") for name in folders if name.startswith(prefix))
    found = []
    for repository in map(HubRepository, sorted(names)):
        beside = repository.snapshot
        is_wanted = (beside / with_file).is_file() and not any((beside / other).exists() for other in without)
        if is_wanted and is_repository_cached(repository):
            found.append(repository.name)
    return found


def torch_hub_file(url: str) -> Path:
    """Return where torch keeps the checkpoint of an address once it is downloaded."""
    return download_folders()[2] / "hub" / "checkpoints" / url.rpartition("/")[2]


def keras_file(name: str) -> Path:
    """Return where Keras keeps weights once they are downloaded."""
    return download_folders()[3] / "models" / name


def _files(folder: Path) -> Iterable[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
