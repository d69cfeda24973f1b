"""Hashes the code of a user's model, its file and the local modules it imports, so that an edit counts.

Code of installed packages is known by their versions and is not hashed.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from assay.core.errors import ModelError
from assay.core.metric import PLUGIN_PREFIX
from assay.core.model import ModelSource


def identity_of_source(source: ModelSource) -> str:
    """Return the identity of a model; of a source in a user's file, with a hash of its code.

    Raises:
        ModelError: Its identity is no string.
    """
    identity: object = source.identity()
    if not isinstance(identity, str):
        raise ModelError(f"its identity is of the type {type(identity).__name__}, not a string")
    member = type(source)
    file = inspect.getsourcefile(member) if member.__module__.startswith(PLUGIN_PREFIX) else None
    if file is None:
        return identity
    path = Path(file)
    return f"{identity} code {hash_of_files((path, *imported_beside(path, path.parent)))}"


def hash_of_files(files: tuple[Path, ...]) -> str:
    """Return a hash of the contents of files."""
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        digest.update(hashlib.blake2b(file.read_bytes(), digest_size=16).digest())
    return digest.hexdigest()


def imported_beside(file: Path, root: Path) -> tuple[Path, ...]:
    """Return the files that a file of the user imports from its own folder, and what those import; sorted.

    Args:
        file: A file of Python code.
        root: The folder where Python finds its modules.
    """
    if _is_installed(file):
        return ()
    found, left = {file.resolve()}, [file.resolve()]
    while left:
        fresh = set(_imports(left.pop(), root.resolve())) - found
        found |= fresh
        left.extend(fresh)
    return tuple(sorted(found - {file.resolve()}))


def _is_installed(file: Path) -> bool:
    paths = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return any(file.resolve().is_relative_to(Path(path).resolve()) for path in paths)


def _imports(file: Path, root: Path) -> Iterator[Path]:
    for folder, name in _names(file.read_bytes(), file.parent, root):
        base = folder
        for part in name.split("."):
            module, package = base / f"{part}.py", base / part / "__init__.py"
            if package.is_file():
                yield package
            elif module.is_file():
                yield module
            base = base / part


@cache
def _names(code: bytes, folder: Path, root: Path) -> tuple[tuple[Path, str], ...]:
    """Return the modules that code imports, and what it imports from them, with where each is looked up."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):  # it cannot be imported either
        return ()
    names: list[tuple[Path, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.extend((root, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = root if not node.level else folder.joinpath(*[".."] * (node.level - 1)).resolve()
            module = f"{node.module}." if node.module else ""
            names.extend((start, module + alias.name) for alias in node.names)
    return tuple(names)
