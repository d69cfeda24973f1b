"""Exception classes. Every message says what is wrong, where, and how to fix it.

AssayError
├── UsageError            invalid user input: raised before any work starts
│   ├── UnknownName       no plug-in, model, column or setting has this name
│   ├── MissingPackage    a package that a plug-in needs is not installed
│   └── UnreadableTask    the data of a task cannot be used
├── ModelError            one model failed: recorded as a row; the study continues
│   ├── CheckpointError   the weights do not fit the architecture, or are not safe to load
│   └── Unavailable       a resource of the model is not available now: the same command tries again
├── NotApplicable         a method does not apply to a model or task: recorded as a row with the reason
└── StoreError            results cannot be written or read
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AssayError(Exception):
    """Base class of all errors that Assay raises on purpose."""


class UsageError(AssayError):
    """The user's input is invalid."""


class UnknownName(UsageError):
    """The name does not exist; the message suggests the most similar known names."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        starting = [known_name for known_name in names if name and known_name.startswith(name)]
        similar = starting[:3] or difflib.get_close_matches(name, names, n=3, cutoff=0.6)
        if similar:
            hint = f"Did you mean: {', '.join(similar)}?"
        elif names:
            more = f" and {len(names) - 12} more" if len(names) > 12 else ""
            hint = f"Known: {', '.join(names[:12])}{more}."
        else:
            hint = "There are none."
        self.args = (f"No {what} called '{name}'. {hint}",)


class MissingPackage(UsageError):
    """A package that a plug-in needs is not installed."""

    def __init__(self, plugin: str, package: str, *, is_extra: bool = True) -> None:
        what = f"'model-assay[{plugin}]'" if is_extra else package
        self.args = (f"'{plugin}' needs the package '{package}'. Install it with: pip install {what}",)


class UnreadableTask(UsageError):
    """The data of a task cannot be used."""


class ModelError(AssayError):
    """One model failed."""


class CheckpointError(ModelError):
    """The weights do not fit the architecture, or are not safe to load."""


class Unavailable(ModelError):
    """A resource that the model needs is not available, such as weights without a network."""


class NotApplicable(AssayError):
    """A method does not apply to this model or task; the message says why."""


class StoreError(AssayError):
    """Results cannot be written or read."""
