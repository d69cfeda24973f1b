"""Keys of stored results and features: hashes of everything that determines the numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import NamedTuple

RECORD_VERSION = 1  # increase it when the meaning of a result changes
ENCODING_VERSION = 1  # increase it when any model's features change


class MethodParts(NamedTuple):
    """The parts of a score or protocol that determine its results.

    Attributes:
        settings: All settings, including defaults.
        content: A hash of other inputs, such as the content of a file; empty if there are none.
    """

    name: str
    settings: Mapping[str, object]
    version: int
    content: str


def job_key(*, source: str, identity: str, task: str, metric: str, method: MethodParts, seed: int) -> str:
    """Return the key of a job: one model x task x method x seed.

    Args:
        source: The name of the model's source.
        identity: The identity string of the model's source.
        task: The fingerprint of the task.
        metric: The name of the task's main metric.
        method: The score or protocol.
        seed: The seed of the method.
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
    """Return the key of the stored features of a model on a task.

    Args:
        identity: The identity string of the model's source.
        weights: The fingerprint of the opened weights.
        preprocessing: A description of how an example becomes model input.
        task: The fingerprint of the task.
    """
    return content_key(
        encoding=ENCODING_VERSION, identity=identity, weights=weights, preprocessing=preprocessing, task=task
    )


def random_features_key(identity: str, task: str, sample: tuple[int, int], tuned: Mapping[str, float]) -> str:
    """Return the key of the stored features of a randomly initialised copy of a model.

    Args:
        identity: The identity string of the copy's source.
        task: The fingerprint of the task.
        sample: The size and the seed of the encoded sample of train.
        tuned: Model choices made on val, such as the layer.
    """
    key = content_key(encoding=ENCODING_VERSION, identity=identity, task=task, sample=sample, **tuned)
    return f"{key}-random"


def content_key(**parts: object) -> str:
    """Return a hash of named parts, independent of their order.

    >>> content_key(a=1, b="x") == content_key(b="x", a=1)
    True
    """
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
