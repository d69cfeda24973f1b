"""Reads files of named arrays (``.npz``), whose headers are checked before memory is taken."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from assay.core.errors import UsageError
from assay.core.size_limits import too_many_bytes


def read_named_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a file by name; pickled objects are never loaded.

    Raises:
        ValueError: The file is no ``.npz``, or damaged; the message says how.
        OSError: It cannot be read.
        UsageError: It unpacks to far more than its own size.
    """
    packed = path.stat().st_size
    if not path.is_file():
        raise ValueError("it is not a regular file")
    if not zipfile.is_zipfile(path):
        raise ValueError("it is not a zip archive")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error
    if reason := too_many_bytes(packed, sum(entry.file_size for entry in entries)):
        raise UsageError(f"'{path}' is not read: {reason}.")
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in entries:
                _check_header(archive, entry)
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return dict(file)
    except OSError:
        raise
    except Exception as error:  # numpy parses the header as Python, which may raise anything on damaged bytes
        raise ValueError(str(error) or type(error).__name__) from error


def _check_header(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    with archive.open(entry) as file:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(file)
        claimed, there = math.prod(shape) * dtype.itemsize, entry.file_size - file.tell()
    if dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded")
    if claimed != there:
        raise ValueError(f"the header of {entry.filename} claims {claimed:,} bytes, and there are {there:,}")
