"""Suites: named collections of tasks, defined in TOML files."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.core.errors import UnknownName, UsageError
from assay.core.paths import path_of
from assay.plugins.address import Address, Literal

SOURCE = "suite"  # the source of an address

_FOLDER = Path(__file__).resolve().parent.parent / "suites"
_WRITE = 'tasks = ["./photos", "glue:rte"]'


@dataclass(frozen=True, slots=True)
class Suite:
    """A named collection of tasks.

    Attributes:
        name: The name after ``suite:`` in an address.
        title: A one-line description.
        groups: The tasks; the tasks of one group count as one task in the average.
        reference: The publication.
    """

    name: str
    title: str
    groups: tuple[tuple[Address, ...], ...]
    reference: str = ""

    @property
    def tasks(self) -> tuple[Address, ...]:
        """All tasks, in order."""
        return tuple(task for group in self.groups for task in group)


def suite_names() -> tuple[str, ...]:
    """Return the names of the built-in suites."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def load_suite(name: str) -> Suite:
    """Return a built-in suite by name, or a user's suite by the path of its TOML file.

    Raises:
        UnknownName: There is no suite with this name.
        UsageError: The file cannot be read or does not define a suite.
    """
    if name in (built_in := suite_names()):
        path = _FOLDER / f"{name}.toml"
    elif (path := path_of(name)).suffix != ".toml":
        raise UnknownName("suite", name, built_in)
    try:
        written = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"Cannot read the suite '{path}': {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"The suite '{path}' is not TOML: {error}.") from error
    tasks = written.get("tasks")
    groups = (
        [[entry] if isinstance(entry, str) else entry for entry in tasks] if isinstance(tasks, list) else []
    )
    if not groups or not all(
        isinstance(group, list) and group and all(isinstance(task, str) for task in group) for group in groups
    ):
        raise UsageError(f"The suite '{path}' names no tasks. Write for example {_WRITE}.")
    addresses = tuple(tuple(Address.parse(task) for task in group) for group in groups)
    return Suite(name, str(written.get("title", name)), addresses, str(written.get("reference", "")))


def tasks_of(address: Address) -> tuple[Address, ...]:
    """Return the tasks of an address; for a suite all its tasks, each with the address's settings."""
    if address.source != SOURCE:
        return (address,)
    return tuple(_with_settings(task, dict(address.settings)) for task in load_suite(address.name).tasks)


def _with_settings(task: Address, settings: Mapping[str, Literal]) -> Address:
    merged = {**dict(task.settings), **settings}
    return Address(task.source, task.name, tuple(sorted(merged.items())))
