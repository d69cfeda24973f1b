"""Facts about models from the hub, which the user asked for: kept in the user's cache, read offline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from assay.core.catalogue import CatalogueEntry
from assay.core.errors import UsageError
from assay.core.paths import regular_bytes
from assay.core.validation import checked
from assay.environment.atomic_file import written_whole
from assay.environment.cache import cache_folder
from assay.environment.hub_client import HubRepository, settle_hub
from assay.environment.offline import is_offline

_WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.pth")  # the first kind that a repository has is what is read
_SAVED_AFTER = 50  # repositories: the answers so far are saved even if a later one fails


class HubAnswer(NamedTuple):
    """A repository that the hub was asked for.

    Attributes:
        repository: As in "org/name".
        failure: Why nothing is known of it; empty if it is.
    """

    repository: str
    failure: str


def with_hub_facts(entry: CatalogueEntry) -> CatalogueEntry:
    """Return an entry with the hub's facts added; it keeps its own, except popularity."""
    metadata = _read(_file()).get(entry.repository)
    if not metadata:
        return entry
    try:
        return checked(
            replace(
                entry,
                downloads=metadata.get("downloads"),
                licence=entry.licence or metadata.get("licence") or "",
                released=entry.released or metadata.get("released") or "",
                download_bytes=entry.download_bytes or metadata.get("bytes"),
            )
        )
    except (AttributeError, ValueError):  # damaged: as if the hub had not been asked
        return entry


def update(repositories: Iterable[str]) -> Iterator[HubAnswer]:
    """Ask the hub about repositories, and keep what it says; one that fails keeps what was known.

    Raises:
        UsageError: The user asked for no network, or the hub cannot be reached.
    """
    if is_offline():
        raise UsageError(
            "The catalogue is updated from the hub, and --offline uses no network. Leave it out."
        )
    if not settle_hub():
        raise UsageError(
            "The hub cannot be reached: nothing was updated. Try again where there is a network."
        )
    known = dict(_read(_file()))
    try:
        for number, name in enumerate(dict.fromkeys(repositories), start=1):
            try:
                known[name] = _facts_in(HubRepository(name).described())
            except Exception as error:  # of one repository: gone, gated, or the hub is busy
                yield HubAnswer(name, str(error).partition("\n")[0])
                continue
            yield HubAnswer(name, "")
            if number % _SAVED_AFTER == 0:
                _write(known)
    finally:
        _write(known)


def _facts_in(metadata: dict[str, Any]) -> dict[str, Any]:
    card = metadata.get("cardData") or {}
    licence = card.get("license_name") if card.get("license") == "other" else card.get("license")
    return {
        "downloads": metadata.get("downloads"),
        "licence": licence if isinstance(licence, str) else None,
        "released": str(metadata.get("createdAt") or "")[:10],
        "bytes": _weights(metadata.get("siblings") or []),
    }


def _weights(files: Iterable[dict[str, Any]]) -> int | None:
    """Return the size of the weights of the first format that a repository has, at its top."""
    sizes = {file["rfilename"]: file.get("size") for file in files if "/" not in file["rfilename"]}
    for pattern in _WEIGHTS:
        found = [int(size or 0) for name, size in sizes.items() if fnmatchcase(name, pattern)]
        if found and all(found):
            return sum(found)
    return None


def _file() -> Path:
    return cache_folder() / "hub_facts.json"


def _write(known: dict[str, Any]) -> None:
    with written_whole(_file()) as file:
        file.write(json.dumps(known).encode())
    _parsed.cache_clear()


def _read(file: Path) -> dict[str, Any]:
    try:
        return _parsed(file, file.stat().st_mtime_ns)
    except OSError:
        return {}


@lru_cache(maxsize=1)
def _parsed(file: Path, changed: int) -> dict[str, Any]:  # noqa: ARG001
    try:
        return dict(json.loads(regular_bytes(file)))
    except (ValueError, TypeError, RecursionError):  # damaged: it is asked for again by the next update
        return {}
