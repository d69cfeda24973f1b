"""The modules next to the user's plug-in files, which import them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from types import ModuleType

from assay.core.metric import PLUGIN_PREFIX

_NEVER = ("assay", "__main__")
_CONTENT = "_assay_content"  # what a file held when it was imported


def modules_beside(folders: Collection[Path]) -> Iterator[ModuleType]:
    """Yield the imported modules, and modules of packages, that are found in these folders."""
    there = {path.name.partition(".")[0] for folder in folders for path in _files_in(folder)}
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        was_there = _CONTENT in getattr(module, "__dict__", ())
        if top in _NEVER or name.startswith(PLUGIN_PREFIX) or not (top in there or was_there):
            continue  # most of thousands of modules: to resolve their paths would take seconds
        file = _file_of(sys.modules.get(top))
        if file is None:
            continue
        if (file.parent.parent if file.name == "__init__.py" else file.parent) in folders:
            yield module


def note_beside(folder: Path, before: Collection[str]) -> None:
    """Note what the files of modules beside a plug-in hold, for those that were not imported before."""
    for module in modules_beside({folder}):
        file = _file_of(module)
        if module.__name__ not in before and file is not None:
            vars(module)[_CONTENT] = file.read_bytes()


def forget_edited_beside(folder: Path) -> bool:
    """Let noted modules be imported again if the file of any has changed; return whether one has."""
    noted = [module for module in modules_beside({folder}) if _CONTENT in vars(module)]
    if not any(_is_edited(module) for module in noted):
        return False
    for module in noted:
        sys.modules.pop(module.__name__, None)
        with suppress(OSError, NotImplementedError):  # it counts as current for a second after an edit
            Path(cache_from_source(str(_file_of(module)))).unlink()
    importlib.invalidate_caches()
    return True


def _files_in(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # it was removed
        return []


def _is_edited(module: ModuleType) -> bool:
    file = _file_of(module)
    try:
        return file is not None and file.read_bytes() != vars(module)[_CONTENT]
    except OSError:  # it was removed, or moved
        return True


def _file_of(module: ModuleType | None) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file).resolve() if isinstance(file, str) else None
