"""What timm and its published results say of a model before it is downloaded."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple


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


def repository_of(config: Any, name: str) -> str:
    """Return the repository that a configuration of timm names; empty if its weights lie elsewhere."""
    hub = config.hf_hub_id or ""
    return hub + name if hub.endswith("/") else hub


def _rows() -> list[list[str]]:
    text = Path(__file__).with_name("results.tsv").read_text("utf-8")
    return [line.split("\t") for line in text.splitlines()[1:]]
