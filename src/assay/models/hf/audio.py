"""Preprocessing and pooling of audio models of transformers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import gcd
from typing import Any, NamedTuple

import numpy as np
import torch

from assay.core.task import Sound
from assay.encoders.layer_selection import LAST, LayerSelection
from assay.encoders.pooling import Pooling, States, pool

_SHORTEST = 0.1  # seconds; shorter audio is padded with silence (convolutions read 0.025 s)
_TOGETHER = 64.0  # seconds of audio per forward pass: 1 GB in the first convolution of wav2vec 2.0
_PROBE = 5.0  # seconds
_FRAME = 0.01  # seconds; the step of Kaldi's filter banks, which the Audio Spectrogram Transformer reads
_STATED = ("do_normalize", "num_mel_bins", "feature_size", "max_length", "chunk_length", "mean", "std")

Inputs = Mapping[str, torch.Tensor]  # by name of input, each sounds x ...


class Samples(NamedTuple):
    """Audio at the sampling rate of a model."""

    values: np.ndarray  # float32
    is_cut: bool  # whether the audio was truncated


@dataclass(frozen=True, slots=True)
class AudioReading:
    """The conversion of audio to model input, and of frames to features.

    Attributes:
        extractor: A feature extractor of transformers.
        most: The maximum seconds of audio; longer audio is truncated.
        pooling: The pooling of frames to one vector.
        layers: The layer selection.
    """

    extractor: Any
    most: float
    pooling: Pooling
    layers: LayerSelection = LAST

    @property
    def rate(self) -> int:
        """The sampling rate of the model, in samples per second."""
        return int(self.extractor.sampling_rate)

    def read(self, sound: Sound) -> Samples:
        """Return the start of audio, resampled by a polyphase filter."""
        from scipy.signal import resample_poly

        most = round(self.most * sound.rate)
        samples = sound.samples[:most]
        shared = gcd(self.rate, sound.rate)
        if sound.rate != self.rate:
            samples = resample_poly(samples, self.rate // shared, sound.rate // shared).astype(np.float32)
        lacking = int(_SHORTEST * self.rate) - len(samples)
        return Samples(np.pad(samples, (0, max(0, lacking))), len(sound.samples) > most)

    def batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Yield groups of positions of equal length, so that no padding is needed."""
        rows_of: dict[int, list[int]] = {}
        for row, length in enumerate(lengths):
            rows_of.setdefault(length, []).append(row)
        for length, rows in rows_of.items():
            seconds = self._window or length / self.rate
            size = max(1, int(_TOGETHER / seconds))
            for start in range(0, len(rows), size):
                yield rows[start : start + size]

    def inputs(self, samples: Sequence[np.ndarray], device: str) -> Inputs:
        """Return the extractor's output for audio of equal length, by input name, and a mask if any."""
        made = self.extractor(
            list(samples), sampling_rate=self.rate, return_tensors="pt", return_attention_mask=True
        )
        return {name: values.to(device) for name, values in made.items()}

    def probe(self, device: str) -> Inputs:
        """Return the input of some seconds of silence, by which width and cost are measured."""
        silence = Sound(np.zeros(int(self._probed * self.rate), np.float32), self.rate)
        return self.inputs([self.read(silence).values], device)

    def limits(self) -> str:
        """Describe the input size and the length of the probe."""
        seconds = self._window or self._probed  # a window is filled up, and costs what it costs when full
        return f"at most {self.most:g} s at {self.rate:,} Hz; MACs are of {seconds:g} s"

    def shown(self, inputs: Inputs) -> Inputs:
        """Return the model's input, with a mask only if it masks anything and was used in training."""
        mask = inputs.get("attention_mask")
        if mask is not None and self.extractor.return_attention_mask and not mask.all():
            return inputs
        return {name: values for name, values in inputs.items() if name != "attention_mask"}

    def pooled(self, states: States, inputs: Inputs) -> torch.Tensor:
        """Return sounds x width: frames of silence that only fill up a window do not count."""
        return pool(states, _frames_of_sound(states.tokens, inputs), self.pooling)

    def describe(self) -> str:
        """Describe the preprocessing of a sound."""
        settings = self.extractor.to_dict()
        stated = "; ".join(f"{key}={settings[key]}" for key in _STATED if settings.get(key) is not None)
        return (
            f"mean of the channels; resampled to {self.rate:,} Hz; at most {self.most:g} s; "
            f"{type(self.extractor).__name__}: {stated}; {self.layers.describe()}pooling {self.pooling}"
        )

    @property
    def _probed(self) -> float:
        return min(_PROBE, self.most)

    @property
    def _window(self) -> float | None:
        return window_of(self.extractor)


def window_of(extractor: Any) -> float | None:
    """Return the fixed input length of an extractor in seconds; None for any length."""
    if hasattr(extractor, "chunk_length"):  # Whisper
        return float(extractor.chunk_length)
    frames = getattr(extractor, "max_length", None)  # Audio Spectrogram Transformer
    return None if frames is None else frames * _FRAME


def _frames_of_sound(frames: torch.Tensor, inputs: Inputs) -> torch.Tensor:
    """Return sounds x frames, 1 where a frame is of the sound; of a finer mask every nth step counts."""
    count = frames.shape[1]
    mask = inputs.get("attention_mask")
    if mask is None or mask.shape[1] % count:  # samples, which are all read
        return torch.ones(frames.shape[:2], dtype=torch.long, device=frames.device)
    return mask[:, :: mask.shape[1] // count]
