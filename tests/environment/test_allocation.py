"""Keeping freed memory."""

from __future__ import annotations

import platform

from assay.environment.allocation import keep_freed_memory


def test_malloc_is_told_where_it_is_glibc():
    assert keep_freed_memory() == (platform.libc_ver()[0] == "glibc")
