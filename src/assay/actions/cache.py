"""Lists and removes what can be recomputed: features and Moments of a store, and the user's cache."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from assay.encoders.pixel_cache import kept_pixels, remove_pixels
from assay.readers.cache_database import memory_path
from assay.store.cache import CachedFiles, cached_files, make_room
from assay.store.file_labels import Owners
from assay.store.results import Store, open_existing

_OTHER = "models or tasks that the store does not know any more"


@dataclass(frozen=True, slots=True)
class Cached:
    """The features of a model on a task, or another part of the cache.

    Attributes:
        of: What it is, such as a model and a task.
        bytes: The disk space that it takes.
        last_use: When it was read or written last, in seconds since 1970.
    """

    of: str
    bytes: int
    last_use: float


def cached(store: Path) -> tuple[Cached, ...]:
    """Return the cached arrays, least recently used first.

    Raises:
        StoreError: There is no store.
    """
    with closing(open_existing(store)) as opened:
        return _named(cached_files(store), Owners(opened))


def prune(store: Path, most_bytes: float) -> tuple[Cached, ...]:
    """Remove the least recently used arrays until the rest fits, and leftovers of killed processes.

    Returns:
        What was removed.

    Raises:
        StoreError: There is no store, or another process writes to it.
    """
    open_existing(store).close()
    with closing(Store(store)) as opened, opened.writing():
        return _named(make_room(store, most_bytes, float("inf")), Owners(opened))


def user_cached() -> tuple[Cached, ...]:
    """Return the cached files of all studies of the user, least recently used first."""
    found = [
        Cached(f"pixels of the recipe {path.stem[:8]}", size, used) for path, size, used in kept_pixels()
    ]
    with suppress(OSError):
        status = memory_path().stat()
        found.append(Cached("what was found in files", status.st_size, status.st_mtime))
    return tuple(sorted(found, key=lambda each: each.last_use))


def prune_user_cache(most_bytes: float) -> float:
    """Remove the least recently used pixels until the rest fits, for 0 all; return the bytes removed."""
    before = sum(each.bytes for each in user_cached())
    excess = before - most_bytes
    for path, size, _ in kept_pixels():
        if excess > 0:
            remove_pixels(path)
            excess -= size
    if not most_bytes:
        memory_path().unlink(missing_ok=True)
    return before - sum(each.bytes for each in user_cached())


def _named(files: Iterable[CachedFiles], owners: Owners) -> tuple[Cached, ...]:
    named: dict[str, Cached] = {}
    for each in files:
        model, task = owners.of_features(each.key)
        of = f"{model} on {task}" if model else _OTHER
        before = named.get(of, Cached(of, 0, 0.0))
        named[of] = Cached(of, before.bytes + each.bytes, max(before.last_use, each.last_use))
    return tuple(sorted(named.values(), key=lambda each: each.last_use))
