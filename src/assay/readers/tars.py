"""Images inside tar files, read where they lie: nothing is unpacked."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from assay.core.errors import UnreadableTask
from assay.readers.images import StoredImages, is_image


class Member(NamedTuple):
    """A file inside a tar file."""

    name: str
    start: int  # where its content begins in the tar file
    size: int


@dataclass(frozen=True, slots=True)
class TarImages(StoredImages):
    """Images inside one tar file, or inside the tar files in it."""

    path: Path
    members: tuple[Member, ...]

    def __len__(self) -> int:
        return len(self.members)

    def content(self, row: int) -> bytes:
        """Return one image as it is stored."""
        member = self.members[row]
        with self.path.open("rb") as file:
            file.seek(member.start)
            return file.read(member.size)

    def name(self, row: int) -> str:
        """Return the name inside the tar file."""
        return self.members[row].name


def tar_images(path: Path) -> TarImages:
    """Return the images that stand in a tar file itself, or in the tar files in it, sorted by name.

    An image of an inner tar file is called ``inner/name``, without the suffix of the inner file.

    Raises:
        UnreadableTask: The file is no tar file, or is cut off.
    """
    with path.open("rb") as file, _readable(path):
        found = list(_members(file, 0))
        inner = [member for member in found if member.name.endswith(".tar")]
        for outer in inner:
            folder = outer.name.removesuffix(".tar")
            found.extend(one._replace(name=f"{folder}/{one.name}") for one in _members(file, outer.start))
        end = path.stat().st_size
    images = sorted(member for member in found if is_image(member.name))
    if any(member.start + member.size > end for member in found):
        raise UnreadableTask(f"{path} is cut off. Download it again.")
    return TarImages(path, tuple(images))


def _members(file: BinaryIO, start: int) -> Iterator[Member]:
    """Yield the files of the tar file that begins at a place of another file, or of that itself."""
    file.seek(start)
    with tarfile.open(fileobj=file, mode="r:") as tar:
        for one in tar:
            if one.isfile():
                yield Member(one.name.removeprefix("./"), one.offset_data, one.size)


def read_member(path: Path, name: str) -> bytes | None:
    """Return the content of the first file of a compressed tar file whose path ends so; None without one."""
    with _readable(path), tarfile.open(path) as tar:
        for one in tar:
            if one.isfile() and f"/{one.name}".endswith(f"/{name}"):
                content = tar.extractfile(one)
                return None if content is None else content.read()
    return None


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError) as error:
        raise UnreadableTask(f"Cannot read {path} as a tar file: {error}. Download it again.") from error
