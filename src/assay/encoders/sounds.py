"""An opened audio model of transformers: speech and sound encoders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, final

import numpy as np
import torch
from torch import nn

from assay.core.errors import ModelError
from assay.core.features import Encoded
from assay.core.model import Fishers, LinearHead, Model, ModelFacts
from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.allocation import keep_freed_memory
from assay.encoders.audio_training import AudioTrainable
from assay.encoders.cost import count_macs, weight_bytes, weight_count
from assay.encoders.fisher import head_fishers
from assay.encoders.hearing import Hearing, Inputs, as_sounds
from assay.encoders.lending import lent
from assay.encoders.matrices import weight_matrices
from assay.encoders.pooling import States
from assay.encoders.texts import Read
from assay.encoders.weights import Origin, state_hash


@final
class SoundEncoder(Model):
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
        keep_freed_memory()
        module.config.apply_spec_augment = False  # in training it would draw from numpy's global generator
        module = module.eval().requires_grad_(requires_grad=False).to(device)
        self._module: nn.Module | None = module
        self._read: Read | None = read
        self._hearing = hearing
        self._device = device
        self._facts = self._measured(module, origin)

    @property
    def facts(self) -> ModelFacts:
        """What is known of this model."""
        return self._facts

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

    def weights(self) -> Iterator[np.ndarray]:
        """Yield the weight matrices, the source head's included."""
        return weight_matrices(self._module)

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

    def close(self) -> None:
        """Free the weights."""
        self._module = self._read = None
        if self._device.startswith("cuda"):
            torch.cuda.empty_cache()

    def _features(self, inputs: Inputs) -> torch.Tensor:
        return self._hearing.pooled(self._states(inputs), inputs)

    def _states(self, inputs: Inputs) -> States:
        if self._read is None:
            raise ModelError("The model is closed. Open it again.")
        return self._read(self._hearing.shown(inputs))

    def _measured(self, module: nn.Module, origin: Origin) -> ModelFacts:
        inputs = self._hearing.probe(self._device)
        with torch.no_grad():
            states = self._states(inputs)
            width = self._hearing.pooled(states, inputs).shape[1]
        return ModelFacts(
            width=width,
            parameters=weight_count(module),
            macs=count_macs(lambda: self._states(inputs)),
            bytes=weight_bytes(module),
            input=self._hearing.limits(),
            preprocessing=self._hearing.describe(),
            source_classes=0 if states.logits is None else states.logits.shape[1],
            weights=origin.weights,
            fingerprint=state_hash(module),
            licence=origin.licence,
            is_random=origin.is_random,
        )
