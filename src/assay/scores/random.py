"""Random: a random number, the chance level of every comparison of scores."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from assay.core.model import ModelFacts
from assay.plugins.method import FactScore


@dataclass(frozen=True, slots=True)
class Random(FactScore):
    """A pseudo-random number between 0 and 1 from the fingerprint of the weights, equal on every machine.

    Attributes:
        seed: Another seed gives another order of the models.

    >>> facts = ModelFacts(512, 11_000_000, None, 44_000_000, "3 x 32 x 32", "none", 0, "drawn", "f00d")
    >>> Random()(facts) == Random()(facts) != Random(seed=1)(facts)
    True
    """

    seed: int = 0

    def __call__(self, facts: ModelFacts) -> float:
        """Return a number from 0 to 1, 1 excluded."""
        digest = hashlib.blake2b(f"{self.seed} {facts.fingerprint}".encode(), digest_size=8).digest()
        return (int.from_bytes(digest, "big") >> 11) / 2**53  # the 53 bits that a float keeps
