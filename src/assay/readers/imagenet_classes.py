"""The classes of ImageNet, and what its development kit says of val."""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assay.core.errors import UnreadableTask
from assay.readers.tars import read_member

DEVKIT = "ILSVRC2012_devkit_t12"

_TRUTH = "ILSVRC2012_validation_ground_truth.txt"
_SOLUTION = "LOC_val_solution.csv"  # how Kaggle distributes the same
_SYNSET = re.compile(r"n\d{8}(?!\d)")


def synset_of(name: str) -> str | None:
    """Return the WordNet number that a class, a folder or a file is named by; None without one.

    >>> synset_of("n01440764_tench.JPEG"), synset_of("tench")
    ('n01440764', None)
    """
    found = _SYNSET.match(name)
    return found[0] if found else None


@functools.cache
def imagenet_classes() -> dict[str, int]:
    """Return the place of each class in heads for ImageNet-1k: the 1,000 WordNet numbers in their order."""
    return {synset: place for place, synset in enumerate(_names())}


def class_name(synset: str) -> str:
    """Return what a class is called: its number, and the first words for it, if it is one of the 1,000.

    >>> class_name("n01440764")
    'n01440764 tench'
    """
    words = _names().get(synset, "").partition(",")[0]
    return f"{synset} {words}".rstrip()


@functools.cache
def _names() -> dict[str, str]:
    lines = Path(__file__).with_name("imagenet_classes.tsv").read_text("utf-8").splitlines()
    return dict(line.split("\t") for line in lines)


def val_classes(folder: Path, names: Sequence[str]) -> list[str]:
    """Return the WordNet number of each image of val that stands in no class folder.

    Args:
        folder: Where the development kit lies, as it is distributed or unpacked, or Kaggle's solution.
        names: The names of the images.

    Raises:
        UnreadableTask: There is neither, or it speaks of other images.
    """
    known = _solution(folder) or _ground_truth(folder)
    stems = [Path(name).stem for name in names]
    missing = [stem for stem in stems if stem not in known]
    if missing:
        raise UnreadableTask(
            f"The ground truth lacks {len(missing)} of {len(names)} images of val (first: {missing[0]}): "
            "leave their names as they are distributed, as in ILSVRC2012_val_00000001.JPEG."
        )
    return [known[stem] for stem in stems]


def _solution(folder: Path) -> dict[str, str]:
    path = next((one / _SOLUTION for one in (folder, *folder.parents) if (one / _SOLUTION).is_file()), None)
    if path is None:
        return {}
    rows = (line.split(",") for line in path.read_text("utf-8").splitlines()[1:] if "," in line)
    return {row[0]: row[1].split()[0] for row in rows}


def _ground_truth(folder: Path) -> dict[str, str]:
    from scipy.io import loadmat

    meta, truth = _of_devkit(folder, "meta.mat"), _of_devkit(folder, _TRUTH)
    synsets = loadmat(io.BytesIO(meta), squeeze_me=True)["synsets"]
    numbers = {
        int(one["ILSVRC2012_ID"]): str(one["WNID"])
        for one in np.atleast_1d(synsets)
        if int(one["num_children"]) == 0  # the others are what classes are kinds of
    }
    places = [int(line) for line in truth.split()]
    unknown = next((place for place in places if place not in numbers), None)
    if unknown is not None:
        raise UnreadableTask(
            f"{_TRUTH} names class {unknown}, which meta.mat does not have. Unpack both again."
        )
    return {f"ILSVRC2012_val_{row:08}": numbers[place] for row, place in enumerate(places, start=1)}


def _of_devkit(folder: Path, name: str) -> bytes:
    unpacked = folder / DEVKIT / "data" / name
    if unpacked.is_file():
        return unpacked.read_bytes()
    packed = folder / f"{DEVKIT}.tar.gz"
    found = read_member(packed, f"data/{name}") if packed.is_file() else None
    if found is None:
        raise UnreadableTask(
            f"The classes of val are not known: '{folder}' has no {DEVKIT}.tar.gz with {name}, no folder "
            f"{DEVKIT}, no {_SOLUTION}, and no class folders in val. Put one of them there."
        )
    return found
