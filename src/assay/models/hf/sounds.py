"""An opened audio model of transformers: speech and sound encoders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, final

import numpy as np
import torch

from assay.core.features import Encoded
from assay.core.model import Fishers, LinearHead
from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.fisher import head_fishers
from assay.encoders.pooling import States
from assay.encoders.restoring import lent
from assay.encoders.texts import Read
from assay.encoders.torch_model import Seen, TorchModel
from assay.encoders.weights import Origin
from assay.models.hf.audio_encoder import Hearing, Inputs, as_sounds
from assay.models.hf.audio_training import AudioTrainable


@final
class SoundEncoder(TorchModel[Read]):
    """Encodes sounds with a model of transformers, in evaluation mode and float32.

    Only sounds of one length go through the model together: padding would change what some models say.

    Args:
        module: Holds the weights; it is moved to ``device``.
        read: Runs ``module`` on input.
        hearing: How a sound becomes input, and frames become features.
        device: As torch names it.
        origin: Where the weights came from.
    """

    def __init__(self, module: Any, read: Read, hearing: Hearing, device: str, origin: Origin) -> None:
        module.config.apply_spec_augment = False  # in training it would draw from numpy's global generator
        super().__init__(module, read, device)
        self._hearing = hearing
        self._facts = self._known(self._seen(), origin)

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return float32 features, and probabilities where the model has a source head."""
        heard = [self._hearing.read(sound) for sound in as_sounds(examples)]
        classes = self._facts.source_classes
        features = np.empty((len(heard), self._facts.width), np.float32)
        probs = np.empty((len(heard), classes), np.float32) if classes else None
        with torch.inference_mode():
            for rows in self._hearing.batches([len(one.samples) for one in heard]):
                inputs = self._hearing.inputs([heard[row].samples for row in rows], self._device)
                states = self._states(inputs)
                features[rows] = self._hearing.pooled(states, inputs).float().cpu().numpy()
                if probs is not None and states.logits is not None:
                    probs[rows] = states.logits.float().softmax(1).cpu().numpy()
        return Encoded(features, probs, sum(one.is_cut for one in heard))

    def fishers(self, examples: Iterable[Example], head: LinearHead, draws: int, seed: int) -> Fishers:
        """Return the Fisher information of the weights on some sounds, one at a time."""

        def see(inputs: Inputs) -> tuple[torch.Tensor, torch.Tensor | None]:
            states = self._states(inputs)
            return self._hearing.pooled(states, inputs), states.logits

        inputs = (
            self._hearing.inputs([self._hearing.read(sound).samples], self._device)
            for example in examples
            for sound in as_sounds([example])
        )
        return head_fishers(self._module, see, inputs, head, draws, seed)

    @contextmanager
    def training(self) -> Iterator[Trainable]:
        """Lend the weights for training."""
        with lent(self._module) as module:
            yield AudioTrainable(module, self._hearing, self._features, self._device)

    def _features(self, inputs: Inputs) -> torch.Tensor:
        return self._hearing.pooled(self._states(inputs), inputs)

    def _states(self, inputs: Inputs) -> States:
        return self._run(self._hearing.shown(inputs))

    def _seen(self) -> Seen:
        inputs = self._hearing.probe(self._device)
        with torch.no_grad():
            states = self._states(inputs)
            width = self._hearing.pooled(states, inputs).shape[1]
        return Seen(
            width=width,
            source_classes=0 if states.logits is None else states.logits.shape[1],
            input=self._hearing.limits(),
            preprocessing=self._hearing.describe(),
            again=lambda: self._states(inputs),
        )
