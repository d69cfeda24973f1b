"""Few-shot: another protocol trained on a few examples per class, drawn several times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.keys import content_key
from assay.core.task import LabelKind, Labels
from assay.plugins.address import Address
from assay.plugins.families import families
from assay.plugins.method import EVERY_KIND
from assay.plugins.protocol import FeatureProtocol, ModelProtocol, SubsetProtocol
from assay.plugins.settings import all_settings
from assay.plugins.train_view import proportional_examples


@dataclass(frozen=True, slots=True)
class FewShot(SubsetProtocol):
    """Few-shot: a protocol trained on k examples per class of train, and as many of val; test is complete.

    Each draw is a separate run, with the same examples for all models; intervals cover the draws. If examples
    have several classes, or texts several tags, examples are drawn until each class occurs in k of them. A
    class with fewer examples contributes all. The value on val is that of the protocol on the few of val.
    Several sizes make a learning curve: ``few_shot(k=1)``, ``few_shot(k=5)``, or for any kind of task
    ``few_shot(examples=100)``, ``few_shot(examples=1000)``.

    References:
        Learning Transferable Visual Models From Natural Language Supervision (Radford et al., 2021),
        https://arxiv.org/abs/2103.00020, section 3.1, whose probes see 1 to 16 examples of each class.
        True Few-Shot Learning with Language Models (Perez et al., 2021), https://arxiv.org/abs/2105.11447:
        choices must be made on few examples, too.

    Attributes:
        k: Number of examples per class; 5 by default.
        examples: Total number of examples (or texts of words) instead, in the proportions of train.
        draws: Number of draws.
        protocol: The address of the protocol to train.

    >>> labels = Labels(LabelKind.CLASSIFICATION, np.array([0, 0, 0, 1, 1, 1]), ("cat", "dog"))
    >>> labels.values[FewShot(k=2, protocol="knn").rows(labels, seed=0)]
    array([0, 0, 1, 1])
    """

    k: int | None = None
    examples: int | None = None
    draws: int = 10
    protocol: str = "linear_probe"

    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND

    def __post_init__(self) -> None:
        if self.k is not None and self.examples is not None:
            raise UsageError("few_shot draws k of each class, or so many examples in all. Write one of them.")
        for name in ("k", "examples", "draws"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"few_shot({name}={value}) has nothing to learn from. Write 1 or more.")
        self.base()

    def content(self) -> str:
        """Return a hash of the trained protocol: its version and every setting."""
        base = self.base()
        return content_key(version=base.version, settings=all_settings(base), content=base.content())

    def repeats(self, seeds: int) -> int:
        """Return the number of draws."""
        return self.draws

    def base(self) -> FeatureProtocol | ModelProtocol:
        """Return the protocol to train."""
        plugin = families().protocols.create(Address.parse(self.protocol)).plugin
        if isinstance(plugin, (FeatureProtocol, ModelProtocol)):
            return plugin
        raise UsageError(
            f"few_shot(protocol={self.protocol!r}) has no examples to learn from. "
            "Write another protocol, as in 'knn'."
        )

    def rows(self, labels: Labels, seed: int) -> np.ndarray:
        """Return the positions of the drawn examples of train or val, in order."""
        order = np.random.default_rng(seed).permutation(labels.examples)
        if self.examples is not None and labels.lengths is not None:
            return np.sort(order[: self.examples])
        if self.examples is not None:
            return proportional_examples(labels, self.examples, seed)
        if labels.kind is LabelKind.REGRESSION:
            raise NotApplicable("numbers have no classes: write few_shot(examples=100)")
        k = 5 if self.k is None else self.k
        several = labels.values.ndim > 1 or labels.lengths is not None
        return np.sort(_until_each_has(labels, order, k) if several else _of_each(labels.values, order, k))


def _of_each(values: np.ndarray, order: np.ndarray, k: int) -> np.ndarray:
    """Return the first k positions of each class."""
    by_class = order[np.argsort(values[order], kind="stable")]
    begins = np.searchsorted(values[by_class], values[by_class])
    return np.asarray(by_class[np.arange(len(order)) - begins < k])


def _until_each_has(labels: Labels, order: np.ndarray, k: int) -> np.ndarray:
    """Return, in this order, each example with a class that has fewer than k examples so far."""
    counts = np.zeros(len(labels.classes), dtype=np.int64)
    kept = []
    for example in order:
        own = labels.of([example])
        present = own.targets().any(axis=0)
        if (counts[present] < k).any():
            counts[present] += 1
            kept.append(example)
    return np.array(kept, dtype=np.int64)
