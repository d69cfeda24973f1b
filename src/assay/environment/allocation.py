"""Keeps freed memory for the next forward pass, if the C library is glibc."""

from __future__ import annotations

import ctypes
import functools
import platform

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3  # of malloc.h
_BYTES = 1 << 30


def give_back_freed_memory() -> None:
    """Return freed memory to the system, if the C library is glibc."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


@functools.cache
def keep_freed_memory() -> bool:
    """Let malloc keep large buffers; return whether it accepted the setting.

    A forward pass on a CPU asks for the same large buffers for every batch. glibc gives each back to the
    system and gets fresh pages, which the system clears: a third of the time of EfficientNet-Lite0.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    wanted = {_M_MMAP_THRESHOLD: _BYTES, _M_TRIM_THRESHOLD: _BYTES, _M_TOP_PAD: 64 << 20}
    return all(mallopt(what, value) == 1 for what, value in wanted.items())
