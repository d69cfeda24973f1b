"""The programs that draw charts, in one text that a page carries: Vega, Vega-Lite and vega-embed."""

from __future__ import annotations

import base64
import gzip
import os
from contextlib import suppress
from functools import cache
from importlib import metadata, util

from assay.encoders.cache import cache_folder

PACKAGES = ("altair", "vl_convert")


def charts_can_be_drawn() -> bool:
    """Tell whether the packages of the extra ``html`` are installed."""
    return all(util.find_spec(name) is not None for name in PACKAGES)


@cache
def vega_bundle() -> str:
    """Return the programs, compressed by gzip, as base64; kept on disk, for making them takes seconds."""
    path = cache_folder() / f"vega-{metadata.version('vl-convert-python')}.js.gz"
    with suppress(OSError):
        return base64.b64encode(path.read_bytes()).decode("ascii")
    compressed = _made()
    with suppress(OSError):  # a cache that cannot be written is made again next time
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(compressed)
        unfinished.replace(path)
    return base64.b64encode(compressed).decode("ascii")


def _made() -> bytes:
    import vl_convert

    programs = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # the stub forgets its default
    return gzip.compress(programs.encode("utf-8"), mtime=0)
