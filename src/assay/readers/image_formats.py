"""Image formats that Pillow reads with an extra package, and how to install it."""

from __future__ import annotations

import functools
import importlib
import io
import re
import threading

from PIL import Image, UnidentifiedImageError

from assay.core.size_limits import too_many_pixels
from assay.readers.files import UnreadableFileError

_OPENING = threading.Lock()
SUFFIXES = (".heic", ".heif", ".hif", ".jxl")
_BRAND = re.compile(rb".{4}ftyp(heic|heix|heim|heis|hevc|hevx|mif1|msf1|avif|avis)", re.DOTALL)
_JXL = (b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n")


def open_image(content: bytes, name: str) -> Image.Image:
    """Open an image, with the package that its format needs.

    Raises:
        UnreadableFileError: The package is not installed, or it has too many pixels.
        UnidentifiedImageError: It is no image.
    """
    form = _form(content, name)
    if form is not None:
        prepare(form)
    try:
        return _bounded(content)
    except UnidentifiedImageError:
        package = {"JXL": "pillow-jxl-plugin", "HEIC": "pillow-heif", "AVIF": "pillow-heif"}.get(form or "")
        if package is None or prepare(form or ""):
            raise
        raise UnreadableFileError(f"{form}: pip install {package}") from None


def _bounded(content: bytes) -> Image.Image:
    """Open an image whose pixels are not decoded yet, unless they are too many."""
    with _OPENING:  # our own limit, which is checked below, instead of that of Pillow
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            image = Image.open(io.BytesIO(content))
        finally:
            Image.MAX_IMAGE_PIXELS = limit
    if reason := too_many_pixels(*image.size):
        image.close()
        raise UnreadableFileError(reason)
    return image


def _form(content: bytes, name: str) -> str | None:
    brand = _BRAND.match(content[:12])
    if brand is not None:
        return "AVIF" if brand[1].startswith(b"avi") else "HEIC"
    suffix = name[name.rfind(".") :].lower()
    if content.startswith(_JXL) or suffix == ".jxl":
        return "JXL"
    return "HEIC" if suffix in SUFFIXES else None


@functools.cache
def prepare(form: str) -> bool:
    """Register the package that reads a format; return whether it is there."""
    try:
        if form == "JXL":
            importlib.import_module("pillow_jxl")  # registers itself
            return True
        heif = importlib.import_module("pillow_heif")
    except ImportError:
        return False
    heif.register_heif_opener()
    if form == "AVIF" and hasattr(heif, "register_avif_opener"):
        heif.register_avif_opener()
    return True
