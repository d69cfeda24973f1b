"""What names of models and tasks reveal: which models are similar, and which were made for a task."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
from scipy import sparse

_TOKENS = re.compile(r"[^\W_]+")
_COMMON = frozenset(
    {"classification", "data", "dataset", "detection", "full", "image", "images", "label", "set", "task"}
)
_LEAST_LETTERS = 3  # of a word of a task: names of models hold shorter ones by chance
_LONG = 6  # letters of a word in which one may be wrong
_LEAST_SHARE = 0.5  # of the letters of a task's name
_VARIANT = re.compile(r"[@|:].*$")  # CIFAR-100@1000 and CIFAR-100@full are one data set


def data_set_of(task: str) -> str:
    """Return the name of a task up to ``@``, ``|`` or ``:``: what follows says which variant it is.

    >>> data_set_of("cifar100|k=10")
    'cifar100'
    """
    return _VARIANT.sub("", task) or task


@cache
def _parts(name: str) -> tuple[str, ...]:
    return tuple(tokens(name))


def _is_slip(word: str, part: str) -> bool:
    """Whether a part of a name is a long word with a typo: one letter inserted, deleted or replaced.

    >>> _is_slip("eurosat", "eurostat"), _is_slip("cifar10", "cifar100")
    (True, False)
    """
    if abs(len(word) - len(part)) > 1 or not (word.isalpha() and part.isalpha() and len(word) >= _LONG):
        return False
    same = next(
        (place for place, pair in enumerate(zip(word, part, strict=False)) if len(set(pair)) > 1), None
    )
    if same is None:
        return True
    return word[same + (len(word) >= len(part)) :] == part[same + (len(part) >= len(word)) :]


def tokens(name: str) -> list[str]:
    """Return the parts of a name in lower case.

    >>> tokens("google/vit-base-patch16-224")
    ['google', 'vit', 'base', 'patch16', '224']
    """
    return [token.lower() for token in _TOKENS.findall(name)]


def alikeness(names: Sequence[str]) -> np.ndarray:
    """Return the cosine similarity of the tokens of names, weighted by their rarity: names x names.

    >>> alikeness(["vit-base", "vit-large", "resnet"]).round(2).tolist()
    [[1.0, 0.37, 0.0], [0.37, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    return _alikeness(tuple(names))


@lru_cache(maxsize=1)  # searches of past tasks are replayed on the same models
def _alikeness(names: tuple[str, ...]) -> np.ndarray:
    of_names = [Counter(tokens(name)) for name in names]
    vocabulary = {word: column for column, word in enumerate(sorted(set().union(*of_names)))}
    counts = sparse.lil_array((len(names), len(vocabulary)))
    for row, of_name in enumerate(of_names):
        for word, count in of_name.items():
            counts[row, vocabulary[word]] = 1 + np.log(count)
    weighted = counts.tocsr()
    held = np.bincount(weighted.indices, minlength=len(vocabulary))
    weighted.data *= (np.log((1 + len(names)) / (1 + held)) + 1)[weighted.indices]
    lengths = np.maximum(np.sqrt(weighted.multiply(weighted).sum(axis=1)), 1e-12)  # a name without words
    weighted.data /= np.repeat(lengths, np.diff(weighted.indptr))
    alike = np.asarray((weighted @ weighted.T).toarray())
    alike.flags.writeable = False
    return alike


def shared_words(task: str, model: str) -> tuple[str, ...]:
    """Return the words of a task's name that occur in a model's name, typos allowed.

    >>> shared_words("eurosat", "convnext-eurostat")
    ('eurosat',)
    """
    parts = _parts(model)
    letters = "".join(parts)
    return tuple(
        word for word in _words(task) if word in letters or any(_is_slip(word, part) for part in parts)
    )


@cache
def _words(task: str) -> tuple[str, ...]:
    """Return the words of a task's name that tell it from others."""
    return tuple(
        word for word in tokens(data_set_of(task)) if word not in _COMMON and len(word) >= _LEAST_LETTERS
    )


def matches(task: str, models: Sequence[str]) -> np.ndarray:
    """Return how far each model's name contains that of a task, as if made for it: 0 to 1.

    >>> matches("eurosat", ["swin-finetuned-eurosat", "convnext-eurostat", "vit-base"]).tolist()
    [1.0, 1.0, 0.0]
    """
    return _matches(task, tuple(models))


@lru_cache(maxsize=256)
def _matches(task: str, models: tuple[str, ...]) -> np.ndarray:
    total = sum(map(len, _words(task)))
    shares = np.zeros(len(models))
    for row, model in enumerate(models if total else ()):
        shares[row] = sum(map(len, shared_words(task, model))) / total
    shares[shares < _LEAST_SHARE] = 0.0
    shares.flags.writeable = False
    return shares
