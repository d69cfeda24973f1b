"""The errors of Assay; each says what, which, and what to write instead.

AssayError
├── UsageError            what the user wrote cannot work: stops before any work
│   ├── UnknownName       a name that no plug-in, model, column or setting has
│   ├── MissingPackage    a plug-in needs a package that is not installed
│   └── UnreadableTask    the data of a task cannot be used
├── ModelError            one model failed: it becomes a row and does not stop the study
│   └── CheckpointError   weights that do not fit their architecture, or are not safe to load
├── NotApplicable         a method that does not apply to a model or a task: a row with its reason
└── StoreError            results cannot be written or read
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AssayError(Exception):
    """Any error that Assay raises on purpose."""


class UsageError(AssayError):
    """What the user wrote cannot work."""


class UnknownName(UsageError):
    """A name that does not exist, with the most similar names that do."""

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
    """A plug-in needs a package that is not installed."""

    def __init__(self, plugin: str, package: str, *, is_extra: bool = True) -> None:
        what = f"'model-assay[{plugin}]'" if is_extra else package
        self.args = (f"'{plugin}' needs the package '{package}'. Install it with: pip install {what}",)


class UnreadableTask(UsageError):
    """The data of a task cannot be used."""


class ModelError(AssayError):
    """One model failed."""


class CheckpointError(ModelError):
    """Weights that do not fit their architecture, or are not safe to load."""


class NotApplicable(AssayError):
    """A method does not apply to this model or task; the text says why."""


class StoreError(AssayError):
    """Results cannot be written or read."""
