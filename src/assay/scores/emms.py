"""EMMS: the error of linear regression from features to text embeddings of the labels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.task import LabelKind
from assay.environment.process_state import from_start
from assay.moments.folded import FoldedMoments
from assay.moments.moments import Moments
from assay.moments.spectrum import Spectrum, basis_of_gram, basis_of_rows
from assay.numerics.least_squares import FEATURES, require_residual
from assay.plugins.method import EVERY_KIND, Invariance, MomentScore

_EPSILON = 1e-8  # added to standard deviations, as in the published code
_SINGULAR = 1e-10  # share of the largest eigenvalue below which encoders are dependent
_MOST_APART = 1e3  # ratio of standard deviations that loses six of the sixteen digits of a Gram
_ROUNDING = 16 * float(
    np.finfo(np.float64).eps
)  # apparent variation of a constant feature, relative to its value
_CONVERGED = 1e-12  # change of any encoder's weight that ends the alternation


@dataclass(frozen=True, slots=True)
class EMMS(MomentScore):
    """EMMS: minus the mean squared error of linear regression from features to weighted label embeddings.

    Each class has K vectors, one from each of K text encoders; Y holds those of each example's class. w and
    the weights t of the encoders, which sum to 1, are updated in turn: w by least squares, t by least squares
    and projection onto the simplex (sparsemax), until t converges. The value is between -1 and 0. Without
    embeddings Y are the one-hot columns; for regression Y are the numbers.

    References:
        Foundation Model is Efficient Multimodal Multitask Model Selector (Meng et al., 2023),
        https://arxiv.org/abs/2308.06262, for the fast alternation by least squares.

    Note:
        ``OpenGVLab/Multitask-Model-Selector`` (metrics.py, function EMMS) alternates once, sets the first w
        beside the last t, and divides by N and multiplies by the width of Y, instead of dividing by both. Use
        published=True for its values. With one encoder the ranks of models are the same.
        The scale of a feature does not matter to least squares, so moments suffice. N - 1 independent
        features fit any labels of N examples, so the score does not apply there. With fewer, each noise
        feature still explains 1/N of the variance: wide features gain.

    Attributes:
        embeddings: The path of an .npz file with one array for each encoder, classes x dims, in the order of
            the task's classes; all of the same shape. Make it from the embeddings of the class
            names, with ``np.savez("labels.npz", clip=..., bert=...)``.
        max_steps: Most alternations; many are needed if the features explain nearly everything.
        published: Return the value of the published code.

    >>> import assay
    >>> labels = np.arange(60) % 2
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> signal = noise + 3 * labels[:, None]
    >>> assay.score(signal, labels, "emms") > assay.score(noise, labels, "emms")
    True
    """

    embeddings: str = ""
    max_steps: int = 10_000
    published: bool = False

    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    invariances: ClassVar[frozenset[Invariance]] = frozenset(Invariance)
    favours_width: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.max_steps < 1:
            raise UsageError(f"emms(max_steps={self.max_steps}) has no step. Write max_steps=10000.")
        if self.embeddings:
            read_embeddings(self.embeddings)

    def content(self) -> str:
        """Return a hash of the file of embeddings."""
        if not self.embeddings:
            return ""
        return hashlib.blake2b(Path(self.embeddings).read_bytes(), digest_size=16).hexdigest()

    def __call__(self, train: FoldedMoments) -> float:
        """Return the negative error per standardised number, between -1 and 0."""
        total, spectrum = train.total, standardised(train)
        require_residual(len(spectrum.values), total.count, FEATURES)
        labels = self._labels(train, spectrum)
        if self.published:
            return -published_error(labels) / total.count * labels.dims
        weights = alternate(labels, self.max_steps)
        error = max(float(weights @ (labels.products - labels.explained) @ weights), 0.0)
        return -error / (total.count * labels.dims)

    def _labels(self, train: FoldedMoments, spectrum: Spectrum) -> Products:
        if train.kind is LabelKind.CLASSIFICATION:
            vectors = read_embeddings(self.embeddings) if self.embeddings else None
            return class_products(train.total, spectrum, vectors)
        if self.embeddings:
            raise NotApplicable(f"its embeddings are of classes, not of {train.kind} labels: leave them out")
        return number_products(train.total, spectrum)


class Products(NamedTuple):
    """Inner products of the standardised label matrices Y of K encoders, the inputs of the alternation.

    Attributes:
        products: Inner products of Y_k and Y_l.  # K x K
        explained: Inner products of the least-squares fit of Y_k and of Y_l.  # K x K
        dims: Number of columns of each Y.
    """

    products: np.ndarray
    explained: np.ndarray
    dims: int


def standardised(train: FoldedMoments) -> Spectrum:
    """Return the spectrum of features with unit variance, or the shared one if variances are similar.

    The least-squares fit is the same, but a Gram loses directions with far less variance than others.
    """
    total, scatter = train.total, train.total.scatter
    deviations = np.sqrt(scatter.variances())
    moving = deviations[deviations > _ROUNDING * np.abs(scatter.shift)]
    if len(moving) == 0 or moving.max() <= _MOST_APART * moving.min():
        return train.spectrum
    scale = 1 / (deviations + _EPSILON)
    if scatter.rows is not None:
        rows = scatter.centred_rows * scale
        basis = basis_of_rows(rows, rows @ rows.T, 0.0)
        return Spectrum(basis.values, basis.project_targets(total.centred_targets()))
    basis = basis_of_gram(scatter.centred_gram() * scale * scale[:, None], 0.0)
    return Spectrum(basis.values, basis.project(total.centred_cross() * scale[:, None]))


def class_products(total: Moments, spectrum: Spectrum, embeddings: np.ndarray | None) -> Products:
    """Return the products for classes, computed from class sums: F'Y = S'E."""
    used = total.target_sum > 0
    if used.sum() < 2:
        raise NotApplicable("Fewer than two classes have examples in train.")
    if embeddings is not None and embeddings.shape[1] != len(used):
        raise NotApplicable(f"the file has embeddings of {embeddings.shape[1]} classes, the task {len(used)}")
    vectors = np.eye(int(used.sum()))[None] if embeddings is None else embeddings[:, used]
    share = total.target_sum[used] / total.count
    centred = vectors - np.einsum("c,kcd->kd", share, vectors)[:, None]
    deviation = np.sqrt(np.einsum("c,kcd->kd", share, np.square(centred)))
    seen = centred / (deviation + _EPSILON)[:, None]
    flat = seen.reshape(len(seen), -1)
    products = (seen * total.target_sum[used][:, None]).reshape(len(seen), -1) @ flat.T
    if not np.trace(products) > 0:
        raise NotApplicable("All classes have the same embeddings.")
    cross = spectrum.cross[:, used]
    inner = (cross / spectrum.values[:, None]).T @ cross  # classes x classes
    return Products(products, (inner @ seen).reshape(len(seen), -1) @ flat.T, seen.shape[2])


def number_products(total: Moments, spectrum: Spectrum) -> Products:
    """Return the products for columns of numbers, or of 0 and 1, which are their only embedding."""
    energy = np.maximum(total.centred_target_square(), 0.0)
    if energy.sum() <= 1e-12 * total.target_square.sum():
        raise NotApplicable("All labels of train are the same.")
    scale = np.square(1 / (np.sqrt(energy / total.count) + _EPSILON))
    explained = (np.square(spectrum.cross) / spectrum.values[:, None]).sum(axis=0)
    return Products(np.array([[scale @ energy]]), np.array([[scale @ explained]]), len(energy))


def alternate(labels: Products, max_steps: int) -> np.ndarray:
    """Return the weights of the encoders at convergence, or after ``max_steps``."""
    refit = refitting(labels)
    weights = np.full(len(refit), 1 / len(refit))
    for _ in range(max_steps):
        before, weights = weights, sparsemax(refit @ weights)
        if np.abs(weights - before).max() <= _CONVERGED:
            break
    return weights


def refitting(labels: Products) -> np.ndarray:
    """Return the matrix of one alternation: old weights to least-squares weights of the encoders."""
    return np.asarray(np.linalg.lstsq(labels.products, labels.explained, rcond=_SINGULAR)[0])


def published_error(labels: Products) -> float:
    """Return |Xw - Yt|^2 for the w of equal weights and the t of one alternation."""
    first = np.full(len(labels.products), 1 / len(labels.products))
    last = sparsemax(refitting(labels) @ first)
    return float(first @ labels.explained @ (first - 2 * last) + last @ labels.products @ last)


def sparsemax(numbers: np.ndarray) -> np.ndarray:
    """Return the Euclidean projection onto the probability simplex.

    References:
        From Softmax to Sparsemax (Martins and Astudillo, 2016), https://arxiv.org/abs/1602.02068
    """
    ordered = np.sort(numbers)[::-1]
    excess = (np.cumsum(ordered) - 1) / np.arange(1, len(ordered) + 1)
    return np.asarray(np.maximum(numbers - excess[np.flatnonzero(ordered > excess)[-1]], 0.0))


def read_embeddings(path: str) -> np.ndarray:
    """Return the embeddings of an .npz file: encoders x classes x dims."""
    try:
        with np.load(from_start(path), allow_pickle=False) as file:
            arrays = [np.asarray(file[name], dtype=np.float64) for name in sorted(file)]
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(
            f"Cannot read embeddings from '{path}': {error}. Make it with "
            f"np.savez(path, clip=...), where the array is classes x dims."
        ) from error
    shapes = {array.shape for array in arrays}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        raise UsageError(f"The arrays of '{path}' have the shapes {sorted(shapes)}. Make all classes x dims.")
    stack = np.stack(arrays)
    if not np.isfinite(stack).all():
        raise UsageError(f"The arrays of '{path}' hold numbers that are not finite. Encode the names again.")
    return stack
