"""Reads small stored arrays in parallel: a store may have 10,000 files of predictions."""

from __future__ import annotations

from io import FileIO

import numpy as np

from assay.store.array_format import BLOCK, MOST_HEADER, npy_header, tail_in_order
from assay.store.files import DamagedFile, FilePart, digest

_SMALL = 1 << 16  # bytes of a file that is held rather than mapped


def read_small(file: FileIO | FilePart, name: bytes) -> np.ndarray | None:
    """Return the array of a small file whose blocks are all in order and intact, read at once, or None.

    A store may have 10,000 of these, for which :func:`read_content` and what follows takes much longer.
    """
    content = file.read(_SMALL + 1) or b""
    if len(content) > _SMALL:
        return None
    try:
        header = npy_header(content[:MOST_HEADER])
    except DamagedFile:
        return None
    start, end = len(header.content), header.end
    if not header.is_checked or not start < end <= len(content):
        return None
    tail = tail_in_order(header, name)
    if content[end : end + len(tail)] != tail:
        return None
    step = BLOCK * header.row_bytes
    sums = b"".join(digest(content[at : min(at + step, end)]) for at in range(start, end, step))
    if content[end + len(tail) :] != sums:
        return None
    flat = np.frombuffer(content, header.dtype, (end - start) // header.dtype.itemsize, start)
    return flat.reshape(header.shape, order="F" if header.is_fortran else "C")
