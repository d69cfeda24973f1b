"""Splits examples into train, val and test by content hash and seed, independent of their order."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from assay.core.errors import UnreadableTask, UsageError
from assay.core.task import LabelKind, Labels

_RANGES = 10  # regression targets are stratified by deciles
_RANGE_EXAMPLES = 5  # minimum examples in a range for a 60:20:20 split


class Part(IntEnum):
    """The split of an example, as an integer for arrays."""

    TRAIN = 0
    VAL = 1
    TEST = 2


PART_NAMES = {
    "train": Part.TRAIN,
    "training": Part.TRAIN,
    "val": Part.VAL,
    "valid": Part.VAL,
    "validation": Part.VAL,
    "dev": Part.VAL,
    "test": Part.TEST,
    "testing": Part.TEST,
}


def part_of(name: str) -> Part | None:
    """Return the split that a folder, file or cell is named after, ignoring case, or None.

    >>> part_of("Validation")
    <Part.VAL: 1>
    """
    return PART_NAMES.get(name.strip().lower())


@dataclass(frozen=True, slots=True)
class Shares:
    """The fractions of val and test (the rest is train), used only without an official split."""

    val: float = 0.2
    test: float = 0.2

    def __post_init__(self) -> None:
        if not (self.val > 0 and self.test > 0 and self.val + self.test < 1):
            raise UsageError(
                f"The shares val={self.val} and test={self.test} leave a split empty. "
                "Write shares above 0 whose sum is below 1, as in val=0.2, test=0.2."
            )

    def counts(self, per_class: int) -> dict[Part, int]:
        """Return the number of examples of a class in each split, for sources that generate examples."""
        if per_class < 5:
            raise UsageError(f"per_class={per_class} leaves a split empty. Write 5 or more.")
        val, test = (max(1, round(per_class * share)) for share in (self.val, self.test))
        return {Part.TRAIN: per_class - val - test, Part.VAL: val, Part.TEST: test}


class Division(NamedTuple):
    """The split of each example, with notes about how it was made."""

    parts: np.ndarray  # examples, int8: values of Part
    notes: tuple[str, ...]
    source: str  # where the splits come from


def divide(
    digests: np.ndarray, labels: Labels, official: np.ndarray | None, shares: Shares, seed: int
) -> Division:
    """Keep official splits and create the missing splits, stratified by label.

    Args:
        digests: A uint64 content hash of each example; equal examples always get the same split.
        labels: The labels; numbers are stratified by ranges.
        official: The official split of each example (values of Part), or None.
        shares: The fractions to use without official splits.
        seed: The seed, which determines the splits together with the contents.
    """
    present = set() if official is None else {Part(int(part)) for part in np.unique(official)}
    if official is None or len(present) == 1:
        parts = _cut(digests, labels, shares.val, shares.test, seed)
        return Division(parts, _tiny(labels), content_split(seed))
    if Part.TRAIN not in present:
        raise UnreadableTask(
            "There are examples of val and test, and none of train. Name a split 'train', or give no splits."
        )
    if len(present) == 3:
        return Division(official.astype(np.int8), (), "official splits")

    parts = np.where(official == Part.TRAIN, Part.TRAIN, Part.TEST).astype(np.int8)
    train = np.flatnonzero(parts == Part.TRAIN)
    parts[train] = _cut(digests[train], labels.of(train), shares.val, 0.0, seed)
    share = f"val is {100 * shares.val:.0f} % of train, cut by class and seed"
    if Part.VAL in present:
        return Division(
            parts, (f"There is no test split: val serves as test, and {share}.",), "the official val split"
        )
    return Division(parts, (f"There is no val split: {share}.",), "official split")


def content_split(seed: int) -> str:
    """Return how examples without official splits are split, for the user."""
    return f"random split (seed {seed})"


def sample(
    digests: np.ndarray, labels: Labels, official: np.ndarray | None, limit: int, seed: int
) -> np.ndarray:
    """Return at most ``limit`` rows, ascending, stratified by class and official split."""
    if limit < 1:
        raise UsageError(f"The limit is {limit}; it must be 1 or more. Write for example limit=1000.")
    if limit >= len(digests):
        return np.arange(len(digests))
    groups = strata(labels)
    if official is not None:
        groups = groups * len(Part) + official
    _, groups, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    quotas = _quotas(sizes, limit)
    order, ranks = ranked(groups, mixed(digests, seed))
    return np.sort(order[ranks < quotas[groups[order]]])


def canonical_order(digests: np.ndarray, labels: Labels) -> np.ndarray:
    """Return the examples sorted by content, independent of the order of files or rows."""
    return np.lexsort((label_keys(labels), digests))


def fingerprint(digests: np.ndarray, labels: Labels, parts: np.ndarray) -> str:
    """Return a hash of all examples, labels and splits, independent of their order."""
    shape = () if labels.values.ndim == 1 else labels.values.shape[1:]
    kind = (str(labels.kind), labels.classes, *shape, *(() if labels.lengths is None else ("words",)))
    digest = hashlib.blake2b(repr(kind).encode(), digest_size=16)
    order = canonical_order(digests, labels)
    for part in Part:
        rows = order[parts[order] == part]
        digest.update(f"{part.name} {len(rows)} ".encode())
        digest.update(digests[rows].astype("<u8").tobytes())
        some = labels.of(rows)
        if some.lengths is not None:
            digest.update(some.lengths.astype("<i8").tobytes())
        digest.update(some.values.astype(some.values.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def _cut(digests: np.ndarray, labels: Labels, val: float, test: float, seed: int) -> np.ndarray:
    order = canonical_order(digests, labels)
    _, first, inverse = np.unique(digests[order], return_index=True, return_inverse=True)
    rows = order[first]  # one row per set of equal examples
    _, groups, sizes = np.unique(strata(labels.of(rows)), return_inverse=True, return_counts=True)
    tests = _portions(sizes, test, least=2)
    vals = np.minimum(_portions(sizes, val, least=3 if test else 2), np.maximum(sizes - tests - 1, 0))

    by_rank, ranks = ranked(groups, mixed(digests[rows], seed))
    cuts = np.full(len(rows), Part.TRAIN, dtype=np.int8)
    of = groups[by_rank]
    cuts[by_rank[ranks < (tests + vals)[of]]] = Part.VAL
    cuts[by_rank[ranks < tests[of]]] = Part.TEST
    parts = np.empty(len(digests), dtype=np.int8)
    parts[order] = cuts[inverse]
    return parts


def _portions(sizes: np.ndarray, share: float, least: int) -> np.ndarray:
    """Return the split's size for each class: at least one if the class has ``least`` examples."""
    if share == 0:
        return np.zeros_like(sizes)
    counts = np.maximum(np.rint(sizes * share).astype(np.int64), 1)
    return np.where(sizes >= least, np.minimum(counts, sizes - 1), 0)


