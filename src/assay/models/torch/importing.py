"""Imports the user's module from the current folder, and again after an edit."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path
from types import ModuleType

from assay.plugins.user_code import hash_of_files

_IMPORTED: dict[str, str] = {}  # the hash of the source of each module when it was imported


def imported(path: str, file: Path | None, beside: tuple[Path, ...]) -> ModuleType:
    """Import a module; again if its file, or one that it imports, has changed, as in a notebook session."""
    if file is None:
        return importlib.import_module(path)
    now = hash_of_files((file, *beside))
    if _IMPORTED.get(path, now) != now:
        edited = {str(each) for each in (file.resolve(), *beside)}
        for name, module in list(sys.modules.items()):
            origin = getattr(module, "__file__", None)
            if isinstance(origin, str) and str(Path(origin).resolve()) in edited:
                del sys.modules[name]
                Path(cache_from_source(origin)).unlink(missing_ok=True)  # current for a second after an edit
    _IMPORTED[path] = now
    return importlib.import_module(path)


@contextmanager
def current_folder() -> Iterator[None]:
    """Let modules of the current folder be imported inside, as ``python`` itself does."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
