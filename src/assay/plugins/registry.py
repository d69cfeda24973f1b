"""Finds plug-ins by folder (the family) and file name (the plug-in's name); there is no manual list."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from assay.core.errors import AssayError, MissingPackage, UnknownName, UsageError
from assay.core.metric import PLUGIN_PREFIX
from assay.plugins.address import Address
from assay.plugins.local_imports import forget_edited_beside, note_beside
from assay.plugins.settings import construct, without_defaults

Plugin = TypeVar("Plugin")


@dataclass(frozen=True, slots=True)
class Named(Generic[Plugin]):
    """A configured plug-in and the address that created it."""

    address: Address
    plugin: Plugin

    def __str__(self) -> str:
        return str(self.address)


class Registry(Generic[Plugin]):
    """The plug-ins of one family: files of its folder, entry points, and files of the user.

    Members are added with :meth:`add` and :meth:`add_file`; additions to a :meth:`copy` do not affect the
    original.

    Args:
        family: The folder below ``assay`` and the entry-point group ``assay.<family>``.
        base: The abstract class that each member derives from.
        what: The word for a member in messages, such as "model source".
        of_function: Creates a member from a function, in families that allow it.
    """

    def __init__(
        self,
        family: str,
        base: type[Plugin],
        what: str,
        of_function: Callable[[Callable[..., Any]], type[Plugin]] | None = None,
    ) -> None:
        self.family = family
        self.base = base
        self.what = what
        self.of_function = of_function
        self._known: dict[str, Callable[[], type[Plugin]]] | None = None
        self._files: dict[str, Path] = {}

    def copy(self) -> Registry[Plugin]:
        """Return an independent registry with the same members."""
        other = Registry(self.family, self.base, self.what, self.of_function)
        other._known, other._files = dict(self._loaders), dict(self._files)
        return other

    def names(self) -> tuple[str, ...]:
        """Return the names of all members, without importing them."""
        return tuple(sorted(self._loaders))

    def load(self, name: str) -> type[Plugin]:
        """Import one member; raise ``UnknownName`` or ``MissingPackage`` with a suggested fix."""
        if name not in self._loaders:
            raise UnknownName(self.what, name, self._loaders)
        try:
            member = self._loaders[name]()
        except ModuleNotFoundError as error:
            package = (error.name or name).partition(".")[0]
            raise MissingPackage(name, package, is_extra=False) from error
        for package in getattr(member, "packages", ()):
            if not _is_installed(package):
                raise MissingPackage(name, package)
        return member

    def create(self, address: Address) -> Named[Plugin]:
        """Create a plug-in from ``name(setting=value)``."""
        member = self.load(address.name)
        plugin = construct(member, address, dict(address.settings))
        return Named(without_defaults(plugin, address), plugin)

    def create_from_source(self, address: Address) -> Named[Plugin]:
        """Create a model source or task source from ``source:name(setting=value)``.

        The setting ``alias`` stays in the address, and is no setting of the plug-in.
        """
        member, bare = self.load(address.source), address.without_alias()
        plugin = construct(member, bare, {"name": bare.name, **dict(bare.settings)})
        return Named(without_defaults(plugin, bare).with_alias(address.alias), plugin)

    def add(self, name: str, member: type[Plugin]) -> None:
        """Add a user-defined member; raise ``UsageError`` if the name is taken."""
        if name in self._loaders:
            raise UsageError(f"There is a {self.what} called '{name}' already. Give yours another name.")
        self._loaders[name] = lambda: member

    def add_file(self, path: Path) -> bool:
        """Add the member defined by a user's file, named after the file; return whether there is one.

        The same file may be added again, changed or not; a different file with the same name is an error.
        """
        module = module_of(path)
        if not self.defines(module):
            return False
        known = self._files.get(path.stem)
        if known is not None and known != path.resolve():
            raise UsageError(f"Two files are called '{path.name}': {known} and {path}. Rename one.")
        if known is not None:
            del self._loaders[path.stem]
        self.add(path.stem, self.member_of(module))
        self._files[path.stem] = path.resolve()
        return True

    def defines(self, module: object) -> bool:
        """Return whether a module defines a member of this family."""
        own = bool(members(module, self.base))
        return own or (self.of_function is not None and bool(functions(module)))

    def member_of(self, module: object) -> type[Plugin]:
        """Return the only concrete class of a module, or the member created from its public function."""
        if self.of_function is None or members(module, self.base) or not functions(module):
            return only_member(module, self.base)
        candidates = {function.__name__: function for function in functions(module)}
        name = str(getattr(module, "__name__", "")).rpartition(".")[2].removeprefix(PLUGIN_PREFIX)
        if len(candidates) > 1 and name not in candidates:
            raise UsageError(
                f"'{name}' defines {' and '.join(candidates)}: which is the {self.what}? "
                f"Name that one '{name}', or begin the names of the others with _."
            )
        return self.of_function(candidates.get(name) or next(iter(candidates.values())))

    @property
    def _loaders(self) -> dict[str, Callable[[], type[Plugin]]]:
        if self._known is None:
            self._known = self._discovered()
        return self._known

    def _discovered(self) -> dict[str, Callable[[], type[Plugin]]]:
        package = importlib.import_module(f"assay.{self.family}")
        loaders: dict[str, Callable[[], type[Plugin]]] = {
            module.name: self._from_module(f"assay.{self.family}.{module.name}")
            for module in pkgutil.iter_modules(package.__path__)
        }
        for entry in metadata.entry_points(group=f"assay.{self.family}"):
            if entry.name in loaders:
                raise UsageError(
                    f"Two {self.what}s are called '{entry.name}': the built-in one and that of {entry.value}."
                )
            loaders[entry.name] = self._from_module(entry.value)
        return loaders

    def _from_module(self, path: str) -> Callable[[], type[Plugin]]:
        return lambda: self.member_of(importlib.import_module(path.partition(":")[0]))


def _is_installed(package: str) -> bool:
    """Return whether a package can be imported, without importing it."""
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # the package is in sys.modules, as None or without a spec
        return sys.modules.get(package) is not None


def only_member(module: object, base: type[Plugin]) -> type[Plugin]:
    """Return the only concrete class of a module that derives from a family's base class."""
    candidates = members(module, base)
    name = str(getattr(module, "__name__", module)).removeprefix(PLUGIN_PREFIX)
    if len(candidates) > 1:
        both = " and ".join(candidate.__name__ for candidate in candidates)
        raise UsageError(
            f"'{name}' defines {both}: which is the plug-in? Begin the names of the others with _."
        )
    if not candidates:
        raise AssayError(f"'{name}' must define exactly one {base.__name__}; it defines none.")
    return candidates[0]


