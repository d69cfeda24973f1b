"""Finds the images of ImageNet and their classes in class folders, tar files or a single folder."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from assay.core.errors import UnreadableTask
from assay.readers.files import Files, FileState, FolderFiles, state_of
from assay.readers.folders import find_classes
from assay.readers.imagenet_classes import synset_of
from assay.readers.images import is_image

_KAGGLE = Path("ILSVRC", "Data", "CLS-LOC")
TRAIN_TAR, VAL_TAR = "ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"
_DEVKIT = "ILSVRC2012_devkit_t12"
_TRUTH = "ILSVRC2012_validation_ground_truth.txt"
_SOLUTION = "LOC_val_solution.csv"  # Kaggle's file of val classes


class SynsetFiles(NamedTuple):
    """Images with their WordNet numbers."""

    files: Files
    synsets: Sequence[str]


@dataclass(frozen=True, slots=True)
class JoinedFiles(Files):
    """The concatenation of two sets of files."""

    first: Files
    second: Files

    def __len__(self) -> int:
        return len(self.first) + len(self.second)

    def content(self, row: int) -> bytes:
        """Return the bytes of one file."""
        later = row - len(self.first)
        return self.first.content(row) if later < 0 else self.second.content(later)

    def name(self, row: int) -> str:
        """Return the name of one file."""
        later = row - len(self.first)
        return self.first.name(row) if later < 0 else self.second.name(later)

    def state(self, row: int) -> FileState | None:
        """Return the state of one file."""
        later = row - len(self.first)
        return self.first.state(row) if later < 0 else self.second.state(later)


def find_train(folder: Path) -> SynsetFiles | None:
    """Return the images of train, or None.

    Raises:
        UnreadableTask: A class folder is not named after a WordNet number, or there are no images.
    """
    root = _root(folder)
    if (root / "train").is_dir():
        return _class_folders(root, "train")
    if (root / TRAIN_TAR).is_file():
        images = tar_images(root / TRAIN_TAR)
        return SynsetFiles(images, _synsets([member.name for member in images.members], root / TRAIN_TAR))
    return None


def find_val(folder: Path) -> SynsetFiles | None:
    """Return the images of val, or None.

    Raises:
        UnreadableTask: The classes of the images are unknown.
    """
    root = _root(folder)
    if (root / "val").is_dir():
        names = _flat(root / "val")
        if not names:
            return _class_folders(root, "val")
        files = FolderFiles(root, tuple(f"val/{name}" for name in names))
        return SynsetFiles(files, _val_classes(root, names))
    if (root / VAL_TAR).is_file():
        images = tar_images(root / VAL_TAR)
        return SynsetFiles(images, _val_classes(root, [member.name for member in images.members]))
    return None


def find_sample(folder: Path) -> SynsetFiles | None:
    """Return the images directly in a folder, named after their class, as in ``n01440764_tench.JPEG``."""
    names = [name for name in _flat(folder) if synset_of(name)]
    return SynsetFiles(FolderFiles(folder, tuple(names)), _synsets(names, folder)) if names else None


def _root(folder: Path) -> Path:
    return folder / _KAGGLE if (folder / _KAGGLE).is_dir() else folder


def _flat(folder: Path) -> list[str]:
    return sorted(
        path.name for path in folder.iterdir() if is_image(path.name) and not path.name.startswith(".")
    )


def _class_folders(root: Path, part: str) -> SynsetFiles:
    tree = find_classes(root / part)
    if not tree.names and (packed := sorted(path.name for path in (root / part).glob("n*.tar"))):
        raise UnreadableTask(
            f"'{root / part}' has {len(packed):,} tar files of one class each, such as {packed[0]}. Unpack "
            f"each into a folder of its name, or remove '{part}' and leave {TRAIN_TAR} as it is distributed."
        )
    if not tree.names:
        raise UnreadableTask(f"'{root / part}' has no images in class folders, such as {part}/n01440764.")
    files = FolderFiles(root, tuple(f"{part}/{name}" for name in tree.names))
    return SynsetFiles(files, _synsets(tree.classes, root / part))


def _synsets(names: Sequence[str], where: Path) -> list[str]:
    synsets = [synset_of(name) for name in names]
    wrong = next((name for name, synset in zip(names, synsets, strict=True) if synset is None), None)
    if wrong is not None:
        raise UnreadableTask(
            f"'{wrong}' in '{where}' is not named by a WordNet number, as n01440764 is. "
            "For folders with other names write folder: before the path."
        )
    return [synset for synset in synsets if synset is not None]


def _val_classes(folder: Path, names: Sequence[str]) -> list[str]:
    """Return the WordNet number of each image of val outside class folders.

    Args:
        folder: The folder of the development kit (packed or unpacked) or of Kaggle's solution file.
        names: The names of the images.

    Raises:
        UnreadableTask: Both are missing, or they list different images.
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
    paths = (parent / _SOLUTION for parent in (folder, *folder.parents))
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        return {}
    rows = (line.split(",") for line in path.read_text("utf-8").splitlines()[1:] if "," in line)
    return {row[0]: row[1].split()[0] for row in rows}


