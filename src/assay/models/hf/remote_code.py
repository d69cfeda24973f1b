"""Code that comes with a model: it runs only where the user says so, and names the commit that it is of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from assay.core.errors import ModelError, UsageError

_COMMIT = re.compile(r"[0-9a-f]{40}")
_FILES = ("config.json", "tokenizer_config.json", "preprocessor_config.json", "processor_config.json")


def check_trust(source: str, path: str, revision: str | None, *, is_local: bool) -> None:
    """Raise ``UsageError`` unless code could only be that of a folder, or of one commit of a repository.

    Args:
        source: As it is written before the colon.
        path: A folder or a repository.
        revision: What the user wrote behind it.
        is_local: Whether it is a folder.
    """
    if is_local or _COMMIT.fullmatch(revision or ""):
        return
    told = f"'{revision}' may name other code tomorrow" if revision else "it may be other code tomorrow"
    raise UsageError(
        f"trust_remote_code=True runs the code of '{path}', and {told}. Name the commit that you have read, "
        f"as '{source}:{path}@<40 hex digits>(trust_remote_code=True)'; they are listed at "
        f"https://huggingface.co/{path}/commits."
    )


def refuse_other_code(path: str, revision: str | None) -> None:
    """Raise ``ModelError`` where a model names code of another repository: nobody named a commit of that."""
    for reference in _references(path, revision):
        other, dashes, _ = reference.partition("--")
        if dashes and other != path:
            raise ModelError(
                f"'{path}' runs code of another repository, '{other}', at no certain commit: it is refused. "
                "Save the model with its code in a folder, and name the folder."
            )


def needs_trust(source: str, path: str, revision: str | None, *, is_local: bool) -> ModelError:
    """Return the error for a model with code of its own that the user did not allow to run."""
    named = path if is_local else f"{path}@{revision or '<40 hex digits of the commit>'}"
    where = "the folder" if is_local else f"https://huggingface.co/{path}"
    return ModelError(
        f"'{source}:{path}' brings Python code of its own, which is not run. Read it in {where}; if you "
        f"trust it, write '{source}:{named}(trust_remote_code=True)'."
    )


def _references(path: str, revision: str | None) -> Iterator[str]:
    """Yield what the files of a model name as classes of its own code."""
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
        told = json.loads(Path(file).read_text("utf-8")) if file else {}
        for classes in told.get("auto_map", {}).values():
            yield from [one for one in ([classes] if isinstance(classes, str) else classes) if one]
