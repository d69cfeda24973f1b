"""Limits on decompressed sizes, and the environment variables that raise them."""

from __future__ import annotations

import os

from assay.core.limits import bytes_of, count_of

_BYTES, _PIXELS, _COLUMNS = "ASSAY_MAX_BYTES", "ASSAY_MAX_PIXELS", "ASSAY_MAX_COLUMNS"
_MOST_BYTES = 1 << 30
_RATIO = 100  # times its own size; text shrinks by 3 to 20 times, and what machines write by up to 100
_MOST_PIXELS = 100_000_000  # 300 MB in memory; cameras have 12 to 100 million
_MOST_COLUMNS = 50_000


def most_bytes(packed: int) -> int:
    """Return how many bytes may come out of a compressed file of so many: 1 GiB, or 100 times as many."""
    wanted = os.environ.get(_BYTES)
    return max(_MOST_BYTES, _RATIO * packed) if wanted is None else int(bytes_of(_BYTES, wanted))


def too_many_bytes(packed: int, unpacked: int | None = None) -> str:
    """Return why so many bytes are not unpacked, and what raises the limit; empty if they are.

    Args:
        packed: The size of the file.
        unpacked: What it unpacks to; None for more than the limit.
    """
    most = most_bytes(packed)
    if unpacked is not None and unpacked <= most:
        return ""
    found = f"{unpacked:,}" if unpacked is not None else f"more than {most:,}"
    return (
        f"its {packed:,} bytes unpack to {found}, and the limit is {most:,}. If the file is meant to be so "
        f"large, set the environment variable {_BYTES}, as in {_BYTES}=20GB"
    )


def too_many_pixels(width: int, height: int) -> str:
    """Return why an image is not decoded, and what raises the limit; empty if it is."""
    wanted = os.environ.get(_PIXELS)
    most = _MOST_PIXELS if wanted is None else int(count_of(_PIXELS, wanted))
    return (
        f"{width} x {height} pixels, limit {most:,}: {_PIXELS}=400M reads it" if width * height > most else ""
    )


def too_many_columns(columns: int) -> str:
    """Return why a table is not read, and what raises the limit; empty if it is."""
    wanted = os.environ.get(_COLUMNS)
    most = _MOST_COLUMNS if wanted is None else int(count_of(_COLUMNS, wanted))
    if columns <= most:
        return ""
    return (
        f"it has {columns:,} columns, and the limit is {most:,}. Leave out what is not an example or label, "
        f"or set the environment variable {_COLUMNS}, as in {_COLUMNS}=1M"
    )
