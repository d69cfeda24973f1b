"""Nearest neighbours by cosine or Euclidean distance, in bounded memory, and predictions by their votes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from assay.core.large_arrays import is_large
from assay.core.predictor import Decision, Predicted, Predictor
from assay.core.task import LabelKind

_CHUNK = 1 << 22  # similarities held at a time: 32 MiB
_CHUNK_CUDA = 1 << 27  # 1 GiB
_QUERIES = 4096  # that are compared at once with a reference too large for memory
_DECIMALS = 9  # of a similarity: beyond single precision, and equal examples stay equal for any summing order
_SQUARE_DECIMALS = 11  # of a squared distance, in units of the squared lengths

Distance = Literal["cosine", "euclidean"]


def nearest(reference: np.ndarray, queries: np.ndarray, k: int, device: str = "cpu") -> np.ndarray:
    """Return the rows of ``reference`` most similar to each query, the most similar first.

    Args:
        reference: Examples x width.
        queries: Examples x width.
        k: The number of neighbours; all rows if there are fewer.
        device: A CUDA device; for any other NumPy is used.

    Returns:
        Positions in ``reference``, queries x min(k, reference). Of equally similar rows the first wins. A row
        of zeros has similarity 0 to everything.
    """
    k = min(k, len(reference))
    if device.startswith("cuda") and len(queries):
        return nearest_on(device, reference, queries, k)
    if is_large(2 * reference.size):
        parts = (queries[start : start + _QUERIES] for start in range(0, len(queries), _QUERIES))
        return np.concatenate(
            [np.empty((0, k), np.int64), *(_by_blocks(reference, part, k) for part in parts)]
        )
    units = _unit_rows(reference)
    rows = [_largest(similarity, k) for _, similarity in _similarities(units, _unit_rows(queries))]
    return np.concatenate(rows) if rows else np.empty((0, k), dtype=np.int64)


def nearest_on(device: str, reference: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray:
    """Return the same rows as ``nearest``, which a torch device compares in double precision."""
    import torch

    def units(matrix: np.ndarray) -> torch.Tensor:
        rows = torch.from_numpy(np.array(matrix, dtype=np.float64)).to(device)
        norms = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
        return rows / torch.where(norms > 0, norms, 1.0)

    count = len(reference)
    columns, step = units(reference), max(1, _CHUNK_CUDA // count)
    behind = torch.arange(count, dtype=torch.float64, device=device) * (0.5 * 10.0**-_DECIMALS / count)
    rows = []
    for start in range(0, len(queries), step):
        similarity = (units(queries[start : start + step]) @ columns.T).round_(decimals=_DECIMALS)
        rows.append(similarity.sub_(behind).topk(k, dim=1).indices.cpu().numpy())
    return np.concatenate(rows)


def _by_blocks(reference: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray:
    """Return the same rows as ``nearest``, reading ``reference`` once, block by block."""
    units, step = _unit_rows(queries), max(k, _CHUNK // max(_QUERIES, reference.shape[1]))
    best, rows = np.empty((len(units), 0)), np.empty((len(units), 0), np.int64)
    for start in range(0, len(reference), step):
        block = _unit_rows(reference[start : start + step])
        similarity = np.concatenate([best, np.round(units @ block.T, _DECIMALS)], axis=1)
        own = np.broadcast_to(np.arange(start, start + len(block)), (len(units), len(block)))
        rows = np.concatenate([rows, own], axis=1)  # of equal ones those before come first
        columns = _largest(_first_wins(similarity.copy(), _DECIMALS), min(k, rows.shape[1]))
        best, rows = (np.take_along_axis(values, columns, axis=1) for values in (similarity, rows))
    return rows


def nearest_others(examples: np.ndarray, k: int, distance: Distance = "cosine") -> np.ndarray:
    """Return the other rows of ``examples`` nearest to each row, examples x min(k, examples - 1)."""
    if distance == "cosine":
        units = _unit_rows(examples)
        chunks = _similarities(units, units)
    else:
        chunks = _closenesses(np.asarray(examples, dtype=np.float64))
    k = min(k, len(examples) - 1)
    rows = []
    for start, similarity in chunks:
        queries = np.arange(len(similarity))
        similarity[queries, start + queries] = -np.inf  # no row is its own neighbour
        rows.append(_largest(similarity, k))
    return np.concatenate(rows)


def majority(neighbour_labels: np.ndarray, classes: int) -> np.ndarray:
    """Return the most frequent label of each row (queries x k); ties go to the nearest tied class."""
    votes = np.zeros((len(neighbour_labels), classes), dtype=np.int32)
    rows = np.arange(len(neighbour_labels))
    for column in neighbour_labels.T:
        votes[rows, column] += 1
    support = np.take_along_axis(votes, neighbour_labels, axis=1)
    return np.asarray(neighbour_labels[rows, support.argmax(axis=1)])


def vote(neighbour_labels: np.ndarray, decision: Decision) -> Predicted:
    """Return the predictions of neighbours from their labels: queries x k, or queries x k x columns."""
    if decision.kind is LabelKind.REGRESSION:
        return Predicted(np.asarray(neighbour_labels.mean(axis=1)))
    if decision.kind is LabelKind.MULTILABEL:
        shares = neighbour_labels.mean(axis=1)
        return Predicted((shares > 0.5).astype(np.int64), shares)
    shares = np.stack([(neighbour_labels == label).mean(axis=1) for label in range(decision.classes)], axis=1)
    return Predicted(majority(neighbour_labels, decision.classes), shares)


@dataclass(frozen=True, eq=False)
class NeighbourPredictor(Predictor):
    """The majority, or the mean, of the k examples that are most similar by cosine similarity.

    Attributes:
        reference: The training features.  # examples x width
        labels: The training labels.  # examples, or examples x columns
        k: The number of neighbours.
        decision: How labels become predictions.
        device: The torch device on which neighbours are sought.
    """

    reference: np.ndarray
    labels: np.ndarray
    k: int
    decision: Decision
    device: str = "cpu"

    def __call__(self, features: np.ndarray) -> Predicted:
        """Return predictions for examples x width; the votes are the probabilities."""
        return vote(self.labels[nearest(self.reference, features, self.k, self.device)], self.decision)

    def tensors(self) -> Mapping[str, np.ndarray]:
        """Return all training examples, and k."""
        return {"reference": self.reference, "labels": self.labels, "k": np.array(self.k)}

    @classmethod
    def restored(cls, tensors: Mapping[str, np.ndarray], decision: Decision) -> NeighbourPredictor:
        """Return the predictor with these tensors."""
        return cls(tensors["reference"], tensors["labels"], int(tensors["k"]), decision)


def _unit_rows(matrix: np.ndarray) -> np.ndarray:
    rows = np.asarray(matrix, dtype=np.float64)
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    return np.asarray(rows / np.where(norms > 0, norms, 1.0))


def _similarities(units: np.ndarray, queries: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    step = max(1, _CHUNK // max(1, len(units)))
    for start in range(0, len(queries), step):
        yield start, _first_wins(queries[start : start + step] @ units.T, _DECIMALS)


def _closenesses(rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield minus the squared distances of some rows to all, in units of their own squared length."""
    centred = rows - np.median(rows, axis=0)  # median: an outlier must not cost the others precision
    squares = np.einsum("ij,ij->i", centred, centred)
    units = squares + np.median(squares)
    units[units == 0] = 1.0
    step = max(1, _CHUNK // len(rows))
    for start in range(0, len(rows), step):
        block = slice(start, start + step)
        closeness = centred[block] @ centred.T
        closeness *= 2
        closeness -= squares
        closeness -= squares[block, None]
        closeness /= units[block, None]
        yield start, _first_wins(closeness, _SQUARE_DECIMALS)


def _first_wins(similarity: np.ndarray, decimals: int) -> np.ndarray:
    """Round in place to remove rounding noise, then make the first of equal values the largest."""
    np.round(similarity, decimals, out=similarity)
    columns = similarity.shape[1]
    similarity -= np.arange(columns) * (0.5 * 10.0**-decimals / max(1, columns))
    return similarity


def _largest(similarity: np.ndarray, k: int) -> np.ndarray:
    """Return the columns of the k largest values of each row, largest first."""
    np.negative(similarity, out=similarity)
    part = np.argpartition(similarity, k - 1, axis=1)[:, :k]
    order = np.argsort(np.take_along_axis(similarity, part, axis=1), axis=1)
    return np.take_along_axis(part, order, axis=1)