def incomplete(module: object, base: type) -> str:
    """Return which methods a class of a module lacks to be a plug-in; empty if there is no such class."""
    for value in vars(module).values():
        is_own = inspect.isclass(value) and value.__module__ == getattr(module, "__name__", None)
        if is_own and issubclass(value, base) and inspect.isabstract(value):
            missing = " and ".join(f"'{name}'" for name in sorted(value.__abstractmethods__))
            return f"The class '{value.__name__}' is a {base.__name__} without {missing}"
    return ""


def members(module: object, base: type[Plugin]) -> list[type[Plugin]]:
    """Return the concrete classes of a module that derive from a family's base class."""
    return [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, base)
        and not inspect.isabstract(value)
        and not value.__name__.startswith("_")
        and value.__module__ == getattr(module, "__name__", None)
    ]


def functions(module: object) -> list[Callable[..., Any]]:
    """Return the public functions defined in a module, excluding imported ones."""
    return [
        value
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and not name.startswith("_")
        and value.__module__ == getattr(module, "__name__", None)
    ]


def module_of(path: Path) -> ModuleType:
    """Import a user's file as a module; run it again only if it or what it imports beside it has changed."""
    name = f"{PLUGIN_PREFIX}{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None or not path.is_file():
        raise UsageError(f"Cannot read the plug-in '{path}'. Name a Python file, as in my_score.py.")
    content = path.read_bytes()
    known = sys.modules.get(name)
    is_same = known is not None and vars(known).get("_assay_content") == content and known.__spec__ == spec
    folder = path.resolve().parent
    if not forget_edited_beside(folder) and known is not None and is_same:
        return known
    before = set(sys.modules)
    module = importlib.util.module_from_spec(spec)
    vars(module)["_assay_content"] = content
    sys.modules[name] = module
    try:
        exec(compile(content, str(path.resolve()), "exec"), vars(module))  # noqa: S102 - the user named this file to run it
    except Exception as error:
        del sys.modules[name]
        raise UsageError(f"The plug-in '{path}' does not run: {type(error).__name__}: {error}.") from error
    note_beside(folder, before)
    return module
