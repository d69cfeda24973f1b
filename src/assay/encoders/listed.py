"""Tables of model facts that ship with a source, and the data sets that names of weights contain."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

from assay.core.catalogue import CatalogueEntry
from assay.core.task import Modality

_DATA = {
    "1k": "ImageNet-1k", "in1k": "ImageNet-1k", "in12k": "ImageNet-12k", "in21k": "ImageNet-21k",
    "in22k": "ImageNet-22k", "inw21k": "ImageNet-21k", "jft": "JFT-300M", "ig1b": "Instagram-1B",
    "yfcc100m": "YFCC100M", "yfcc15m": "YFCC15M", "laion2b": "LAION-2B", "laion400m": "LAION-400M",
    "laiona": "LAION-Aesthetic", "aesthetic": "LAION-Aesthetic", "openai": "WIT-400M",
    "datacompxl": "DataComp-1B",
    "datacomp1b": "DataComp-1B", "webli": "WebLI", "dfn2b": "DFN-2B", "dfn5b": "DFN-5B",
    "dfndr2b": "DFNDR-2B", "metaclip": "MetaCLIP", "metaclip2": "MetaCLIP-2",
    "lvd142m": "LVD-142M", "lvd1689m": "LVD-1689M", "sat493m": "SAT-493M",
    "mae": "ImageNet-1k", "dino": "ImageNet-1k", "fcmae": "ImageNet-1k", "swag": "Instagram-3.6B",
    "seer": "Instagram-1B", "merged2b": "Merged-2B", "m38m": "Merged-38M", "m30m": "Merged-30M",
    "cc12m": "CC12M", "laion5b": "LAION-5B", "datacomp": "DataComp", "commonpool": "CommonPool",
    "datacompdr": "DataCompDR-1B", "mscoco": "MS COCO", "sa1b": "SA-1B", "bamboo": "Bamboo",
    "pali2": "WebLI", "pali": "WebLI",
}  # fmt: skip

_WHOLE = ("parameters", "macs", "input_size", "downloads", "download_bytes")
_WORDS = ("pretraining", "licence", "released", "repository")


@cache
def listed_in(file: Path) -> dict[str, CatalogueEntry]:
    """Return the entries of a tab-separated table by name; its other columns are fields of an entry.

    An empty cell is not known. The address of each entry is its name.
    """
    return {row["name"]: _entry(row) for row in _rows(file)}


@cache
def column_of(file: Path, column: str) -> dict[str, str]:
    """Return a column of such a table by name."""
    return {row["name"]: row[column] for row in _rows(file)}


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def _entry(row: dict[str, str]) -> CatalogueEntry:
    facts: dict[str, Any] = {name: row[name] for name in _WORDS if row.get(name)}
    facts |= {name: int(row[name]) for name in _WHOLE if row.get(name)}
    accuracy = float(row["source_accuracy"]) if row.get("source_accuracy") else None
    return CatalogueEntry(row["name"], Modality(row["modality"]), source_accuracy=accuracy, **facts)


def pretraining_of(tag: str) -> str:
    """Return the data sets that the name of weights names, in its order.

    >>> pretraining_of("clip_laion2b_augreg_ft_in12k_in1k_384")
    'LAION-2B, ImageNet-12k, ImageNet-1k'
    """
    named = (_DATA.get(part) for part in tag.lower().split("_"))
    return ", ".join(dict.fromkeys(name for name in named if name))
