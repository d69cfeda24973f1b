"""Sounds in files, decoded on read by libsndfile."""

from __future__ import annotations

import io
import re
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from assay.core.task import Sound
from assay.readers.checking import Checkable, Look, UnreadableFileError, digest_bytes

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64")
_CUT_OFF = re.compile(r": (\d+) \(should be \d+\)")  # libsndfile of a part that is longer than the file
_UNTOLD = 0x7FFF0000  # bytes; programs that write to a pipe put such numbers where they know no length


def is_sound(name: str) -> bool:
    """Say whether a file name ends as sound files do."""
    return name.lower().endswith(SUFFIXES)


class StoredSounds(Checkable):
    """Sounds that are stored as files are, wherever that is; of several channels the mean is read."""

    what: ClassVar[str] = "sounds"

    @abstractmethod
    def content(self, row: int) -> bytes:
        """Return one sound as it is stored."""

    def read(self, row: int) -> Sound:
        """Return one sound."""
        return _decode(self.content(row))

    def look(self, row: int) -> Look:
        """Return the hash of a file, which is decoded to its end."""
        content = self.content(row)
        if not content:
            raise UnreadableFileError("empty file")
        if not len(_decode(content).samples):
            raise UnreadableFileError("no samples")
        return Look(digest_bytes(content))


@dataclass(frozen=True, slots=True)
class SoundFiles(StoredSounds):
    """Sound files below a folder."""

    folder: Path
    names: tuple[str, ...]  # relative to the folder, or absolute

    def __len__(self) -> int:
        return len(self.names)

    def content(self, row: int) -> bytes:
        """Return one file as it is."""
        return (self.folder / self.names[row]).read_bytes()

    def name(self, row: int) -> str:
        """Return the path as the user would write it, relative to the folder."""
        return self.names[row]


def _decode(content: bytes) -> Sound:
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            samples = file.read(dtype="float32", always_2d=True)
            told, rate, log = file.frames, file.samplerate, file.extra_info
    except soundfile.LibsndfileError as error:
        raise UnreadableFileError(f"not a sound: {error.error_string.rstrip('.')}") from error
    if len(samples) < told or any(int(size) < _UNTOLD for size in _CUT_OFF.findall(log)):
        raise UnreadableFileError("truncated")
    if not np.isfinite(samples).all():
        raise UnreadableFileError("samples that are not finite")
    return Sound(np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32)), int(rate))
