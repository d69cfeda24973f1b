"""Label CKA: the kernel alignment of features and labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.estimate import Estimate
from assay.core.metric import Metric
from assay.core.task import LabelKind
from assay.moments.moments import Moments
from assay.moments.scatter import Scatter
from assay.plugins.method import EVERY_KIND, Invariance, Score
from assay.plugins.train_view import TrainView


@dataclass(frozen=True, slots=True)
class LabelCKA(Score):
    """Linear CKA (centred kernel alignment) of features and target columns.

    The value is |F'Y|^2 / (|F'F| |Y'Y|), with Frobenius norms: 1 if examples are as similar as their
    labels, and 0 if no feature is correlated with a label. Classes are one-hot columns. For classes, and
    for one number of each example, it is a function of Moments: exact for any number of examples.

    References:
        Similarity of Neural Network Representations Revisited (Kornblith et al., 2019),
        https://arxiv.org/abs/1905.00414
        KITE: A Kernel-based Improved Transferability Estimation Method (Guo et al., 2024),
        https://arxiv.org/abs/2405.01603, whose numerator it is, with a linear kernel.

    Note:
        Without correction for bias C balanced classes give noise up to sqrt((C - 1)/N), more the wider it is;
        debiased=True gives it about 0. Moments do not hold the covariances of several label columns. Where
        train has more examples than features and than a sample holds, |Y'Y| of such columns is that of the
        sample, which is the same for every model, and the correction does not apply to them, nor to numbers.
        The code of ``dbolya/parc`` (methods.py, class DDS) has both forms, but asks them of two models, not
        of labels: of cosine similarities of standardised features, times 100.

    Attributes:
        debiased: Use the unbiased estimate of each of the three products, as in Kornblith et al.

    >>> import assay
    >>> labels = np.arange(60) % 2
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> signal = noise + 3 * labels[:, None]
    >>> assay.score(signal, labels, "label_cka") > assay.score(noise, labels, "label_cka")
    True
    """

    debiased: bool = False

    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    invariances: ClassVar[frozenset[Invariance]] = frozenset(Invariance)

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the alignment, between 0 and 1; a debiased one may be below 0 by chance."""
        total = train.moments().total
        labels, notes = label_norm(total, train)
        features = feature_norm(total.scatter)
        both = float(np.square(total.centred_cross()).sum())
        if self.debiased:
            return Estimate(debiased_alignment(total, (features**2, both, labels**2), lengths(total, train)))
        return Estimate(both / (features * labels), notes=notes)


class Lengths(NamedTuple):
    """Sums over examples of the squared lengths of centred features x and targets y, and their products."""

    x: float
    y: float
    x_x: float
    x_y: float
    y_y: float


def lengths(total: Moments, train: TrainView) -> Lengths:
    """Return the sums of squared lengths, from the Moments for classes, else from all rows."""
    if train.kind is not LabelKind.CLASSIFICATION:
        examples = train.held_out().examples
        if len(examples) < total.count:
            raise NotApplicable(
                f"The correction for bias needs all {total.count} rows of {train.kind} labels, and a sample "
                f"holds {len(examples)}. Use label_cka()."
            )
        x, y = squared_lengths(examples.matrix), squared_lengths(examples.labels.targets())
        return Lengths(float(x.sum()), float(y.sum()), float(x @ x), float(x @ y), float(y @ y))
    share, mean = total.target_sum / total.count, total.mean()
    each = 1 - 2 * share + share @ share  # the squared length of the centred one-hot row of each class
    spread = total.target_norm - 2 * total.cross @ mean + total.target_sum * (mean @ mean)
    counts = total.target_sum
    return Lengths(
        x=total.scatter.total_variance(),
        y=float(counts @ each),
        x_x=total.scatter.fourth_moment_about_mean(),
        x_y=float(each @ spread),
        y_y=float(counts @ np.square(each)),
    )


def squared_lengths(rows: np.ndarray) -> np.ndarray:
    """Return the squared distance of each row from the mean of all."""
    return np.asarray(np.square(rows - rows.mean(axis=0, dtype=np.float64)).sum(axis=1))


def debiased_alignment(total: Moments, norms: tuple[float, float, float], lengths: Lengths) -> float:
    """Return the alignment from |F'F|^2, |F'Y|^2 and |Y'Y|^2, without the diagonal of the kernels."""
    n = total.count
    if n < 4:
        raise NotApplicable(f"The correction for bias needs at least 4 examples; there are {n}.")
    products = np.array([lengths.x_x, lengths.x_y, lengths.y_y])
    sums = np.array([lengths.x**2, lengths.x * lengths.y, lengths.y**2])
    features, both, labels = np.array(norms) - n / (n - 2) * products + sums / ((n - 1) * (n - 2))
    if features <= 1e-12 * norms[0] or labels <= 1e-12 * norms[2]:
        raise NotApplicable("No two examples are similar beyond chance in features, or in labels.")
    return float(both / np.sqrt(features * labels))


def feature_norm(scatter: Scatter) -> float:
    """Return the Frobenius norm of F'F, or of the equal FF' if there are few rows."""
    if scatter.is_constant:
        raise NotApplicable("All features are constant on train.")
    if scatter.rows is None:
        return float(np.linalg.norm(scatter.centred_gram()))
    return float(np.linalg.norm(scatter.dual))


def label_norm(total: Moments, train: TrainView) -> tuple[float, tuple[str, ...]]:
    """Return the Frobenius norm of Y'Y, with notes about its source."""
    if train.kind is LabelKind.CLASSIFICATION:
        return class_norm(total.target_sum), ()
    return column_norm(total, train)


def class_norm(counts: np.ndarray) -> float:
    """Return the norm of Y'Y = diag(n) - nn'/N for centred one-hot columns, without cancellation."""
    n = np.sort(counts[counts > 0])
    if len(n) < 2:
        raise NotApplicable("Fewer than two classes have examples in train.")
    total = n.sum()
    diagonal = np.square(n * (total - n) / total).sum()
    smaller = np.cumsum(np.square(n))[:-1]  # sum over all smaller classes
    return float(np.sqrt(diagonal + 2 * (np.square(n[1:] / total) * smaller).sum()))


def column_norm(total: Moments, train: TrainView) -> tuple[float, tuple[str, ...]]:
    """Return the norm of Y'Y for centred columns of numbers, or of 0 and 1, with notes."""
    energy = total.centred_target_square()
    if energy.sum() <= 1e-12 * total.target_square.sum():
        raise NotApplicable("All labels of train are the same.")
    if len(energy) == 1:
        return float(energy[0]), ()
    rows = total.target_rows if total.target_rows is not None else train.held_out().examples.labels.targets()
    centred = rows - rows.mean(axis=0)
    norm = float(np.linalg.norm(centred.T @ centred)) * total.count / len(rows)
    if norm <= 0:
        raise NotApplicable("All labels of the sample are the same.")
    few = (f"label_cka takes the covariances of labels from {len(rows)} of {total.count} examples",)
    return norm, few if len(rows) < total.count else ()
