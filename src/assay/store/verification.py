"""Checks every file and row of a store, without changing anything in its folder, even times of last use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from assay.core.errors import StoreError
from assay.store.array_format import read_content
from assay.store.block_file import present_in
from assay.store.cache import CACHED
from assay.store.checked_text import checked_text
from assay.store.database import MemoryDatabase
from assay.store.files import DamagedFile, FilePart, name_of, reason_of
from assay.store.packs import Packs


class VerifiedFile(NamedTuple):
    """What was found of one file: the shelf and the key by which it is stored, and what is wrong with it.

    Attributes:
        damage: Why it cannot be used; empty if it can.
        is_checked: Whether it has checksums; files of an earlier version have none.
    """

    shelf: str
    key: str
    damage: str
    is_checked: bool


def files_of(root: Path) -> Iterator[VerifiedFile]:
    """Verify the checksums of every array and JSON file; what killed processes left behind is passed over.

    Arrays in packs count as files, and so does a pack whose list of members is damaged.
    """
    packs = Packs(root)
    for pack, error in packs.damaged().items():
        yield VerifiedFile(pack.parent.name, pack.stem, reason_of(error), is_checked=True)
    for path in sorted((*root.glob("*/*.npy"), *root.glob("*/*.json"), *packs.members())):
        damage, is_checked = _state(path, packs)
        yield VerifiedFile(path.parent.name, path.stem, damage, is_checked)


def _state(path: Path, packs: Packs) -> tuple[str, bool]:
    try:
        with packs.open(path) as file:
            if path.suffix == ".npy":
                return _of_array(path, file)
            return "", checked_text(file.read(), name_of(path))[1]
    except (DamagedFile, OSError) as error:
        return reason_of(error), True
    except (ValueError, RecursionError):
        return "it is not JSON" if path.suffix == ".json" else "its header is damaged", True


def _of_array(path: Path, file: FileIO | FilePart) -> tuple[str, bool]:
    content = read_content(file, name_of(path))
    bad, is_cached = content.written, path.parent.name in CACHED
    if content.blocks is not None:
        bad = bad & ~present_in(path, file, content, must_be_finite=is_cached)
    damage = f"{int(bad.sum())} of {len(bad)} blocks do not match their checksums" if bad.any() else ""
    return damage, content.blocks is not None


def database_damage(root: Path) -> str:
    """Return SQLite's report about the file of results; empty if it is intact."""
    try:
        with closing(MemoryDatabase(root)) as database:
            found = [str(row[0]) for row in database.rows("PRAGMA integrity_check")]
    except StoreError as error:
        return str(error)
    return "" if found == ["ok"] else "; ".join(found[:3])
