"""Parts of an evaluation that encode some blocks each, so that several workers share one large split."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from assay.core.job import Job
from assay.core.task import SplitName
from assay.plugins.method import FactScore, HeldOutScore, Method, MomentScore, Score, WeightScore
from assay.plugins.protocol import FeatureProtocol, SourceProtocol, SubsetProtocol
from assay.run.evaluation import Evaluation
from assay.run.pieces import Piece, pieces_of, whole_blocks


@dataclass(frozen=True, slots=True)
class EncodingPart:
    """The encoding of one piece for an evaluation that runs when all its parts have ended.

    It has no jobs, so what fails in it costs no row: the evaluation encodes what is missing.

    Attributes:
        whole: The evaluation.
        sums: Whether the Moments of the piece are summed.
    """

    whole: Evaluation
    piece: Piece
    sums: bool

    @property
    def jobs(self) -> tuple[tuple[Job, Method], ...]:
        """None."""
        return ()

    @property
    def model_key(self) -> tuple[str, str, str]:
        """That of the evaluation."""
        return self.whole.model_key

    @property
    def device(self) -> str:
        """That of the evaluation."""
        return self.whole.device

    @property
    def memory_bytes(self) -> float | None:
        """That of the evaluation."""
        return self.whole.memory_bytes

    @property
    def expected_bytes(self) -> int:
        """That of the evaluation."""
        return self.whole.expected_bytes

    @property
    def is_shared(self) -> bool:
        """Whether the store here is that of the study: on other machines it may be a folder of their own."""
        return (self.whole.arrays.root / "results.sqlite").exists()

    def without(self, keys: Collection[str]) -> EncodingPart:
        """Return itself."""
        return self


def parts_of(evaluation: Evaluation) -> tuple[EncodingPart, ...]:
    """Return the parts of an evaluation; none if it is not to be cut, or no split is larger than a part."""
    most, methods = evaluation.examples_per_part, [method for _, method in evaluation.jobs]
    if most is None:
        return ()
    counts = {name: _seen(evaluation, name) for name in _encoded(methods)}
    if all(count <= whole_blocks(most) for count in counts.values()):
        return ()
    sums = any(isinstance(method, (MomentScore, HeldOutScore)) for method in methods)
    return tuple(
        EncodingPart(evaluation, piece, sums and piece.split is SplitName.TRAIN)
        for piece in pieces_of(counts, most)
    )


def train_pieces(evaluation: Evaluation) -> tuple[Piece, ...]:
    """Return the pieces of train that parts of an evaluation sum; none if it is not cut."""
    most, count = evaluation.examples_per_part, _seen(evaluation, SplitName.TRAIN)
    return () if most is None or count <= whole_blocks(most) else pieces_of({SplitName.TRAIN: count}, most)


def _seen(evaluation: Evaluation, name: SplitName) -> int:
    count = len(evaluation.task.split(name))
    is_part = name is SplitName.TRAIN and evaluation.train_rows is not None
    return min(count, evaluation.train_rows or count) if is_part else count


def _encoded(methods: Collection[Method]) -> tuple[SplitName, ...]:
    """Return which splits methods need encoded."""
    bases = [method.base() if isinstance(method, SubsetProtocol) else method for method in methods]
    if any(isinstance(method, FeatureProtocol) for method in bases):
        return tuple(SplitName)
    needed = []
    if any(
        isinstance(method, Score) and not isinstance(method, (FactScore, WeightScore)) for method in bases
    ):
        needed.append(SplitName.TRAIN)
    if any(isinstance(method, SourceProtocol) for method in bases):
        needed.append(SplitName.TEST)
    return tuple(needed)