def _ground_truth(folder: Path) -> dict[str, str]:
    from scipy.io import loadmat

    meta, truth = _of_devkit(folder, "meta.mat"), _of_devkit(folder, _TRUTH)
    synsets = loadmat(io.BytesIO(meta), squeeze_me=True)["synsets"]
    numbers = {
        int(synset["ILSVRC2012_ID"]): str(synset["WNID"])
        for synset in np.atleast_1d(synsets)
        if int(synset["num_children"]) == 0  # the others are superclasses
    }
    classes = [int(line) for line in truth.split()]
    unknown = next((number for number in classes if number not in numbers), None)
    if unknown is not None:
        raise UnreadableTask(
            f"{_TRUTH} names class {unknown}, which meta.mat does not have. Unpack both again."
        )
    return {f"ILSVRC2012_val_{row:08}": numbers[number] for row, number in enumerate(classes, start=1)}


def _of_devkit(folder: Path, name: str) -> bytes:
    unpacked = folder / _DEVKIT / "data" / name
    if unpacked.is_file():
        return unpacked.read_bytes()
    packed = folder / f"{_DEVKIT}.tar.gz"
    content = _read_member(packed, f"data/{name}") if packed.is_file() else None
    if content is None:
        raise UnreadableTask(
            f"The classes of val are not known: '{folder}' has no {_DEVKIT}.tar.gz with {name}, no folder "
            f"{_DEVKIT}, no {_SOLUTION}, and no class folders in val. Put one of them there."
        )
    return content


class Member(NamedTuple):
    """A file inside a tar file."""

    name: str
    start: int  # byte offset of its content in the tar file
    size: int


@dataclass(frozen=True, slots=True)
class TarFiles(Files):
    """Images in a tar file or in its nested tar files."""

    path: Path
    members: tuple[Member, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", self.path.absolute())  # a model may change the current folder

    def __len__(self) -> int:
        return len(self.members)

    def content(self, row: int) -> bytes:
        """Return the bytes of one image."""
        member = self.members[row]
        with self.path.open("rb") as file:
            file.seek(member.start)
            return file.read(member.size)

    def name(self, row: int) -> str:
        """Return the name in the tar file."""
        return self.members[row].name

    def state(self, row: int) -> FileState | None:
        """Return the state of the tar file, and where the image lies in it."""
        member = self.members[row]
        return state_of(self.path, f"[{member.start}:{member.size}]")


def tar_images(path: Path) -> TarFiles:
    """Return the images in a tar file or in its nested tar files, sorted by name.

    An image in a nested tar file is named ``inner/name``, without the suffix of the nested file.

    Raises:
        UnreadableTask: The file is not a tar file, or is truncated.
    """
    with path.open("rb") as file, _readable(path):
        members = list(_members(file, 0))
        for outer in [member for member in members if member.name.endswith(".tar")]:
            folder = outer.name.removesuffix(".tar")
            inner = _members(file, outer.start)
            members.extend(member._replace(name=f"{folder}/{member.name}") for member in inner)
        end = path.stat().st_size
    images = sorted(member for member in members if is_image(member.name))
    if any(member.start + member.size > end for member in members):
        raise UnreadableTask(f"{path} is cut off. Download it again.")
    return TarFiles(path, tuple(images))


def _members(file: BinaryIO, start: int) -> Iterator[Member]:
    """Yield the files of the tar file that starts at a byte offset of a file."""
    file.seek(start)
    with tarfile.open(fileobj=file, mode="r:") as tar:
        for member in tar:
            if member.isfile():
                yield Member(member.name.removeprefix("./"), member.offset_data, member.size)


def _read_member(path: Path, name: str) -> bytes | None:
    """Return the content of the first file in a compressed tar file whose path has this ending, or None."""
    with _readable(path), tarfile.open(path) as tar:
        for member in tar:
            if member.isfile() and f"/{member.name}".endswith(f"/{name}"):
                content = tar.extractfile(member)
                return None if content is None else content.read()
    return None


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError) as error:
        raise UnreadableTask(f"Cannot read {path} as a tar file: {error}. Download it again.") from error
