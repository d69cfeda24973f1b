"""Caches the model lists of installed libraries, because importing one takes seconds."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

from assay.core.paths import regular_bytes
from assay.core.validation import is_typed
from assay.environment.atomic_file import written_whole
from assay.environment.cache import cache_folder

Row = TypeVar("Row", bound=tuple[Any, ...])


def cached_listing(package: str, row: type[Row], read: Callable[[], Mapping[str, Row]]) -> Mapping[str, Row]:
    """Return what a library lists by name, from the cache as long as no file of the library changed.

    It is empty if the library is imported already: models may have been registered since, so the caller
    has to ask the library itself.

    Args:
        package: The library, as it is imported.
        row: The named tuple that is kept of each name, of values that JSON has.
        read: Imports the library and asks it.
    """
    state = "" if package in sys.modules else _state(package, row)
    if not state:
        return {}
    file = cache_folder() / "listings" / f"{package}-{state}.json"
    kept = _parsed(file, row)
    if kept:
        return kept
    found = read()
    with suppress(OSError), written_whole(file) as opened:  # it is asked again next time
        opened.write(json.dumps(found).encode())
    return found


@cache
def _state(package: str, row: type[Row]) -> str:
    """Return a hash of what is kept, and of the names, sizes and times of the files of a package."""
    found = importlib.util.find_spec(package)
    folders = [] if found is None else list(found.submodule_search_locations or [])
    digest = hashlib.blake2b(repr(getattr(row, "_fields", ())).encode(), digest_size=8)
    files = sorted(path for folder in folders for path in Path(folder).rglob("*.py"))
    for path in files:
        status = path.stat()
        digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest() if files else ""


@lru_cache(maxsize=4)
def _parsed(file: Path, row: type[Row]) -> dict[str, Row]:
    try:
        rows = {name: row(*values) for name, values in json.loads(regular_bytes(file)).items()}
        return rows if all(map(is_typed, rows.values())) else {}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):  # damaged: it is made again
        return {}
