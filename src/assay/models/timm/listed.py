"""What timm and its published results list about a model before it is downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from assay.encoders.model_list_cache import cached_listing


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
    """Return the published results by name; see the README next to the file."""
    return {name: Published(float(top1), round(float(macs) * 1e9)) for name, _, top1, macs in _rows()}


@cache
def macs_by_architecture() -> dict[tuple[str, int], int]:
    """Return the multiply-accumulates of an architecture at an input size: weights do not change them."""
    return {(name.partition(".")[0], int(size)): round(float(macs) * 1e9) for name, size, _, macs in _rows()}


class TimmFacts(NamedTuple):
    """What timm lists of a name.

    Attributes:
        architecture: The name without the tag of weights.
        tag: That of the weights; of the usual ones if the name has none.
        repository: Where they lie on the hub; empty if elsewhere.
        url: Their address elsewhere; may be empty.
        licence: Of the weights; empty if unknown.
        side: Of the input in pixels.
    """

    architecture: str
    tag: str
    repository: str
    url: str
    licence: str
    side: int


def facts_of(name: str) -> TimmFacts | None:
    """Return timm's facts about a name; None if it has no such architecture."""
    return _kept().get(name) or _asked(name)


def listed_names(*, published: bool) -> list[str]:
    """Return each of the published weights, or each architecture."""
    if kept := _kept():
        return [name for name in kept if ("." in name) is published]
    import timm

    return list(timm.list_models(pretrained=published))


def _kept() -> Mapping[str, TimmFacts]:
    return cached_listing("timm", TimmFacts, _asked_for_all)


def _asked_for_all() -> dict[str, TimmFacts]:
    import timm

    names = (*timm.list_models(), *timm.list_models(pretrained=True))
    return {name: row for name in names if (row := _asked(name))}


def _asked(name: str) -> TimmFacts | None:
    from timm.models import get_pretrained_cfg, is_model

    config = get_pretrained_cfg(name) if is_model(name) else None
    if config is None:
        return None
    return TimmFacts(
        config.architecture,
        config.tag or "",
        repository_of(config, name),
        config.url or "",
        config.license or "",
        config.input_size[-1],
    )


def repository_of(config: Any, name: str) -> str:
    """Return the repository that a configuration of timm names; empty if its weights lie elsewhere."""
    hub = config.hf_hub_id or ""
    return hub + name if hub.endswith("/") else hub


def _rows() -> list[list[str]]:
    text = Path(__file__).with_name("results.tsv").read_text("utf-8")
    return [line.split("\t") for line in text.splitlines()[1:]]
