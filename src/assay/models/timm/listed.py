"""What timm and its published results say of a model before it is downloaded."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_DATA = {
    "1k": "ImageNet-1k", "in1k": "ImageNet-1k", "in12k": "ImageNet-12k", "in21k": "ImageNet-21k",
    "in22k": "ImageNet-22k", "inw21k": "ImageNet-21k", "jft": "JFT-300M", "ig1b": "Instagram-1B",
    "yfcc100m": "YFCC100M", "yfcc15m": "YFCC15M", "laion2b": "LAION-2B", "laion400m": "LAION-400M",
    "laiona": "LAION-Aesthetic", "openai": "WIT-400M", "datacompxl": "DataComp-1B",
    "datacomp1b": "DataComp-1B", "webli": "WebLI", "dfn2b": "DFN-2B", "dfn5b": "DFN-5B",
    "dfndr2b": "DFNDR-2B", "metaclip": "MetaCLIP", "metaclip2": "MetaCLIP-2",
    "lvd142m": "LVD-142M", "lvd1689m": "LVD-1689M", "sat493m": "SAT-493M",
    "mae": "ImageNet-1k", "dino": "ImageNet-1k", "fcmae": "ImageNet-1k", "swag": "Instagram-3.6B",
    "seer": "Instagram-1B", "merged2b": "Merged-2B", "m38m": "Merged-38M", "m30m": "Merged-30M",
    "cc12m": "CC12M", "sa1b": "SA-1B", "bamboo": "Bamboo", "pali2": "WebLI", "pali": "WebLI",
}  # fmt: skip


class Published(NamedTuple):
    """A row of timm's results on ImageNet.

    Attributes:
        top1: The share of ImageNet's validation images whose class was predicted.
        macs: Multiply-accumulates at the input size.
    """

    top1: float
    macs: int


@cache
def results() -> dict[str, Published]:
    """Return the published results by name; see the README beside the file."""
    return {name: Published(float(top1), round(float(macs) * 1e9)) for name, _, top1, macs in _rows()}


@cache
def macs_by_architecture() -> dict[tuple[str, int], int]:
    """Return the multiply-accumulates of an architecture at an input size: weights do not change them."""
    return {(name.partition(".")[0], int(size)): round(float(macs) * 1e9) for name, size, _, macs in _rows()}


def pretraining_of(tag: str) -> str:
    """Return the data sets that a tag of timm names, in its order.

    >>> pretraining_of("clip_laion2b_augreg_ft_in12k_in1k_384")
    'LAION-2B, ImageNet-12k, ImageNet-1k'
    """
    named = (_DATA.get(part) for part in tag.lower().split("_"))
    return ", ".join(dict.fromkeys(name for name in named if name))


def repository_of(config: Any, name: str) -> str:
    """Return the repository that a configuration of timm names; empty if its weights lie elsewhere."""
    hub = config.hf_hub_id or ""
    return hub + name if hub.endswith("/") else hub


def _rows() -> list[list[str]]:
    text = Path(__file__).with_name("results.tsv").read_text("utf-8")
    return [line.split("\t") for line in text.splitlines()[1:]]
