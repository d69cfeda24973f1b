"""FLOPs: the operations of one forward pass, a trivial baseline for other scores."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.errors import NotApplicable
from assay.core.model import ModelFacts
from assay.plugins.method import FactScore


@dataclass(frozen=True, slots=True)
class FLOPs(FactScore):
    """The floating-point operations of one forward pass: a baseline that prefers larger models.

    Note:
        A multiply-accumulate counts as two, as in PyTorch; many papers and tools count it as one and call
        that FLOPs. The order of models is the same.

    >>> FLOPs()(ModelFacts(512, 11_000_000, 1_800_000, 44_000_000, "3 x 32 x 32", "none", 0, "drawn", "f00d"))
    3600000.0
    """

    def __call__(self, facts: ModelFacts) -> float:
        """Return the operations on one example of the input size."""
        if facts.macs is None:
            raise NotApplicable("the operations of this model cannot be counted")
        return 2.0 * facts.macs
