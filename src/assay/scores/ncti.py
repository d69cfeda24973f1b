"""NCTI: the distance of features from neural collapse, the end state of training on the task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import LabelledFeatures
from assay.plugins.method import Invariance, SampleScore

_PARTS = ("all", "seli", "ncc", "vc")
_COMPONENTS = 64  # principal components that are kept, as published
_LEADING = 32  # components whose variances set the shrinkage, as published
_FLOOR = 1e-10  # least shrinkage, as published: no shrinkage at this value
_RANK = 1e-4  # singular values of standardised features that count as zero, as in scikit-learn
_EPS = float(np.finfo(np.float64).eps)
_ROUNDING = (16 * float(np.finfo(np.float64).eps)) ** 2  # share of all squares that rounding alone can leave


@dataclass(frozen=True, slots=True)
class NCTI(SampleScore):
    """NCTI: three measures of neural collapse by discriminant analysis on 64 principal components.

    The parts, higher for better models:

    - ``seli``: the nuclear norm of the discriminant features (one fewer than classes). It
      is large where class means lie far apart and in all directions (the SELI geometry).
    - ``ncc``: the mean probability of the true class, in sample, between 0 and 1.
    - ``vc``: minus the logarithm of the sum over classes of the nuclear norm of the examples' probabilities.
      It is large where the examples of a class get the same probabilities (variability collapse).
    - ``all``: the sum of the three, each on a fixed scale. ``seli`` becomes (s - m) / (s + m), where
      m = directions * sqrt(examples) is its value for whitened features without classes: 0 there, towards 1
      as they collapse. ``ncc`` is itself. ``vc`` runs from 0, where the sum of nuclear norms is at its upper
      bound, sum_c sqrt(n_c min(n_c, C)), to 1, where it is at its lower bound, sum_c sqrt(n_c / C), as the
      logarithm of the sum does. So the sum lies between -1 and 3.

    References:
        How Far Pre-trained Models Are from Neural Collapse on the Target Dataset Informs their
        Transferability (Wang et al., 2023),
        https://openaccess.thecvf.com/content/ICCV2023/papers/Wang_How_Far_Pre-trained_Models_Are_from_Neural_Collapse_on_the_ICCV_2023_paper.pdf

    Note:
        The published total is seli + ncc + vc after each is scaled to 0..1 over all models that are compared,
        so that a model's value changes when another one joins: ``BUserName/NCTI
        evaluate_metric_group1_cpu.py``. Here each model has a value of its own, by the fixed scale of
        ``all``. To reproduce a table, ask for the three parts and scale the values of your models.
        ``NCTI_Score`` there returns seli, ncc and minus vc. Above 500 features or examples it leaves the
        principal components to a randomised solver with numpy's global seed; here they are exact. It needs 64
        examples and features; here there are as many components as the examples have directions, up to 64.
        The shrinkage of the scatter within classes, exp(-variance of the first 32 components), depends on the
        scale of the features; at 1e-10 and below there is none, and the score does not apply unless examples
        minus classes outnumber the components: the analysis would drop directions that separate the classes.
        The value is in sample, so wide features have a small advantage, limited by the 64 components.

    Attributes:
        part: ``all``, ``seli``, ``ncc`` or ``vc``.
        unbiased: Whether the scatter within classes is divided by examples - classes instead of examples,
            where it is not shrunk. That is what scikit-learn did before 1.9 and thus in the published tables;
            since then, and here, both solvers divide equally.

    >>> import assay
    >>> labels = np.arange(60) % 2
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> assay.score(noise + 3 * labels[:, None], labels, "ncti") > assay.score(noise, labels, "ncti")
    True
    """

    part: str = "all"
    unbiased: bool = False

    invariances: ClassVar[frozenset[Invariance]] = frozenset({Invariance.SHIFT, Invariance.ROTATION})

    def __post_init__(self) -> None:
        if self.part not in _PARTS:
            raise UsageError(f"ncti(part='{self.part}') is not a part. Write {', '.join(map(repr, _PARTS))}.")

    def __call__(self, train: LabelledFeatures) -> float:
        """Return the chosen part, or the sum of all parts on a fixed scale."""
        positions, sizes = np.unique(train.labels.values, return_inverse=True, return_counts=True)[1:]
        if len(sizes) < 2:
            raise NotApplicable("Fewer than two classes have examples in train.")
        rows = principal_components(train.matrix)
        if (
            np.square(rows - class_means(rows, positions, sizes)[positions]).sum()
            <= _ROUNDING * np.square(rows).sum()
        ):
            raise NotApplicable("Features do not vary within any class of train.")
        shrinkage = float(np.exp(-rows.var(axis=0, ddof=1)[:_LEADING].sum()))
        freedom = len(rows) - len(sizes) if self.unbiased and shrinkage <= _FLOOR else len(rows)
        if shrinkage > _FLOOR:
            analysis = shrunk(rows, positions, sizes, shrinkage)
        else:
            analysis = unshrunk(rows, positions, sizes, freedom)
        probs = analysis.probabilities(rows, sizes)
        seli = float(np.linalg.svd(rows @ analysis.directions, compute_uv=False).sum())
        ncc = float(probs[np.arange(len(positions)), positions].mean())
        norms = sum(
            float(np.linalg.svd(probs[positions == label], compute_uv=False).sum())
            for label in range(len(sizes))
        )
        raw = {"seli": seli, "ncc": ncc, "vc": -float(np.log(norms))}
        if self.part != "all":
            return raw[self.part]
        classless = analysis.directions.shape[1] * np.sqrt(freedom)
        return float((seli - classless) / (seli + classless)) + ncc + scaled_collapse(norms, sizes)


def principal_components(matrix: np.ndarray) -> np.ndarray:
    """Return the principal components of each example, largest variance first: examples x at most 64.

    Only the leading eigenvectors are computed, in two thirds of the time of ``numerics/principal.py``.
    """
    from scipy.linalg import eigh

    rows = np.asarray(matrix, dtype=np.float64)
    noise = _ROUNDING * float(np.einsum("ij,ij->", rows, rows))
    rows = rows - rows.mean(axis=0)
    is_few = len(rows) <= rows.shape[1]
    gram = rows @ rows.T if is_few else rows.T @ rows
    first = max(len(gram) - _COMPONENTS, 0)
    values, vectors = eigh(gram, subset_by_index=(first, len(gram) - 1), check_finite=False)
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = values > max(values[0] * max(rows.shape) * _EPS, noise)
    if not kept.any():
        raise NotApplicable("All features are constant on train.")
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]) if is_few else rows @ vectors[:, kept])


class Discriminant(NamedTuple):
    """Discriminant analysis of centred examples.

    Attributes:
        directions: Discriminant directions, components x directions.
        weights: Linear weights of each class, components x classes.
        means: The mean of each class, classes x components.
    """

    directions: np.ndarray
    weights: np.ndarray
    means: np.ndarray

    def probabilities(self, rows: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """Return p(class given example), examples x classes."""
        from scipy.special import softmax

        squares = np.einsum("cd,dc->c", self.means, self.weights)
        return np.asarray(softmax(rows @ self.weights - squares / 2 + np.log(sizes / sizes.sum()), axis=1))


def class_means(rows: np.ndarray, positions: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the mean of each class, classes x components."""
    return np.asarray((np.eye(len(sizes))[positions] / sizes[positions, None]).T @ rows)


