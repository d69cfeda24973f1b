"""Tables that list the images or sounds of a folder: labels.csv, or metadata.csv in each split."""

from __future__ import annotations

from pathlib import Path

from assay.readers.formats.suffixes import SUFFIXES
from assay.readers.split_names import consistent, split_folder
from assay.readers.splits import Part

_LISTS = ("labels", "metadata", "annotations")  # names without suffix


def label_tables(folder: Path) -> dict[Path, Part | None]:
    """Return the table that lists the files, or those in folders named after splits, with their splits."""
    own = _labels_file(folder)
    if own is not None:
        return {own: None}
    inside = sorted(path for path in folder.iterdir() if path.is_dir())
    named = {path: found for path in inside if (found := split_folder(path.name)) and not found.rest}
    parts = consistent(named.values())
    return {file: parts[found] for path, found in named.items() if (file := _labels_file(path)) is not None}


def _labels_file(folder: Path) -> Path | None:
    files = (folder / f"{name}{suffix}" for name in _LISTS for suffix in SUFFIXES)
    return next((path for path in files if path.is_file()), None)
