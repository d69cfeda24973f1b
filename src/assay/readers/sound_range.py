"""Decides the full scale of sounds stored as floats once all have been read, and notes it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from assay.readers.checking import Checked
from assay.readers.digests import digest_bytes
from assay.readers.sounds import StoredSounds

_LOUD = 2.0  # mastering and resampling exceed 1, not by more
_MOST_ODD = 100  # one sound of so many may be odd
_INTEGERS = (2.0**7, 2.0**15, 2.0**23, 2.0**31)  # full scale of integers of 8, 16, 24 and 32 bits
_FILLED = 1 / 16  # least share of the full scale of integers that their loudest sound reaches


class SettledSounds(NamedTuple):
    """The sounds with their full scale, their content hashes, and notes."""

    sounds: StoredSounds
    digests: np.ndarray
    notes: tuple[str, ...]


def settle_sounds(sounds: StoredSounds, rows: np.ndarray, checked: Checked) -> SettledSounds:
    """Choose one full scale for all sounds of floats: 1, or that of integers stored as floats."""
    peaks = checked.peaks
    ordered = sorted(peaks.values())
    full = _full(ordered[-1 - len(ordered) // _MOST_ODD]) if ordered else 1.0
    beyond = [row for row, peak in peaks.items() if peak > _LOUD * full]
    notes = []
    if full != 1:
        notes.append(f"{len(ordered)} sounds hold floats up to {full:.6g}, which is read as full scale.")
    if beyond:
        exceed = "sound exceeds" if len(beyond) == 1 else "sounds exceed"
        first = sounds.name(int(rows[beyond[0]]))
        notes.append(f"{len(beyond)} {exceed} full scale more than twice (first: {first}): read as stored.")
    firsts = checked.firsts
    if firsts:
        cancel = "of 1 sound cancel" if len(firsts) == 1 else f"of {len(firsts)} sounds cancel"
        first = sounds.name(int(rows[firsts[0]]))
        notes.append(f"The channels {cancel} each other out (first: {first}): the first channel is read.")
    digests = checked.digests.copy()
    for row in firsts:  # other samples than the mean, which earlier versions read
        digests[row] = digest_bytes(f"{int(digests[row])} first".encode())
    if full != 1:
        for row in peaks:  # other samples than earlier versions read from these bytes
            digests[row] = digest_bytes(f"{int(digests[row])} {full!r}".encode())
    return SettledSounds(replace(sounds, full=full), digests, tuple(notes))


def _full(peak: float) -> float:
    if peak <= _LOUD:
        return 1.0
    full = next((limit for limit in _INTEGERS if peak <= limit), peak)
    return full if peak >= _FILLED * full else peak
