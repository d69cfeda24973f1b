"""Whether weights are in the caches of the libraries that download them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from assay.environment.cache import download_folders
from assay.environment.hub_client import HubRepository

_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".msgpack", ".h5", ".onnx")
_SHARD = re.compile(r"-\d+-of-(\d+)\.")


def is_repository_cached(repository: HubRepository) -> bool:
    """Return whether the weights of a repository are in the cache of the hub's client, with all parts."""
    folder = repository.cache
    commit = repository.cached_commit() if folder.is_dir() else None
    if commit is None:
        return False
    files = [path.name for path in _files(folder / "snapshots" / commit) if path.suffix in _WEIGHTS]
    parts = [match for name in files if (match := _SHARD.search(name))]
    return len(files) > len(parts) or (bool(parts) and len(parts) >= int(parts[0][1]))


def cached_repositories(kind: str = "model") -> tuple[str, ...]:
    """Return the names of the repositories in the hub's cache whose weights are there."""
    start = f"{kind}s--"
    names = (path.name.removeprefix(start) for path in _files(_hub_folder()) if path.name.startswith(start))
    named = (name.replace("--", "/") for name in names)
    return tuple(sorted(name for name in named if is_repository_cached(HubRepository(name, kind=kind))))


def is_in_torch_hub(url: str) -> bool:
    """Return whether the file of an address is where torch keeps downloaded checkpoints."""
    return bool(url) and (download_folders()[2] / "hub" / "checkpoints" / url.rpartition("/")[2]).is_file()


def _hub_folder() -> Path:
    return HubRepository("any").cache.parent


def _files(folder: Path) -> Iterable[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
