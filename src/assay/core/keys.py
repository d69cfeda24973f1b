"""The keys under which results and features are kept: each a hash of everything that decides the numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import NamedTuple

RECORD_VERSION = 1  # raise it when what a result means changes
ENCODING_VERSION = 1  # raise it when any model's features change


class MethodParts(NamedTuple):
    """What of a score or protocol decides its numbers.

    Attributes:
        settings: Every setting, defaults included.
        content: A hash of what it reads beyond its settings, such as a file; empty if there is nothing.
    """

    name: str
    settings: Mapping[str, object]
    version: int
    content: str


def job_key(*, source: str, identity: str, task: str, metric: str, method: MethodParts, seed: int) -> str:
    """Return the key of a job: one model x task x method x seed.

    Args:
        source: The name of the model's source.
        identity: What the model's source returns as its identity.
        task: The fingerprint of the task.
        metric: The name of the task's main metric.
        method: The score or protocol.
        seed: Of the method.
    """
    return content_key(
        record=RECORD_VERSION,
        encoding=ENCODING_VERSION,
        source=source,
        identity=identity,
        task=task,
        metric=metric,
        method=method.name,
        method_settings=method.settings,
        method_version=method.version,
        seed=seed,
        **({"content": method.content} if method.content else {}),
    )


def features_key(identity: str, weights: str, preprocessing: str, task: str) -> str:
    """Return the key under which the features of a model on a task are kept.

    Args:
        identity: Of the model's source.
        weights: The fingerprint of the opened weights.
        preprocessing: How an example becomes input, in words.
        task: The fingerprint of the task.
    """
    return content_key(
        encoding=ENCODING_VERSION, identity=identity, weights=weights, preprocessing=preprocessing, task=task
    )


def random_features_key(identity: str, task: str, sample: tuple[int, int], tuned: Mapping[str, float]) -> str:
    """Return the key under which the features of a randomly initialised copy of a model are kept.

    Args:
        identity: Of the source of that copy.
        task: The fingerprint of the task.
        sample: The size and the seed of the sample of train that it encodes.
        tuned: What of the model was chosen on val, such as the layer that is read.
    """
    key = content_key(encoding=ENCODING_VERSION, identity=identity, task=task, sample=sample, **tuned)
    return f"{key}-random"


def content_key(**parts: object) -> str:
    """Return a hash of named parts; the order of names does not matter, everything else does.

    >>> content_key(a=1, b="x") == content_key(b="x", a=1)
    True
    """
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
