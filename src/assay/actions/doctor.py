"""Reports versions, devices and missing packages, for bug reports and before a study: ``assay doctor``."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterable, Iterator
from importlib import metadata
from importlib.util import find_spec
from typing import NamedTuple

from assay.core.errors import AssayError, UnknownName
from assay.core.model import ModelSource
from assay.core.paths import expanded
from assay.environment.cache import bytes_below, cache_folder, download_folders
from assay.environment.devices import resolve_device
from assay.environment.history import history_folder
from assay.environment.machine import machine_name
from assay.environment.memory import machine_bytes
from assay.environment.reachability import hub_address, why_unreachable
from assay.plugins.address import Address
from assay.plugins.families import families
from assay.plugins.patterns import is_pattern
from assay.plugins.registry import Named
from assay.plugins.suite import SOURCE as SUITE
from assay.plugins.suite import load_suite
from assay.run.catalogue import entry_of
from assay.wording.numbers import disk_space

_PACKAGE = "model-assay"
_INSTALLED = "what it needs is installed"
_COLLECTIONS = ("all", "demo", "dev")  # extras that are made of others
_REQUIRED = re.compile(r"([\w.-]+).*extra == ['\"]([\w-]+)['\"]")


class Finding(NamedTuple):
    """A line of the diagnosis.

    Attributes:
        what: What was looked at.
        text: What was found.
        is_fault: Whether something that the user named or asked for is missing.
    """

    what: str
    text: str
    is_fault: bool = False


def machine() -> Iterator[Finding]:
    """Yield the versions of Assay and Python, the machine and its devices."""
    yield Finding("assay", metadata.version(_PACKAGE))
    yield Finding("python", f"{platform.python_version()}, {platform.platform()}")
    memory = machine_bytes()
    yield Finding("machine", machine_name("cpu") + (f", {disk_space(memory)} of memory" if memory else ""))
    yield Finding("device", _device())


def packages() -> Iterator[Finding]:
    """Yield the installed version of each package that an extra brings, and incomplete extras."""
    lacking: dict[str, list[str]] = {}
    versions: dict[str, str] = {}
    for package, extra in _extras():
        version = _version(package)
        if version is None:
            lacking.setdefault(extra, []).append(package)
        else:
            versions[package] = version
    for package in sorted(versions):
        yield Finding(package, versions[package])
    for extra, missing in sorted(lacking.items()):
        yield Finding(f"[{extra}]", f"not installed: {', '.join(missing)}")


def caches() -> Iterator[Finding]:
    """Yield the folders that Assay and the libraries keep files in, with their sizes and the free space."""
    for folder in dict.fromkeys((cache_folder(), history_folder(), *download_folders())):
        if folder.is_dir():
            free = disk_space(shutil.disk_usage(folder).free)
            yield Finding(str(folder), f"{disk_space(bytes_below(folder))}, {free} free")
        else:
            yield Finding(str(folder), "empty")


def network() -> Finding:
    """Ask the hub for one answer."""
    address = hub_address()
    reason = why_unreachable(address)
    return Finding(address, f"cannot be reached: {reason}" if reason else "answers", bool(reason))


def named(texts: Iterable[str]) -> Iterator[Finding]:
    """Yield for each model, task, score or protocol whether its packages are installed."""
    for text in texts:
        try:
            yield Finding(text, _found(Address.parse(text)))
        except AssayError as error:
            yield Finding(text, str(error), is_fault=True)


def _found(address: Address) -> str:
    known = families()
    if address.source == SUITE:
        return f"{len(load_suite(address.name).tasks)} tasks"
    if not address.source:
        return _without_source(address)
    of_models, of_tasks = (address.source in each.names() for each in (known.models, known.tasks))
    if not of_models and not of_tasks:
        sources = {*known.models.names(), *known.tasks.names(), SUITE}
        raise UnknownName("source of models or tasks", address.source, sources)
    if of_models and not of_tasks and not is_pattern(address):
        known.models.load(address.source)
        return _model(known.models.create_from_source(address))
    (known.models if of_models else known.tasks).load(address.source)
    return _INSTALLED


def _without_source(address: Address) -> str:
    if os.path.exists(expanded(address.name)):  # noqa: PTH110  # Path.exists raises for a name that no file can have
        return "exists"
    registries = (families().protocols, families().scores, families().metrics)
    for registry in registries:
        if address.name in registry.names():
            registry.load(address.name)
            return f"{registry.what}; {_INSTALLED}"
    known = {name for registry in registries for name in registry.names()}
    raise UnknownName("file, folder, method or metric", address.name, known)


def _model(model: Named[ModelSource]) -> str:
    model.plugin.check()
    entry = entry_of(model)
    if entry.is_local:
        return "installed, nothing to download"
    size = "" if entry.download_bytes is None else f" {disk_space(entry.download_bytes)}"
    return f"installed; opening it downloads{size or ' its weights'}"


def _device() -> str:
    if find_spec("torch") is None:
        return "cpu (PyTorch is not installed)"
    device = resolve_device("auto")
    return "cpu (PyTorch finds no accelerator)" if device == "cpu" else machine_name(device)


def _extras() -> Iterator[tuple[str, str]]:
    for requirement in metadata.requires(_PACKAGE) or ():
        match = _REQUIRED.match(requirement)
        if match and match[2] not in _COLLECTIONS and match[1] != _PACKAGE:
            yield match[1], match[2]


def _version(package: str) -> str | None:
    for name in (package, f"{package}-cpu"):  # tensorflow is also published without CUDA
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None
