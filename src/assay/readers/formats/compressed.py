"""Compressed tables, which are unpacked to a temporary file for reading."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, cast

from assay.core.errors import UnreadableTask
from assay.readers.bounded import LimitedStream
from assay.readers.formats.suffixes import PACKED, PLAIN
from assay.readers.formats.table_file import TableFile

_OPENERS: dict[str, Callable[[Path], IO[bytes]]] = {
    ".gz": lambda path: cast("IO[bytes]", gzip.GzipFile(path)),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}


@contextmanager
def unpacked(path: Path) -> Iterator[TableFile]:
    """Give a table, which may be compressed by gzip, bzip2, xz or zip, as a file that is not.

    Raises:
        UnreadableTask: The file is damaged, or a zip archive holds no table, several, or a password.
    """
    packing = path.suffix.lower()
    if packing not in PACKED:
        yield TableFile(path, path.name, path.suffix.lower())
        return
    with tempfile.TemporaryDirectory(prefix="assay-") as folder:
        try:
            with _opened(path, packing) as (inner, stream):
                whole = Path(folder, f"table{PurePosixPath(inner).suffix.lower()}")
                with whole.open("wb") as file:
                    shutil.copyfileobj(
                        LimitedStream(stream, path.stat().st_size, path.name, UnreadableTask), file
                    )
        except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile) as error:
            raise UnreadableTask(f"{path.name} is damaged: {error}. Download or write it again.") from error
        yield TableFile(whole, path.name, whole.suffix)


def table_stem(name: str) -> str:
    """Return the name of a table without its suffixes.

    >>> table_stem("train.csv.gz"), table_stem("v1.2.csv")
    ('train', 'v1.2')
    """
    path = PurePosixPath(name)
    return PurePosixPath(path.stem).stem if path.suffix.lower() in PACKED else path.stem


@contextmanager
def _opened(path: Path, packing: str) -> Iterator[tuple[str, IO[bytes]]]:
    if packing != ".zip":
        if not path.stem.lower().endswith(PLAIN):
            raise UnreadableTask(
                f"Cannot tell what {path.name} holds. Call it for example {path.stem}.csv{packing}."
            )
        with _OPENERS[packing](path) as stream:
            yield path.stem, stream
        return
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if _is_table(name)]
        if len(names) != 1:
            held = f"{len(names)} tables: {', '.join(names[:5])}" if names else "no table"
            raise UnreadableTask(f"{path.name} holds {held}. Unpack it, and name a file or folder of it.")
        try:
            stream = archive.open(names[0])
        except RuntimeError as error:
            raise UnreadableTask(
                f"{path.name} cannot be unpacked: {error}. Unpack it, and name the file."
            ) from error
        with stream:
            yield names[0], stream


def _is_table(name: str) -> bool:
    parts = PurePosixPath(name).parts
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    return not hidden and not name.endswith("/") and name.lower().endswith(PLAIN)
