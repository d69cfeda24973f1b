"""LEAD: the expected progress of linear-classifier logits in fine-tuning, by the speed of each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import LabelledFeatures
from assay.numerics.principal import principal_components
from assay.numerics.threads import one_thread_in_scipy
from assay.plugins.method import Invariance, SampleScore
from assay.scores.lead.machines import LinearSVMs

_BLOCK = 1024  # examples in one pass through the head; bounds the memory


@dataclass(frozen=True, slots=True)
class LEAD(SampleScore):
    """LEAD: minus the expected cross-entropy of logits after gradient descent for a time t.

    A classifier gives each example x probabilities f(x). Training moves those of the examples of class k to
    (1 - exp(-λ_k t)) y + exp(-λ_k t) f(x), with y the one-hot label and λ_k the mean eigenvalue of the neural
    tangent kernel of the class under a random head. The value is the mean log probability of the label at
    that time: 0 at best.

    References:
        LEAD: Exploring Logit Space Evolution for Model Selection (Hu et al., 2024),
        https://arxiv.org/abs/2507.14559
        A Fast, Well-Founded Approximation to the Empirical Neural Tangent Kernel (Mohamadi, Bae and
        Sutherland, 2023), https://arxiv.org/abs/2206.12543, for the kernel of the sum of all logits.

    Note:
        No code of the authors could be read: this follows descriptions of the paper, and its values are not
        those of the paper's tables. From the descriptions: f is a one-vs-rest linear support vector machine
        on all of train, seen again; the head is a perceptron with two hidden layers, 1024 and 2048 wide; the
        kernel is that of the sum of the logits; t = 1. Choices of ours:

        * Features are centred, and divided by their root mean square over train. Without it λ follows the
          scale of the features, and most models saturate at 0.
        * The head has ReLU units and no biases, its weights are standard normal, and its layers are scaled
          by sqrt(2 / fan-in), as in the theory of the kernel: λ does not grow with the width of the head.
          The sum of logits is divided by the square root of their number.
        * The mean eigenvalue of a kernel is its mean diagonal, so that no eigenvalues are computed, and all
          examples of a class are used where the paper takes 64.
        * The machine minimises |w|²/2 + Σ max(0, 1 - margin)², its intercept is free, and the logistic
          function of its outputs, divided by the sum over classes, gives the probabilities.

        The probabilities are in sample: wide noise, which the machine separates, can score higher than
        narrow signal. Another random head moves the value by a tenth or two:
        average over seeds where models are close.

    Attributes:
        time: t, in units of the learning rate.
        widths: The widths of the hidden layers of the head.
        seed: Seed of the random head.

    >>> import assay
    >>> labels = np.arange(60) % 2
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> assay.score(noise + 3 * labels[:, None], labels, "lead") > assay.score(noise, labels, "lead")
    True
    """

    time: float = 1.0
    widths: tuple[int, int] = (1024, 2048)
    seed: int = 0

    version: ClassVar[int] = 2
    is_slow: ClassVar[bool] = True
    favours_width: ClassVar[bool] = True
    invariances: ClassVar[frozenset[Invariance]] = frozenset({Invariance.SHIFT, Invariance.SCALE})

    def __post_init__(self) -> None:
        if not self.time >= 0:
            raise UsageError(f"lead(time={self.time}) is before the start. Write time=1.0.")
        if len(self.widths) != 2 or not all(isinstance(width, int) and width > 0 for width in self.widths):
            raise UsageError(f"lead(widths={self.widths}) are not two widths. Write widths=(1024, 2048).")
        if self.seed < 0:
            raise UsageError(f"lead(seed={self.seed}) is not a seed. Write seed=0.")

    def __call__(self, train: LabelledFeatures) -> float:
        """Return the mean log probability of the labels at time t, at most 0."""
        present, positions = np.unique(train.labels.values, return_inverse=True)
        if len(present) < 2:
            raise NotApplicable("Fewer than two classes have examples in train.")
        features = np.asarray(train.matrix, dtype=np.float64)
        components = principal_components(features, min(features.shape))
        if not components.shape[1]:
            raise NotApplicable("All features are constant on train.")
        size = np.sqrt(np.square(components).sum() / features.size)
        initial = _initial_probability(components / size, positions)
        rows = (features - features.mean(axis=0)) / size
        counts = np.bincount(positions)
        speeds = np.bincount(positions, weights=_kernel_diagonal(rows, self.widths, self.seed)) / counts
        kept = np.exp(-speeds * self.time)[positions]
        return min(float(np.log1p(-kept * (1 - initial)).mean()), 0.0)


def _initial_probability(rows: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return the probability of each example's label: one-vs-rest linear support vector machines.

    Args:
        rows: Examples x principal components: no rotation changes the machines.
        positions: The class of each example.
    """
    machines = LinearSVMs(rows)
    own, total = np.empty(len(rows)), np.zeros(len(rows))
    with one_thread_in_scipy():
        for label in range(int(positions.max()) + 1):
            is_own = positions == label
            logistic = (1 + np.tanh(machines.outputs(is_own) / 2)) / 2  # does not overflow
            own[is_own] = logistic[is_own]
            total += logistic
    return own / total


def _kernel_diagonal(rows: np.ndarray, widths: tuple[int, int], seed: int) -> np.ndarray:
    """Return the squared norm of each example's gradient by the weights of a random head.

    The head is g = v'a2 / sqrt(h2), a2 = sqrt(2) relu(W2'a1 / sqrt(h1)), a1 = sqrt(2) relu(W1'x / sqrt(D)).
    v is the sum over classes of the last weights over the square root of their number: standard normal too,
    and the gradient by all those weights has the norm of the gradient by v. The gradient by a matrix is an
    outer product, whose squared norm is the product of two.
    """
    first, second = widths
    width = rows.shape[1]
    rng = np.random.default_rng(seed)
    v, w2, w1 = (rng.standard_normal(shape) for shape in (second, (first, second), (width, first)))
    diagonal = np.empty(len(rows))
    for start in range(0, len(rows), _BLOCK):
        x = rows[start : start + _BLOCK]
        z1 = x @ w1 / np.sqrt(width)
        a1 = np.sqrt(2) * np.maximum(z1, 0.0)
        z2 = a1 @ w2 / np.sqrt(first)
        a2 = np.sqrt(2) * np.maximum(z2, 0.0)
        d2 = np.sqrt(2 / second) * v * (z2 > 0)
        d1 = np.sqrt(2 / first) * (d2 @ w2.T) * (z1 > 0)
        diagonal[start : start + _BLOCK] = (
            np.square(a2).mean(axis=1)
            + np.square(a1).mean(axis=1) * np.square(d2).sum(axis=1)
            + np.square(x).mean(axis=1) * np.square(d1).sum(axis=1)
        )
    return diagonal
