"""The unit of work and of record, and its key."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

RECORD_VERSION = 1  # part of every key: raise it when what a result means changes
ENCODING_VERSION = 1  # part of every key and of kept features: raise it when any model's features change


@dataclass(frozen=True, slots=True)
class Job:
    """One model x task x method x seed.

    Attributes:
        key: A hash of everything that decides the number.
        fingerprint: That of the task: the same address may hold other data later.
    """

    model: str
    task: str
    method: str
    seed: int
    key: str
    fingerprint: str


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


def content_key(**parts: object) -> str:
    """Return a hash of named parts; the order of names does not matter, everything else does.

    >>> content_key(a=1, b="x") == content_key(b="x", a=1)
    True
    """
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
