"""Keys of stored results and features: hashes of everything that determines the numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import NamedTuple

RECORD_VERSION = 1  # increase it when the meaning of a result changes
FLOAT32 = "float32"  # the dtype of encoding that no key names


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


class ModelParts(NamedTuple):
    """The parts of a model that determine its results.

    Attributes:
        source: The name of the model's source.
        identity: The identity string of the model's source.
        encoding: The encoding version of the model's source.
    """

    source: str
    identity: str
    encoding: int = 1


def job_key(
    *,
    model: ModelParts,
    task: str,
    metric: str,
    method: MethodParts,
    seed: int,
    train_rows: int | None = None,
) -> str:
    """Return the key of a job: one model x task x method x seed.

    Args:
        model: The model.
        task: The fingerprint of the task.
        metric: The name of the task's main metric.
        method: The score or protocol.
        seed: The seed of the method.
        train_rows: The number of examples of train that the method sees; None for all.
    """
    return content_key(
        record=RECORD_VERSION,
        encoding=model.encoding,
        source=model.source,
        identity=model.identity,
        task=task,
        metric=metric,
        method=method.name,
        method_settings=method.settings,
        method_version=method.version,
        seed=seed,
        **({"content": method.content} if method.content else {}),
        **_named_rows(train_rows),
    )


class OpenedParts(NamedTuple):
    """The parts of an opened model that determine its features.

    Attributes:
        identity: The identity string of the model's source.
        weights: The fingerprint of the opened weights.
        preprocessing: A description of how an example becomes model input.
        encoding: The encoding version of the model's source.
        dtype: The dtype of encoding.
    """

    identity: str
    weights: str
    preprocessing: str
    encoding: int = 1
    dtype: str = FLOAT32


def features_key(model: OpenedParts, task: str) -> str:
    """Return the key of the stored features of a model on a task, given by its fingerprint."""
    return content_key(
        encoding=model.encoding,
        identity=model.identity,
        weights=model.weights,
        preprocessing=model.preprocessing,
        task=task,
        **({} if model.dtype == FLOAT32 else {"dtype": model.dtype}),
    )


class SampleParts(NamedTuple):
    """A sample of train.

    Attributes:
        task: The fingerprint of the task.
        size: The maximum number of examples.
        seed: The seed of the sample.
        train_rows: The number of examples of train that it is drawn from; None for all.
    """

    task: str
    size: int
    seed: int
    train_rows: int | None = None


def random_features_key(
    identity: str, sample: SampleParts, tuned: Mapping[str, float], encoding: int = 1
) -> str:
    """Return the key of the stored features of a randomly initialised copy of a model.

    Args:
        identity: The identity string of the copy's source.
        sample: The encoded sample of train.
        tuned: Model choices made on val, such as the layer.
        encoding: The encoding version of the copy's source.
    """
    key = content_key(
        encoding=encoding,
        identity=identity,
        task=sample.task,
        sample=(sample.size, sample.seed),
        **tuned,
        **_named_rows(sample.train_rows),
    )
    return f"{key}-random"


def _named_rows(train_rows: int | None) -> dict[str, int]:
    return {} if train_rows is None else {"train_rows": train_rows}


def content_key(**parts: object) -> str:
    """Return a hash of named parts, independent of their order.

    >>> content_key(a=1, b="x") == content_key(b="x", a=1)
    True
    """
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
