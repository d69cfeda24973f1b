"""Wraps a plain function as a score."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from assay.core.errors import UsageError
from assay.core.estimate import Estimate
from assay.core.metric import Metric
from assay.core.task import LabelKind
from assay.plugins.method import Score
from assay.plugins.train_view import TrainView

_READS: Mapping[str, Callable[[TrainView], object]] = {
    "features": lambda train: train.sample().matrix,
    "labels": lambda train: train.sample().labels.values,
    "moments": lambda train: train.moments(),
    "source_probs": lambda train: train.source_probs().probs,
    "source_labels": lambda train: train.source_probs().labels.values,
    "facts": lambda train: train.facts(),
    "weights": lambda train: train.weights(),
}


class FunctionScore(Score):
    """A score that calls a function; the function's parameter names determine its inputs."""

    function: ClassVar[Callable[..., float]]
    reads: ClassVar[tuple[str, ...]]

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the value of the function."""
        settings = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        value = type(self).function(**{name: _READS[name](train) for name in self.reads}, **settings)
        if value is None or isinstance(value, (bool, str)) or np.ndim(value) != 0:
            raise TypeError(f"it returned {value!r:.60}, which is not a number")
        return value if isinstance(value, Estimate) else Estimate(float(value))

    def content(self) -> str:
        """Return a hash of the file that defines the function, so that an edit invalidates stored results."""
        path = inspect.getsourcefile(type(self).function)
        known = path is not None and Path(path).is_file()
        return hashlib.blake2b(Path(str(path)).read_bytes(), digest_size=16).hexdigest() if known else ""


def score_of_function(function: Callable[..., float]) -> type[Score]:
    """Return a score class that calls a function.

    Args:
        function: A function that returns a number or raises ``NotApplicable``. Parameters without a default
            are inputs: ``features`` and ``labels`` (a bounded, class-balanced sample), ``moments``,
            ``source_probs`` with ``source_labels``, ``facts`` or ``weights``. Parameters with a default are
            settings. Without an attribute ``kinds``, the score applies to classification only.

    Raises:
        UsageError: A parameter is neither an input nor a setting.
    """
    reads, settings = [], []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.default is not inspect.Parameter.empty:
            settings.append(_setting(function, parameter))
        elif parameter.name in _READS:
            reads.append(parameter.name)
        else:
            raise UsageError(
                f"The score '{function.__name__}' has a parameter '{parameter.name}' that says nothing. "
                f"Write one of {', '.join(_READS)}, or give it a default: then it is a setting."
            )
    kinds = tuple(getattr(function, "kinds", (LabelKind.CLASSIFICATION,)))
    if not set(kinds) <= set(LabelKind):
        raise UsageError(f"{function.__name__}.kinds is {kinds}. Write some of {tuple(map(str, LabelKind))}.")
    namespace: dict[str, Any] = {
        "function": staticmethod(function),
        "reads": tuple(reads),
        "kinds": frozenset(map(LabelKind, kinds)),
        "__doc__": function.__doc__,
        "__module__": function.__module__,
    }
    return dataclasses.make_dataclass(
        function.__name__, settings, bases=(FunctionScore,), namespace=namespace, frozen=True
    )


def _setting(function: Callable[..., float], parameter: inspect.Parameter) -> tuple[str, Any, Any]:
    """Return a parameter as a dataclass field; its type is the annotation, or the type of the default."""
    default = parameter.default
    if isinstance(default, (list, dict, set)):
        raise UsageError(
            f"The default of '{parameter.name}' of '{function.__name__}' is {default!r}. Write a tuple."
        )
    hint = parameter.annotation
    if isinstance(hint, str):
        hint = {kind.__name__: kind for kind in (int, float, str, bool)}.get(hint, type(default))
    known = hint is not inspect.Parameter.empty
    return parameter.name, hint if known else type(default), dataclasses.field(default=default)
