"""Trains an audio model: sounds are resampled once, and those of one length go through it together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, final

import numpy as np
import torch
from torch import nn

from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.augmentation import silenced
from assay.models.hf.audio_encoder import Hearing, as_sounds


class SoundInputs(NamedTuple):
    """Some sounds of one length as input."""

    rows: list[int]  # positions in the batch
    inputs: Mapping[str, torch.Tensor]


@final
class AudioTrainable(Trainable):
    """An audio model with its weights lent.

    Args:
        module: Holds the weights.
        hearing: How a sound becomes input.
        pooled: Returns features of input.
        device: As torch names it.
    """

    def __init__(
        self,
        module: nn.Module,
        hearing: Hearing,
        pooled: Callable[[Mapping[str, torch.Tensor]], torch.Tensor],
        device: str,
    ) -> None:
        self.module = module
        self.device = device
        self._hearing = hearing
        self._pooled = pooled

    def prepared(self, example: Example) -> np.ndarray:
        """Return the samples at the rate of the model."""
        return self._hearing.read(as_sounds([example])[0]).samples

    def inputs(self, prepared: Sequence[np.ndarray], rng: np.random.Generator | None) -> list[SoundInputs]:
        """Return the input of the sounds of each length."""
        sounds = prepared if rng is None else [silenced(samples, rng) for samples in prepared]
        return [
            SoundInputs(rows, self._hearing.inputs([sounds[row] for row in rows], self.device))
            for rows in self._hearing.batches([len(samples) for samples in sounds])
        ]

    def features(self, inputs: list[SoundInputs]) -> torch.Tensor:
        """Return sounds x width."""
        order = np.argsort([row for part in inputs for row in part.rows])
        return torch.cat([self._pooled(part.inputs) for part in inputs])[torch.from_numpy(order)]
