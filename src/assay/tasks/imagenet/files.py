"""Finds the images of ImageNet: in class folders, in the tar files as distributed, or side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from assay.core.errors import UnreadableTask
from assay.readers.folders import find_images
from assay.readers.imagenet_classes import synset_of, val_classes
from assay.readers.images import ImageFiles, StoredImages, is_image
from assay.readers.tars import tar_images

_KAGGLE = Path("ILSVRC", "Data", "CLS-LOC")
TRAIN_TAR, VAL_TAR = "ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"


class Classed(NamedTuple):
    """Images with the WordNet number of each."""

    images: StoredImages
    synsets: Sequence[str]


def find_train(folder: Path) -> Classed | None:
    """Return the images of train; None where there are none.

    Raises:
        UnreadableTask: A class folder is not named by a WordNet number, or there is no image.
    """
    root = _root(folder)
    if (root / "train").is_dir():
        return _class_folders(root, "train")
    if (root / TRAIN_TAR).is_file():
        images = tar_images(root / TRAIN_TAR)
        return Classed(images, _synsets([member.name for member in images.members], root / TRAIN_TAR))
    return None


def find_val(folder: Path) -> Classed | None:
    """Return the images of val; None where there are none.

    Raises:
        UnreadableTask: Their classes are not known.
    """
    root = _root(folder)
    if (root / "val").is_dir():
        names = _flat(root / "val")
        if not names:
            return _class_folders(root, "val")
        files = ImageFiles(root, tuple(f"val/{name}" for name in names))
        return Classed(files, val_classes(root, names))
    if (root / VAL_TAR).is_file():
        images = tar_images(root / VAL_TAR)
        return Classed(images, val_classes(root, [member.name for member in images.members]))
    return None


def find_sample(folder: Path) -> Classed | None:
    """Return the images that lie in a folder itself, named by their class, as in ``n01440764_tench.JPEG``."""
    names = [name for name in _flat(folder) if synset_of(name)]
    return Classed(ImageFiles(folder, tuple(names)), _synsets(names, folder)) if names else None


def _root(folder: Path) -> Path:
    return folder / _KAGGLE if (folder / _KAGGLE).is_dir() else folder


def _flat(folder: Path) -> list[str]:
    return sorted(
        path.name for path in folder.iterdir() if is_image(path.name) and not path.name.startswith(".")
    )


def _class_folders(root: Path, part: str) -> Classed:
    tree = find_images(root / part)
    if not tree.names and (packed := sorted(path.name for path in (root / part).glob("n*.tar"))):
        raise UnreadableTask(
            f"'{root / part}' has {len(packed):,} tar files of one class each, such as {packed[0]}. Unpack "
            f"each into a folder of its name, or remove '{part}' and leave {TRAIN_TAR} as it is distributed."
        )
    if not tree.names:
        raise UnreadableTask(f"'{root / part}' has no images in class folders, such as {part}/n01440764.")
    files = ImageFiles(root, tuple(f"{part}/{name}" for name in tree.names))
    return Classed(files, _synsets(tree.classes, root / part))


def _synsets(names: Sequence[str], where: Path) -> list[str]:
    found = [synset_of(name) for name in names]
    wrong = next((name for name, synset in zip(names, found, strict=True) if synset is None), None)
    if wrong is not None:
        raise UnreadableTask(
            f"'{wrong}' in '{where}' is not named by a WordNet number, as n01440764 is. "
            "For folders with other names write folder: before the path."
        )
    return [synset for synset in found if synset is not None]
