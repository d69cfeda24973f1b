"""Audio files, decoded on demand by libsndfile."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from assay.core.size_limits import too_many_bytes
from assay.core.task import Modality, Sound
from assay.readers.digests import digest_bytes
from assay.readers.files import FileExamples, Files, FileState, FileSummary, UnreadableFileError

_NEEDS_CONVERSION = (".m4a", ".aac", ".wma", ".amr", ".webm", ".mp4", ".3gp", ".mka")
SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64")
_CUT_OFF = re.compile(r": (\d+) \(should be \d+\)")  # libsndfile's log of a chunk longer than the file
_UNKNOWN_LENGTH = (
    0x7FFF0000  # bytes; programs that write to a pipe put such numbers where they know no length
)


def is_sound(name: str) -> bool:
    """Return whether a file name has an audio suffix."""
    return name.lower().endswith((*SUFFIXES, *_NEEDS_CONVERSION))


_SAMPLE_BYTES = 4
_CANCELLED = 0.01  # of the loudest sample; dither and rounding keep the mean above 0


@dataclass(frozen=True, slots=True)
class StoredSounds(FileExamples):
    """Audio in files of any storage; channels are averaged, or the first is read where they cancel out.

    Attributes:
        files: The files.
        full: The value of full scale in files of floats, which become -1 to 1.
    """

    files: Files
    full: float = 1.0

    modality: ClassVar[Modality] = Modality.AUDIO
    plural: ClassVar[str] = "sounds"

    def __len__(self) -> int:
        return len(self.files)

    def name(self, row: int) -> str:
        """Return the name of the file."""
        return self.files.name(row)

    def state(self, row: int) -> FileState | None:
        """Return the state of the file."""
        return self.files.state(row)

    def read(self, row: int) -> Sound:
        """Return one sound."""
        sound, is_float, _ = _decode(self.files.content(row))
        return (
            Sound(sound.samples / np.float32(self.full), sound.rate) if is_float and self.full != 1 else sound
        )

    def look(self, row: int) -> FileSummary:
        """Return the hash of a file after decoding it completely."""
        content = self.files.content(row)
        if not content:
            raise UnreadableFileError("empty file")
        try:
            sound, is_float, cancels = _decode(content)
        except UnreadableFileError as error:
            suffix = self.files.name(row).lower()
            if not suffix.endswith(_NEEDS_CONVERSION):
                raise
            raise UnreadableFileError("convert it to .wav or .flac") from error
        if not len(sound.samples):
            raise UnreadableFileError("no samples")
        peak = float(np.abs(sound.samples).max()) if is_float else None
        return FileSummary(digest_bytes(content), peak=peak, is_first=cancels)


class _Decoded(NamedTuple):
    sound: Sound
    is_float: bool  # whether the file holds floats, which may have any range
    cancels: bool  # whether the channels are each other's opposite: their mean would be silence


def _decode(content: bytes) -> _Decoded:
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            if reason := too_many_bytes(len(content), _SAMPLE_BYTES * file.frames * file.channels):
                raise UnreadableFileError(reason)
            samples = file.read(dtype="float32", always_2d=True)
            frames, rate, log = file.frames, file.samplerate, file.extra_info
            is_float = file.subtype in {"FLOAT", "DOUBLE"}
    except soundfile.LibsndfileError as error:
        raise UnreadableFileError(f"not a sound: {error.error_string.rstrip('.')}") from error
    if len(samples) < frames or any(int(size) < _UNKNOWN_LENGTH for size in _CUT_OFF.findall(log)):
        raise UnreadableFileError("truncated")
    if not np.isfinite(samples).all():
        raise UnreadableFileError("samples that are not finite")
    mean = samples.mean(axis=1, dtype=np.float32)
    cancels = bool(np.abs(mean).max(initial=0) < _CANCELLED * np.abs(samples).max(initial=0))
    mixed = samples[:, 0] if cancels else mean
    return _Decoded(Sound(np.ascontiguousarray(mixed), int(rate)), is_float, cancels)
