"""Decides how the images of a task are converted once all have been seen, and notes it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from assay.core.text import plural
from assay.readers.checking import Checked
from assay.readers.digests import digest_bytes
from assay.readers.images import StoredImages
from assay.readers.pixel_values import PixelKind, PixelRange, common_ranges, earlier_range


class Settled(NamedTuple):
    """The images with one range for each kind of wide pixels.

    Attributes:
        images: The images.
        digests: The content hashes, which depend on the range where it changes the pixels.
        notes: What was found.
    """

    images: StoredImages
    digests: np.ndarray
    notes: tuple[str, ...]


def settle(images: StoredImages, rows: np.ndarray, checked: Checked) -> Settled:
    """Choose the ranges of wide pixels by all files that were checked."""
    pixels, firsts = checked.pixels, checked.firsts
    ranges = common_ranges(pixels.values(), images.given)
    digests = checked.digests.copy()
    for position, statistics in pixels.items():
        chosen = ranges[statistics.kind]
        if earlier_range(statistics) != chosen:  # an earlier version read other pixels from these bytes
            salted = f"{int(digests[position])} {chosen.low!r} {chosen.high!r}"
            digests[position] = digest_bytes(salted.encode())
    notes = [_range_note(images, rows, checked, kind, chosen) for kind, chosen in ranges.items()]
    notes.extend(_not_finite(images, rows, checked))
    if firsts:
        count, first = len(firsts), images.name(int(rows[firsts[0]]))
        has = (
            "image has several frames or pages" if count == 1 else "images have several frames or pages each"
        )
        notes.append(f"{count} {has}, of which the first is read (first: {first}).")
    return Settled(replace(images, ranges=ranges), digests, tuple(notes))


def _range_note(
    images: StoredImages, rows: np.ndarray, checked: Checked, kind: PixelKind, chosen: PixelRange
) -> str:
    of_kind = {row: found for row, found in checked.pixels.items() if found.kind is kind}
    beyond = [row for row, found in of_kind.items() if found.least < chosen.low or found.most > chosen.high]
    clipped = ""
    if beyond:
        names = plural(len(beyond), "image")
        clipped = f" What lies beyond is clipped, in {names} (first: {images.name(int(rows[beyond[0]]))})."
    have = "image has" if len(of_kind) == 1 else "images have"
    source = "as set" if images.given is not None else "write pixel_range=(low, high) to set it"
    return (
        f"{len(of_kind)} {have} {kind} pixels: {_number(chosen.low)} is black and "
        f"{_number(chosen.high)} white in all ({source}).{clipped}"
    )


def _not_finite(images: StoredImages, rows: np.ndarray, checked: Checked) -> tuple[str, ...]:
    odd = [row for row, found in checked.pixels.items() if found.not_finite]
    if not odd:
        return ()
    have = "image has" if len(odd) == 1 else "images have"
    first = images.name(int(rows[odd[0]]))
    return (
        f"{len(odd)} {have} pixels that are not finite (first: {first}): "
        "NaN and -inf are black, inf is white.",
    )


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.6g}"
