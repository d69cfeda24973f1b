"""Loads models; a model's own code runs only if the user allows it and names its commit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assay.core.errors import ModelError, UsageError
from assay.encoders.repository import Repository

_COMMIT = re.compile(r"[0-9a-f]{40}")
_FILES = ("config.json", "tokenizer_config.json", "preprocessor_config.json", "processor_config.json")


def check_trust(repository: Repository) -> None:
    """Raise ``UsageError`` unless the code is in a folder or at a fixed commit of a repository."""
    path, revision = repository.location
    if repository.is_local or _COMMIT.fullmatch(revision or ""):
        return
    fault = f"'{revision}' may name other code tomorrow" if revision else "it may be other code tomorrow"
    raise UsageError(
        f"trust_remote_code=True runs the code of '{path}', and {fault}. Name the commit that you have read, "
        f"as '{repository.source}:{path}@<40 hex digits>(trust_remote_code=True)'; they are listed at "
        f"https://huggingface.co/{path}/commits."
    )


def loaded(repository: Repository, family: Any, *, trusts: bool, **wanted: Any) -> Any:
    """Load an object from a model's files with a class of transformers.

    Raises:
        ModelError: The files are missing, unreachable or broken, or use code of another repository.
        UsageError: They contain code that is not trusted.
    """
    with repository.opening():
        path, revision = repository.pinned
        if trusts:
            _refuse_other_code(path, revision)
        try:
            return family.from_pretrained(path, revision=revision, trust_remote_code=trusts, **wanted)
        except ValueError as error:
            if "trust_remote_code=True" not in str(error):
                raise
            raise _needs_trust(repository) from error


def _refuse_other_code(path: str, revision: str | None) -> None:
    """Raise ``ModelError`` if a model uses code of another repository, which has no fixed commit."""
    for reference in _references(path, revision):
        other, dashes, _ = reference.partition("--")
        if dashes and other != path:
            raise ModelError(
                f"'{path}' runs code of another repository, '{other}', at no certain commit: it is refused. "
                "Save the model with its code in a folder, and name the folder."
            )


def _needs_trust(repository: Repository) -> UsageError:
    """Return the error for a model whose own code the user did not allow to run."""
    path, revision = repository.location
    named = path if repository.is_local else f"{path}@{revision or '<40 hex digits of the commit>'}"
    where = "the folder" if repository.is_local else f"https://huggingface.co/{path}"
    source = repository.source
    return UsageError(
        f"'{source}:{path}' brings Python code of its own, which is not run. Read it in {where}; if you "
        f"trust it, write '{source}:{named}(trust_remote_code=True)'."
    )


def _references(path: str, revision: str | None) -> Iterator[str]:
    """Yield the names of the classes of a model's own code."""
    from transformers.utils import cached_file

    for name in _FILES:
        file = cached_file(
            path,
            name,
            revision=revision,
            _raise_exceptions_for_gated_repo=False,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )
        stated = json.loads(Path(file).read_text("utf-8")) if file else {}
        for classes in stated.get("auto_map", {}).values():
            yield from filter(None, [classes] if isinstance(classes, str) else classes)