def _quotas(sizes: np.ndarray, limit: int) -> np.ndarray:
    """Allocate a limit in proportion to sizes, by the largest remainder method."""
    exact = sizes * (limit / sizes.sum())
    quotas: np.ndarray = np.floor(exact).astype(np.int64)
    left = limit - int(quotas.sum())
    first = np.lexsort((-(exact - quotas), quotas > 0))  # strata that would be empty come first
    quotas[first[:left]] += 1
    return quotas


def ranked(groups: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows sorted by stratum and key, and the rank of each within its stratum."""
    order = np.lexsort((keys, groups))
    sizes = np.bincount(groups)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return order, np.arange(len(groups)) - starts[groups[order]]


def mixed(digests: np.ndarray, seed: int) -> np.ndarray:
    """Mix digests with the seed by the finaliser of splitmix64 (Steele, Lea and Flood, 2014)."""
    salt = hashlib.blake2b(str(seed).encode(), digest_size=8).digest()
    mixed: np.ndarray = digests ^ np.uint64(int.from_bytes(salt, "little"))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _tiny(labels: Labels) -> tuple[str, ...]:
    if labels.kind is LabelKind.REGRESSION:
        return ()
    counts = class_counts(labels)
    notes = []
    rare = (
        (1, "one example: it is in train, and test has none"),
        (2, "two examples: one is in train and one in test"),
    )
    is_single = labels.kind is LabelKind.CLASSIFICATION and labels.lengths is None
    for count, what in rare if is_single else rare[:1]:  # with several classes a rarer one may decide
        names = [labels.classes[position] for position in np.flatnonzero(counts == count)]
        if names:
            notes.append(
                f"{in_words(names, 'class', 'classes')} {'has' if len(names) == 1 else 'have'} {what}."
            )
    return tuple(notes)


def strata(labels: Labels) -> np.ndarray:
    """Return the stratum of each example for splitting.

    It is the class or, for numbers, the range of the first column. If an example has several classes, or
    a class for each word, it is the rarest of them, because common classes occur in every split anyway.

    References:
        On the Stratification of Multi-label Data (Sechidis et al., 2011),
        https://doi.org/10.1007/978-3-642-23808-6_10, which also begins with the rarest class.
    """
    if labels.kind is LabelKind.REGRESSION:
        return _ranges(labels.values if labels.values.ndim == 1 else labels.values[:, 0])
    if labels.kind is LabelKind.CLASSIFICATION and labels.lengths is None:
        return labels.values
    counts = class_counts(labels)
    order = np.argsort(counts, kind="stable")  # ties by name
    rarity = np.argsort(order)
    if labels.lengths is None:
        ranks = np.where(labels.values > 0, rarity, len(order)).min(axis=1)  # the last: no class applies
    else:
        ranks = np.full(labels.examples, len(order))
        np.minimum.at(ranks, _texts(labels), rarity[labels.values])
    return np.asarray(np.append(order, len(order))[ranks])


def class_counts(labels: Labels) -> np.ndarray:
    """Return the number of examples of each class; a text has the classes of its words."""
    if labels.kind is LabelKind.MULTILABEL:
        return np.asarray(labels.values.sum(axis=0))
    values = labels.values
    if labels.lengths is not None:
        pairs = _texts(labels) * len(labels.classes) + values
        values = np.unique(pairs) % len(labels.classes)
    return np.bincount(values, minlength=len(labels.classes))


def _texts(labels: Labels) -> np.ndarray:
    """Return the position of the text of each word."""
    return np.repeat(np.arange(labels.examples), labels.lengths if labels.lengths is not None else 1)


def label_keys(labels: Labels) -> np.ndarray:
    """Return a number per example that identifies its label or set of labels."""
    if labels.lengths is None and labels.values.ndim == 1:
        return labels.values
    ends = np.arange(1, len(labels) + 1) if labels.lengths is None else labels.lengths.cumsum()
    little = labels.values.astype(labels.values.dtype.newbyteorder("<"))
    keys = (hashlib.blake2b(rows.tobytes(), digest_size=8) for rows in np.split(little, ends[:-1]))
    return np.array([int.from_bytes(key.digest(), "little") for key in keys], dtype=np.uint64)


def _ranges(numbers: np.ndarray) -> np.ndarray:
    count = int(np.clip(len(numbers) // _RANGE_EXAMPLES, 1, _RANGES))
    edges = np.quantile(numbers, np.linspace(0, 1, count + 1)[1:-1])
    ranges: np.ndarray = np.searchsorted(edges, numbers, side="right")
    return ranges


def in_words(names: list[str], singular: str, plural: str, shown: int = 5) -> str:
    """Join names for a sentence, shortened to the first few.

    >>> in_words(["a", "b"], "class", "classes", shown=1)
    "2 classes ('a', ...)"
    """
    if len(names) == 1:
        return f"The {singular} '{names[0]}'"
    quoted = ", ".join(f"'{name}'" for name in names[:shown])
    return f"{len(names)} {plural} ({quoted}{', ...' if len(names) > shown else ''})"
