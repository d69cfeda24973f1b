"""An opened audio model of transformers, and its training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
import torch

from assay.core.features import Encoded
from assay.core.model import Fishers, LinearHead
from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.augmentation import silenced
from assay.encoders.examples import as_sounds
from assay.encoders.fisher import head_fishers
from assay.encoders.identity import Origin
from assay.encoders.precision import Precision
from assay.encoders.texts import IdentifiedModel
from assay.encoders.torch_model import Outputs, TorchModel
from assay.models.hf.audio import AudioReading, Inputs


@final
class AudioEncoder(TorchModel[IdentifiedModel]):
    """Encodes audio with a model of transformers, in evaluation mode and float32.

    Only audio of equal length is batched, because padding would change the output of some models.

    Args:
        module: The torch module with the weights; it is moved to ``device``.
        read: Runs ``module`` on input.
        reading: The conversion of audio to input, and of frames to features.
        device: The torch device.
        origin: The origin of the weights.
        precision: The precision of encoding; by default it is chosen for the device.
    """

    def __init__(
        self,
        module: Any,
        read: IdentifiedModel,
        reading: AudioReading,
        device: str,
        origin: Origin,
        precision: Precision | None = None,
    ) -> None:
        module.config.apply_spec_augment = False  # in training it would draw from numpy's global generator
        super().__init__(module, read, device, precision)
        self._reading = reading
        probe = reading.probe(device)
        self._facts = self._measured(
            lambda: self._outputs(probe), origin, size=reading.limits(), preprocessing=reading.describe()
        )

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return float32 features, and probabilities if the model has a source head."""
        reading = self._reading
        samples = [reading.read(sound) for sound in as_sounds(examples)]
        parts = (
            (rows, self._outputs(reading.inputs([samples[row].values for row in rows], self._device)))
            for rows in reading.batches([len(sound.values) for sound in samples])
        )
        features, probs = self._collected(len(samples), parts)
        return Encoded(features, probs, sum(sound.is_cut for sound in samples))

    def fishers(self, examples: Iterable[Example], head: LinearHead, draws: int, seed: int) -> Fishers:
        """Return the Fisher information of the weights on audio examples, one at a time."""
        inputs = (
            self._reading.inputs([self._reading.read(sound).values], self._device)
            for example in examples
            for sound in as_sounds([example])
        )
        return head_fishers(self._differentiable, self._outputs, inputs, head, draws, seed)

    @contextmanager
    def training(self) -> Iterator[Trainable]:
        """Return a context in which the weights can be trained."""
        with self._trained() as module:
            yield AudioTrainable(module, self._reading, self._features, self._device)

    def _features(self, inputs: Inputs) -> torch.Tensor:
        return self._outputs(inputs).features

    def _outputs(self, inputs: Inputs) -> Outputs:
        states = self._run(self._reading.shown(inputs))
        return Outputs(self._reading.pooled(states, inputs), states.logits)


class SoundInputs(NamedTuple):
    """Audio examples of equal length as input."""

    rows: list[int]  # positions in the batch
    inputs: Inputs


@final
@dataclass(frozen=True, slots=True)
class AudioTrainable(Trainable):
    """An audio model in training; audio is resampled once, and batched by equal length.

    Attributes:
        reading: The conversion of audio to input.
        pooled: Returns the features of input.
    """

    module: Any
    reading: AudioReading
    pooled: Callable[[Inputs], torch.Tensor]
    device: str

    def prepared(self, example: Example) -> np.ndarray:
        """Return the samples at the sampling rate of the model."""
        return self.reading.read(as_sounds([example])[0]).values

    def inputs(self, prepared: Sequence[np.ndarray], rng: np.random.Generator | None) -> list[SoundInputs]:
        """Return the input of each group of equal length."""
        sounds = prepared if rng is None else [silenced(samples, rng) for samples in prepared]
        return [
            SoundInputs(rows, self.reading.inputs([sounds[row] for row in rows], self.device))
            for rows in self.reading.batches([len(samples) for samples in sounds])
        ]

    def features(self, inputs: list[SoundInputs]) -> torch.Tensor:
        """Return features, examples x width."""
        order = np.argsort([row for part in inputs for row in part.rows])
        return torch.cat([self.pooled(part.inputs) for part in inputs])[torch.from_numpy(order)]
