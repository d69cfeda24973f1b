"""Random: a number that knows nothing, the floor of every comparison of scores."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from assay.core.model import ModelFacts
from assay.plugins.method import FactScore


@dataclass(frozen=True, slots=True)
class Random(FactScore):
    """A number between 0 and 1 that is drawn from the fingerprint of the weights: the same on every machine.

    Attributes:
        seed: Another seed orders the models anew.

    >>> facts = ModelFacts(512, 11_000_000, None, 44_000_000, "3 x 32 x 32", "none", 0, "drawn", "f00d")
    >>> Random()(facts) == Random()(facts) != Random(seed=1)(facts)
    True
    """

    seed: int = 0

    def __call__(self, facts: ModelFacts) -> float:
        """Return a number from 0 to 1, 1 excluded."""
        digest = hashlib.blake2b(f"{self.seed} {facts.fingerprint}".encode(), digest_size=8).digest()
        return (int.from_bytes(digest, "big") >> 11) / 2**53  # the 53 bits that a float keeps