def unshrunk(rows: np.ndarray, positions: np.ndarray, sizes: np.ndarray, freedom: int) -> Discriminant:
    """Return the analysis that divides by the scatter within classes, as scikit-learn does by default."""
    if len(rows) - len(sizes) <= rows.shape[1]:
        raise NotApplicable(
            f"{len(rows)} examples of {len(sizes)} classes do not vary within classes along all of the "
            f"{rows.shape[1]} principal components. Use lda_cv."
        )
    means = class_means(rows, positions, sizes)
    inside = rows - means[positions]
    spread = inside.std(axis=0)
    spread[spread == 0] = 1.0
    values, axes = np.linalg.svd(inside / spread / np.sqrt(freedom), full_matrices=False)[1:]
    kept = values > _RANK
    whitening = (axes[kept] / spread).T / values[kept]
    between = np.sqrt(sizes / (len(sizes) - 1))[:, None] * means @ whitening
    values, axes = np.linalg.svd(between, full_matrices=False)[1:]
    directions = whitening @ axes[values >= _RANK * values[0]].T
    weights = directions @ (means @ directions).T
    return Discriminant(directions[:, : len(sizes) - 1], weights, means)


def shrunk(rows: np.ndarray, positions: np.ndarray, sizes: np.ndarray, shrinkage: float) -> Discriminant:
    """Return the analysis that shrinks both scatters towards a multiple of the identity."""
    from scipy.linalg import eigh

    means = class_means(rows, positions, sizes)
    inside = rows - means[positions]
    within = towards_identity(inside.T @ inside / len(rows), shrinkage)
    total = towards_identity(rows.T @ rows / len(rows), shrinkage)
    directions = eigh(total - within, within, check_finite=False)[1][:, ::-1]
    return Discriminant(directions[:, : len(sizes) - 1], directions @ (means @ directions).T, means)


def towards_identity(scatter: np.ndarray, shrinkage: float) -> np.ndarray:
    """Return (1 - shrinkage) scatter + shrinkage * mean eigenvalue * identity."""
    moved = (1.0 - shrinkage) * scatter
    moved[np.diag_indices_from(moved)] += shrinkage * np.trace(scatter) / len(scatter)
    return np.asarray(moved)


def scaled_collapse(norms: float, sizes: np.ndarray) -> float:
    """Scale the sum of nuclear norms of the probabilities: 0 at its upper bound, 1 at its lower bound.

    Rows of n_c x C probabilities have lengths between 1 / sqrt(C) and 1, and a nuclear norm lies between the
    Frobenius norm and sqrt(rank) times it.
    """
    least = np.sqrt(sizes / len(sizes)).sum()
    most = np.sqrt(sizes * np.minimum(sizes, len(sizes))).sum()
    return float(np.log(most / norms) / np.log(most / least))
