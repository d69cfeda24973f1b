"""The folders of GLUE as they are distributed, and where they may lie instead."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assay.core.errors import UnreadableTask


def require_files(folder: Path, paths: Sequence[str], why: str) -> None:
    """Stop where a file is missing, and say where it seems to be.

    Args:
        folder: That of all tasks.
        paths: The files in it, such as RTE/train.tsv.
        why: Who needs them, in words.

    Raises:
        UnreadableTask: One is missing.
    """
    if not folder.is_dir():
        raise UnreadableTask(f"There is no folder '{folder}'. Name that which holds RTE, MNLI and so on.")
    missing = [path for path in paths if not (folder / path).is_file()]
    if missing:
        lacks = f"'{folder}' has no {' and no '.join(missing)}"
        raise UnreadableTask(f"{lacks}: {why}. {_remedy(folder, missing)}")


def _remedy(folder: Path, missing: Sequence[str]) -> str:
    """Return what to do: by far the most often the folder is another, or has another name."""
    top = Path(missing[0]).parts[0]
    for other in (folder.parent, *sorted(path for path in folder.iterdir() if path.is_dir())):
        if all((other / path).is_file() for path in missing):
            return f"It is in '{other}': write folder='{other}'."
    alike = [path.name for path in folder.iterdir() if path.is_dir() and _plain(path.name) == _plain(top)]
    if alike and alike[0] != top:
        return f"Rename '{folder / alike[0]}' to '{top}'."
    if (folder / f"{top}.zip").is_file():
        return f"Unpack '{folder / f'{top}.zip'}' there."
    page = "diagnostics" if top == "diagnostic" else "tasks"
    return f"Unpack there what gluebenchmark.com/{page} distributes."


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()
