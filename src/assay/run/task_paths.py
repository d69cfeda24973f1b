"""Chooses the task source that reads a bare path."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path

from assay.core.errors import UsageError
from assay.core.paths import beside, path_of
from assay.plugins.address import Address
from assay.plugins.families import families
from assay.readers.formats.fasttext import is_fasttext
from assay.readers.formats.suffixes import PLAIN, SUFFIXES
from assay.readers.images import is_image
from assay.readers.split_tables import has_split_tables

TABLE_SUFFIXES = tuple(suffix for suffix in SUFFIXES if not suffix.startswith(".txt"))
CONLL_SUFFIXES = frozenset({".conll", ".conllu", ".iob", ".iob2", ".bio"})
_SAVED = ("dataset_dict.json", "state.json")  # by save_to_disk of the package datasets
_CARD = re.compile(r"---\s.*?^(dataset_info|configs):", re.DOTALL | re.MULTILINE)
_CARD_CHARACTERS = 1 << 16


def with_source(address: Address) -> Address:
    """Return the address of a task with its source, inferred from a bare path.

    Raises:
        UsageError: There is no such path, or what it holds is unknown.
    """
    if address.source:
        return address
    path = path_of(address.name)
    if path.is_dir():
        return address.with_source(_source_of_folder(path))
    if path.name.lower().endswith(TABLE_SUFFIXES):
        return address.with_source("table")
    if path.suffix.lower() in CONLL_SUFFIXES:
        return address.with_source("conll")
    if path.is_file():
        if path.suffix.lower() == ".txt":
            if is_fasttext(path):
                return address.with_source("table")
            raise UsageError(
                f"Cannot tell what '{address.name}' holds. Write table:{address.name} for a table with the "
                f"names of its columns in the first line, or conll:{address.name} for words with tags."
            )
        raise UsageError(
            f"Cannot read the task '{address.name}': tables end in {', '.join(PLAIN)}; "
            f"for images name the folder that holds them."
        )
    near = beside(path)
    hint = f"There is no '{address.name}'. {near} " if near else ""
    raise UsageError(
        f"{hint}Cannot tell what the task '{address.name}' is: there is no such folder, and it is not a "
        f"table ({', '.join(PLAIN)}). Write a path, or source:name; sources: "
        f"{', '.join(families().tasks.names())}."
    )


def _source_of_folder(path: Path) -> str:
    """Return the source of a folder: tables of splits without any image are no folder of images."""
    if any((path / name).is_file() for name in _SAVED):
        return "hub"
    if not has_split_tables(path) or any(is_image(name) for _, _, names in os.walk(path) for name in names):
        return "folder"
    card = path / "README.md"
    has_card = card.is_file() and _CARD.match(card.read_text("utf-8", "replace")[:_CARD_CHARACTERS])
    return "hub" if has_card and importlib.util.find_spec("datasets") else "table"
