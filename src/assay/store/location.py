"""Refuses to create a store in system folders or in folders with other files."""

from __future__ import annotations

from pathlib import Path

from assay.core.errors import UsageError

_SYSTEM = tuple(
    map(Path, ("/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/sbin", "/sys", "/System"))
)
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a disk in memory, which everybody may write to
_SHELVES = frozenset(
    {
        "predictions", "probs", "held_out", "held_out_truths", "truths", "contents", "splits", "lengths",
        "slices",
        "examples", "hardest", "features", "moments", "search", "planned",
    }
)  # fmt: skip
_FILES = frozenset({"results.sqlite", "writer.lock", "report.html"})
_OF_SYSTEMS = frozenset({".DS_Store", ".gitignore", ".gitkeep", "lost+found", "Thumbs.db", "desktop.ini"})


def require_place(root: Path) -> None:
    """Raise ``UsageError`` if a store must not be made, or continued, in a folder."""
    place = root.resolve()
    if place in {Path(place.anchor), Path.home(), Path.home().parent} or _is_of_system(place):
        raise UsageError(
            f"The store cannot be '{root}': that is a folder of the system. Name a folder of its own, as in "
            "--store assay-store."
        )
    if not place.is_dir() or (place / "results.sqlite").exists():
        return
    foreign = sorted(entry.name for entry in place.iterdir() if not _is_own(entry))
    if foreign:
        raise UsageError(
            f"The store cannot be '{root}': the folder holds other files, such as '{foreign[0]}'. Name an "
            f"empty folder or a new one, as in --store {root / 'assay-store'}."
        )


def _is_of_system(place: Path) -> bool:
    in_memory = place != _SHARED_MEMORY and place.is_relative_to(_SHARED_MEMORY)
    return place == Path("/usr") or (not in_memory and any(place.is_relative_to(one) for one in _SYSTEM))


def _is_own(entry: Path) -> bool:
    name = entry.name
    return name in _SHELVES | _FILES | _OF_SYSTEMS or name.startswith(
        ("results.sqlite", "writer.lock", ".nfs")
    )
