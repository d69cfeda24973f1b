"""Describes the pixels of a TIFF that Pillow cannot read."""

from __future__ import annotations

from io import BytesIO

from PIL import TiffImagePlugin

from assay.core.text import plural

_BITS_PER_SAMPLE, _SAMPLES_PER_PIXEL, _SAMPLE_FORMAT = 258, 277, 339
_FORMATS = {1: "integers", 2: "signed integers", 3: "floats"}


def unread_tiff(content: bytes) -> str:
    """Return the reason why a TIFF is not read, with what to write instead; empty for other files."""
    if content[:4] not in TiffImagePlugin.PREFIXES:
        return ""
    try:
        tags = TiffImagePlugin.ImageFileDirectory_v2(content[:8])
        file = BytesIO(content)
        file.seek(tags.next)
        tags.load(file)
        bits, channels = tags[_BITS_PER_SAMPLE][0], tags.get(_SAMPLES_PER_PIXEL, 1)
        numbers = _FORMATS[tags.get(_SAMPLE_FORMAT, (1,))[0]]
    except Exception:  # damaged tags may raise anything
        return "damaged: a TIFF whose tags cannot be read"
    of = plural(channels, "channel")
    return f"a TIFF with {of} of {bits}-bit {numbers}, which is not read: save it as PNG with 8 or 16 bits"
